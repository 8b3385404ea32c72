"""The budgets of ``[prompts."GLOB"]`` as gates."""

from collections.abc import Iterator
from decimal import Decimal

from ..core.checked import Gate, Outcome
from ..core.report import VariantReport
from ..evals.metrics import get
from .cases import Case, Sides
from .words import FRACTIONS, percent, tokens, usd

_NOT_ASKED = "no answer is known here, so that this depth cannot tell"


def budget_gates(case: Case) -> Iterator[Gate]:
    """Yield a gate for each budget of a prompt, at each target."""
    for sides in case.sides:
        yield from _input(case, sides)
        yield from _output(case, sides)
        yield from _money(case, sides, "max_usd_per_1k", "for 1,000 requests")
        yield from _money(case, sides, "max_usd_per_month", "a month")
        yield from _growth(case, sides)
        yield from _latency(case, sides)
        yield from _quality(case, sides)


def gate_of(
    case: Case,
    target: str | None,
    name: str,
    outcome: Outcome,
    message: str,
    *,
    limit: Decimal | float | str | None = None,
    base: Decimal | float | str | None = None,
    head: Decimal | float | str | None = None,
    unit: str | None = None,
) -> Gate:
    """Return a gate of a prompt."""
    return Gate(
        prompt=case.change.name,
        gate=name,
        outcome=outcome,
        message=message,
        limit=_plain(limit),
        base=_plain(base),
        head=_plain(head),
        unit=unit,
        target=target,
        path=case.change.path,
    )


def _plain(value: Decimal | float | str | None) -> float | str | None:
    return float(value) if isinstance(value, Decimal) else value


def input_tokens(version: VariantReport) -> float:
    """Return the tokens of a request: filled with rows where there are some."""
    mean = version.tokens.input_mean
    return float(version.tokens.template) if mean is None else mean


def _input(case: Case, sides: Sides) -> Iterator[Gate]:
    limit = case.rule.max_input_tokens
    if limit is None:
        return
    now = input_tokens(sides.head)
    was = input_tokens(sides.base) if sides.base else None
    over = now > limit
    outcome: Outcome = "failed" if over else "inconclusive" if case.unfilled else "passed"
    said = f"{tokens(now)} input tokens a request, {'over' if over else 'within'} {tokens(limit)}"
    said += ", placeholders included: the base's rows do not fill it" if case.unfilled else ""
    yield gate_of(
        case, sides.target, "max_input_tokens", outcome, said,
        limit=limit, base=was, head=now, unit="tokens",
    )  # fmt: skip


def _output(case: Case, sides: Sides) -> Iterator[Gate]:
    limit = case.rule.max_output_tokens
    if limit is None:
        return
    now = sides.head.tokens.output_mean
    was = sides.base.tokens.output_mean if sides.base else None
    outcome: Outcome
    if now is not None:
        outcome = "failed" if now > limit else "passed"
        verb = "over" if now > limit else "within"
        said = f"{tokens(now)} output tokens a request, {verb} {tokens(limit)}"
    elif sides.head.settings.max_output_tokens <= limit:
        outcome = "passed"
        cap = sides.head.settings.max_output_tokens
        said = f"its settings cap answers at {tokens(cap)} tokens, within {tokens(limit)}"
    else:
        outcome, said = _unknown(case), f"output tokens: {_NOT_ASKED}"
    yield gate_of(
        case, sides.target, "max_output_tokens", outcome, said,
        limit=limit, base=was, head=now, unit="tokens",
    )  # fmt: skip


def _unknown(case: Case) -> Outcome:
    """Return what not knowing amounts to: where nothing was to be measured, it is left out."""
    unmeasured = case.depth == "static" or case.report.eval_set is None
    return "skipped" if unmeasured else "inconclusive"


