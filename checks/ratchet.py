"""The ratchet: what ``costopt.lock`` holds may fall and not rise, and a fall is written down.

Input tokens are counted, the same on every machine, so that they are kept to the token and a lock
that is not up to date fails. What is measured moves by itself: it fails where it rises by more than
a little, and nobody without a key is asked to write down what only a run can tell.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ..core.checked import Gate
from ..core.report import VariantReport
from ..evals.metrics import get
from .bounds import fraction_bounds
from .budgets import gate_of, input_tokens
from .cases import Case, Sides, sides_of
from .changes import Change
from .lock import Lock, Locked, rounded
from .words import FRACTIONS, percent, tokens, usd

NOISE = 0.02
"""Measured numbers that rise by less are taken as they were."""
_HALF_STEP = 0.0051
"""Of a lock's two decimals."""
_UPDATE = "run this check again with `--static --update-lock` and commit costopt.lock"
_ACCEPT = "if it has to grow, change its costopt.lock in the base first"


@dataclass(frozen=True, kw_only=True)
class Locks:
    """The base's lock, which limits, and the head's, which has to be up to date."""

    base: Lock
    head: Lock


def key_of(path: str, index: int) -> str:
    """Return what a lock calls a prompt."""
    return f"{path}#{index + 1}" if index else path


def keys_of(case: Case) -> tuple[str | None, str]:
    """Return what the lock calls a prompt at the base, and at the head."""
    old, new = case.change.base, case.change.head
    was = old.prompt.template.source if old else None
    now = new.prompt.template.source if new else None
    return (
        key_of(was.path, was.index) if was else None,
        key_of(now.path, now.index) if now else case.change.path,
    )


def ratchet_gates(case: Case, locks: Locks) -> Iterator[Gate]:
    """Yield the ratchet's gates of a prompt: what grew, else whether the lock is up to date."""
    old, new = keys_of(case)
    measured = {sides.target: sides for sides in case.sides}
    for counted in sides_of(case.counted):
        limit = locks.base.get(old, {}).get(counted.target) if old else None
        if limit is None and case.change.base is not None:
            continue
        sides = measured[counted.target]
        grew = [*_grown(case, counted, sides, limit)] if limit else []
        if grew:
            yield from grew
            continue
        written = entry_of(case, counted, sides, None)
        held = locks.head.get(new, {}).get(counted.target)
        yield _up_to_date(case, counted.target, written, held, limit)


def _grown(case: Case, counted: Sides, sides: Sides, limit: Locked) -> Iterator[Gate]:
    was = input_tokens(counted.base) if counted.base else 0.0
    now, most = input_tokens(counted.head), max(limit.input_tokens, was)
    if now > most + _HALF_STEP:
        message = f"input grew from {tokens(most)} to {tokens(now)} tokens; {_ACCEPT}"
        yield gate_of(
            case, sides.target, "lock", "failed", message,
            limit=most, base=was, head=now, unit="tokens",
        )  # fmt: skip
    if case.depth == "static" or case.change.asks_the_same:
        return
    yield from _measured(case, sides, limit)


def _measured(case: Case, sides: Sides, limit: Locked) -> Iterator[Gate]:
    before = sides.base
    now, was = sides.head.tokens.output_mean, before.tokens.output_mean if before else None
    if now is not None and limit.output_tokens is not None:
        most = max(limit.output_tokens, was or 0.0)
        if now > most * (1 + NOISE):
            message = f"output grew from {tokens(most)} to {tokens(now)} tokens; {_ACCEPT}"
            yield gate_of(
                case, sides.target, "lock", "failed", message,
                limit=most, base=was, head=now, unit="tokens",
            )  # fmt: skip
    cost, old = sides.head.cost.usd_per_1k, before.cost.usd_per_1k if before else None
    if cost is not None and limit.usd_per_1k is not None and sides.head.cost.evidence != "list":
        # Prices change by themselves: a prompt that got dearer at the base did not do so here.
        bound = max(limit.usd_per_1k, old or Decimal(0))
        if cost > bound * Decimal(str(1 + NOISE)):
            message = f"cost grew from {usd(bound)} to {usd(cost)} for 1,000 requests; {_ACCEPT}"
            yield gate_of(
                case, sides.target, "lock", "failed", message,
                limit=bound, base=old, head=cost, unit="usd",
            )  # fmt: skip
    yield from _eroded(case, sides, limit)


