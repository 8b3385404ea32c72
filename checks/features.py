"""What all prompts of a feature may cost in a month, the ones that did not change too."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ..core.checked import Gate, Outcome
from ..core.report import VariantReport
from .cases import Case
from .words import usd


@dataclass(frozen=True, kw_only=True)
class Monthly:
    """A prompt's money of a month at a target.

    Attributes:
        usd: USD, ``None`` where its price or its calls a month are unknown.
        whole: Whether answers are part of it.
    """

    usd: Decimal | None
    whole: bool


@dataclass(frozen=True, kw_only=True)
class Feature:
    """A feature with a budget that a change is about.

    Attributes:
        name: Its name.
        limit: USD a month.
        changed: The changed prompts that belong to it at base or head.
        others: Those that did not change, target by target.
    """

    name: str
    limit: Decimal
    changed: tuple[Case, ...]
    others: Mapping[str, Sequence[Monthly]]


def feature_gates(feature: Feature) -> Iterator[Gate]:
    """Yield whether a feature stays within its budget, at each target."""
    targets = dict.fromkeys(s.target for case in feature.changed for s in case.sides)
    for target in targets:
        sides = [s for case in feature.changed for s in case.sides if s.target == target]
        rest = feature.others.get(target, ())
        now = [*rest, *(monthly(s.head) for s in sides)]
        was = [*rest, *(monthly(s.base) for s in sides if s.base)]
        outcome, message = _judged(feature, now)
        yield Gate(
            prompt=None,
            gate="feature",
            outcome=outcome,
            message=f'feature "{feature.name}" at {target}: {message}',
            limit=float(feature.limit),
            base=_total(was),
            head=_total(now),
            unit="usd",
            target=target,
        )


def monthly(version: VariantReport) -> Monthly:
    """Return the money of a month of one version."""
    return Monthly(usd=version.cost.usd_per_month, whole=version.cost.evidence != "list")


def _total(parts: Sequence[Monthly]) -> float | None:
    known = [part.usd for part in parts if part.usd is not None]
    return float(sum(known, Decimal(0))) if len(known) == len(parts) and known else None


def _judged(feature: Feature, parts: Sequence[Monthly]) -> tuple[Outcome, str]:
    """Judge by what is known: more than that it cannot be less than."""
    known = sum((part.usd for part in parts if part.usd is not None), Decimal(0))
    unknown = sum(part.usd is None for part in parts)
    halves = sum(part.usd is not None and not part.whole for part in parts)
    count = f"{len(parts)} prompt{'' if len(parts) == 1 else 's'}"
    gaps = [f"{unknown} without a price or calls a month"] if unknown else []
    gaps += [f"{halves} counted by the input alone"] if halves else []
    least = "at least " if gaps else ""
    said = f"{least}{usd(known)} a month for {count}"
    said += f" ({', '.join(gaps)})" if gaps else ""
    if known > feature.limit:
        return "failed", f"{said}, over {usd(feature.limit)}"
    if gaps:
        return "skipped", f"{said}, of {usd(feature.limit)}: not all of it is known here"
    return "passed", f"{said}, within {usd(feature.limit)}"