def _money(case: Case, sides: Sides, name: str, per: str) -> Iterator[Gate]:
    limit: Decimal | None = getattr(case.rule, name)
    if limit is None:
        return
    read = "usd_per_1k" if name == "max_usd_per_1k" else "usd_per_month"
    now: Decimal | None = getattr(sides.head.cost, read)
    was: Decimal | None = getattr(sides.base.cost, read) if sides.base else None
    whole = sides.head.cost.evidence != "list"
    outcome: Outcome
    if now is None:
        outcome = _unknown(case)
        said = _unpriced(sides.head, name)
    elif now > limit:
        outcome = "failed"
        part = "" if whole else ", the input alone"
        said = f"{usd(now)} {per}{part}, over {usd(limit)}"
    elif whole:
        outcome, said = "passed", f"{usd(now)} {per}, within {usd(limit)}"
    else:
        outcome = "skipped"
        said = f"{usd(now)} {per}, the input alone, of {usd(limit)}: {_NOT_ASKED}"
    yield gate_of(
        case, sides.target, name, outcome, said, limit=limit, base=was, head=now, unit="usd"
    )


def _unpriced(head: VariantReport, name: str) -> str:
    if head.cost.usd_per_1k is None:
        return f"the price of {head.target} is unknown"
    return "its calls a month are unknown: say calls_per_month in the configuration"


def _growth(case: Case, sides: Sides) -> Iterator[Gate]:
    """Yield the growth of what a request costs; where that is not known, of its input."""
    limit = case.rule.max_growth
    if limit is None or sides.base is None:
        return
    was, now, what = grown(sides.base, sides.head)
    if not was:
        return
    growth = float(now) / float(was) - 1
    over = growth > limit + 1e-9
    said = f"{what} {percent(growth)} against the base, {'over' if over else 'within'} "
    yield gate_of(
        case, sides.target, "max_growth", "failed" if over else "passed",
        f"{said}{percent(limit)}", limit=limit, base=0.0, head=growth, unit="fraction",
    )  # fmt: skip


def grown(base: VariantReport, head: VariantReport) -> tuple[Decimal | float, Decimal | float, str]:
    """Return what growth is read from: the whole cost of a request, else its input."""
    was, now = base.cost.usd_per_1k, head.cost.usd_per_1k
    whole = "list" not in (base.cost.evidence, head.cost.evidence)
    if was is not None and now is not None and whole:
        return was, now, "cost"
    return input_tokens(base), input_tokens(head), "input"


def _latency(case: Case, sides: Sides) -> Iterator[Gate]:
    limit = case.rule.max_latency_p95_s
    if limit is None:
        return
    now = sides.head.latency.p95_s if sides.head.latency else None
    was = sides.base.latency.p95_s if sides.base and sides.base.latency else None
    outcome: Outcome
    if now is None:
        outcome, said = _unknown(case), f"latency: {_NOT_ASKED}"
    else:
        outcome = "failed" if now > limit else "passed"
        said = f"95 % answered within {now:.2f} s, {'over' if now > limit else 'of'} {limit:.2f} s"
    yield gate_of(
        case, sides.target, "max_latency_p95_s", outcome, said,
        limit=limit, base=was, head=now, unit="s",
    )  # fmt: skip


def _quality(case: Case, sides: Sides) -> Iterator[Gate]:
    limit = case.rule.min_quality
    if limit is None:
        return
    found = sides.head.quality
    was = sides.base.quality.mean if sides.base and sides.base.quality else None
    if found is None:
        outcome: Outcome = _unknown(case)
        said = f"quality: {_NOT_ASKED}"
    else:
        low = found.mean < limit
        outcome = "failed" if low else "passed"
        said = (
            f"{found.metric} {found.mean:.3f} over {found.n} rows, "
            f"{'below' if low else 'at least'} {limit:g}"
        )
    yield gate_of(
        case, sides.target, "min_quality", outcome, said,
        limit=limit, base=was, head=found.mean if found else None,
    )  # fmt: skip


def unit_of(metric: str) -> str:
    """Return the unit that a difference of a metric is said in: points of 100, or nats."""
    return "points" if get(metric).scale in FRACTIONS else "nats"