def _eroded(case: Case, sides: Sides, limit: Locked) -> Iterator[Gate]:
    """Yield where many small losses, each within the margin, have become one that is not."""
    found = sides.head.quality
    change = sides.head.delta.quality if sides.head.delta else None
    if found is None or change is None or limit.quality is None or limit.metric != found.metric:
        return
    bounds = fraction_bounds(found.mean, found.n)
    if (
        get(found.metric).scale in FRACTIONS
        and bounds
        and bounds[1] < limit.quality - change.margin
    ):
        message = (
            f"{found.metric} {found.mean:.3f}, at most {bounds[1]:.3f}, was {limit.quality:.3f}: "
            "small losses have added up to more than the margin"
        )
        yield gate_of(
            case, sides.target, "lock", "failed", message, limit=limit.quality, head=found.mean
        )


def _up_to_date(
    case: Case, target: str, written: Locked, held: Locked | None, limit: Locked | None
) -> Gate:
    now = written.input_tokens
    was = limit.input_tokens if limit else None
    if held is not None and abs(held.input_tokens - now) <= _HALF_STEP:
        message, passed = f"{tokens(now)} input tokens, as costopt.lock says", True
    elif held is None:
        message, passed = f"not in costopt.lock yet: {_UPDATE}", False
    elif was and now < was:
        saved = f"{tokens(was)} to {tokens(now)} tokens ({percent(now / was - 1)})"
        message, passed = f"input fell from {saved}: bank it: {_UPDATE}", False
    else:
        said = f"costopt.lock says {tokens(held.input_tokens)} input tokens and it has "
        message, passed = f"{said}{tokens(now)}: {_UPDATE}", False
    return gate_of(
        case, target, "lock", "passed" if passed else "failed", message,
        limit=was, base=was, head=now, unit="tokens",
    )  # fmt: skip


def gone_gates(changes: Sequence[Change], locks: Locks) -> Iterator[Gate]:
    """Yield whether the lock still holds a prompt that was deleted."""
    for change in changes:
        if change.head is not None or change.base is None:
            continue
        source = change.base.prompt.template.source
        key = key_of(source.path, source.index)
        if key in locks.base:
            held = key in locks.head
            yield Gate(
                prompt=change.name,
                gate="lock",
                outcome="failed" if held else "passed",
                message=f"deleted, and costopt.lock still has it: {_UPDATE}"
                if held
                else "deleted from costopt.lock too",
                path=change.path,
            )


def entry_of(case: Case, counted: Sides, sides: Sides, before: Locked | None) -> Locked:
    """Return what a lock has to hold of a prompt at a target.

    What was not measured now stays as it was last measured.
    """
    head = sides.head
    output, quality = head.tokens.output_mean, head.quality
    last = before or Locked(input_tokens=0)
    bounds = _bounds(head)
    return rounded(
        Locked(
            input_tokens=input_tokens(counted.head),
            output_tokens=last.output_tokens if output is None else output,
            usd_per_1k=last.usd_per_1k if output is None else head.cost.usd_per_1k,
            metric=quality.metric if quality else last.metric,
            quality=quality.mean if quality else last.quality,
            quality_low=bounds[0] if quality else last.quality_low,
            quality_high=bounds[1] if quality else last.quality_high,
            n=quality.n if quality else last.n,
        )
    )


def _bounds(head: VariantReport) -> tuple[float | None, float | None]:
    quality = head.quality
    if quality is None or get(quality.metric).scale not in FRACTIONS:
        return None, None
    return fraction_bounds(quality.mean, quality.n) or (None, None)
