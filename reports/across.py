"""The table over all targets of a prompt, in columns and in words."""

from collections.abc import Iterable, Sequence

from ..core.report import Across, AcrossRow
from .numbers import UNKNOWN, count, interval, mean, percent, quality, seconds, unit, usd
from .safe import clean
from .table import Column


def label(row: AcrossRow) -> str:
    """Return how a row is called in the table.

    Example:
        >>> label(AcrossRow(name="small: baseline", target="small", variant="baseline",
        ...                 verdict="holds"))
        'small: baseline'
    """
    if row.cascade is None:
        return f"{clean(row.target, 60)}: {clean(row.variant, 80)}"
    own = "" if row.variant == "baseline" else f" with {clean(row.variant, 60)}"
    to, check = clean(row.cascade.to, 60), clean(row.cascade.check, 20)
    return f"{clean(row.target, 60)}{own}>{to}, {check}"


def shown(across: Across) -> tuple[AcrossRow, ...]:
    """Return the rows of the table; cascades that are not measured stand in lines below."""
    return tuple(r for r in across.rows if r.cascade is None or r.verdict != "not measured")


def columns(rows: Sequence[AcrossRow], *, compact: bool) -> list[Column]:
    """Return the columns; on a narrow page latency goes first, then the tokens.

    Args:
        rows: What `shown` returned.
        compact: Short headers and cells, for a narrow page.
    """

    def column(header: str, cells: Iterable[str], rank: int = 0, right: bool = True) -> Column:
        return Column(header=header, cells=tuple(cells), rank=rank, right=right)

    return [
        Column(
            header="Model: variant",
            cells=tuple(label(row) for row in rows),
            right=False,
            shrinks=True,
            least=20,
        ),
        column("Input", (count(row.input_tokens) for row in rows), 6),
        column("Out" if compact else "Output", (mean(row.output_tokens) for row in rows), 7),
        column("$/1k", (usd(row.usd_per_1k).replace("$", "") for row in rows)),
        column(
            "Quality Δ" if compact else "Quality Δ [low, high]",
            (difference(row, compact=compact) for row in rows),
        ),
        column("n", (str(row.delta.n) if row.delta else "" for row in rows), 4),
        column("Verdict", (row.verdict for row in rows), right=False),
        column("p50/p95 s", (latency(row) for row in rows), 8),
    ]


def difference(row: AcrossRow, *, compact: bool = False) -> str:
    """Return the quality delta with its interval; nothing for the baseline."""
    if row.verdict == "baseline":
        return ""
    if row.delta is None or row.quality is None:
        return UNKNOWN
    metric = row.quality.metric
    middle = quality(metric, row.delta.mean, sign=True)
    full = f"{middle} {interval(metric, row.delta.low, row.delta.high)}"
    return full.replace(", ", ",") if compact else full


def latency(row: AcrossRow) -> str:
    """Return the latencies in seconds."""
    found = row.latency
    return f"{seconds(found.p50_s)}/{seconds(found.p95_s)}" if found else ""


def heading(across: Across) -> str:
    """Say what the rows are compared with, and how."""
    said = f"across targets, against {clean(across.baseline, 60)}: baseline"
    first = next((row for row in across.rows if row.verdict == "baseline"), None)
    if first is None or first.quality is None:
        return said
    metric, own = first.quality.metric, first.quality
    in_unit = unit(metric)
    margins = sorted({quality(metric, r.delta.margin) for r in across.rows if r.delta is not None})
    parts = [f"{said}; {clean(metric, 40)}: {quality(metric, own.mean)} on {own.n} rows"]
    parts += [f"margin {' or '.join(margins)} {in_unit}".rstrip()] if margins else []
    levels = {f"{100 * r.delta.confidence:.4g}" for r in across.rows if r.delta is not None}
    parts += [f"bounds one-sided {' or '.join(sorted(levels))} %"] if levels else []
    return "; ".join(parts)


def cascade_lines(across: Across) -> list[str]:
    """Say how often each cascade asks the larger model, and why the others are not measured."""
    said: list[str] = []
    for row in across.rows:
        found = row.cascade
        if found is not None and found.escalated is not None:
            limit = "" if found.threshold is None else f" below {found.threshold:.2f} nats a token"
            said.append(
                f"{clean(row.name, 120)}: {clean(found.to, 60)} answers "
                f"{percent(found.escalated)} of the rows{limit}"
            )
    missing: dict[str, list[str]] = {}
    for row in across.rows:
        if row.cascade is not None and row.note:
            missing.setdefault(clean(row.note, 200), []).append(clean(row.name, 120))
    return said + [f"not measured: {', '.join(each)}: {why}" for why, each in missing.items()]


def choice_line(across: Across) -> str:
    """Say which model and variant to use, or why none is named."""
    mark = "→ " if across.best is not None else ""
    reason = clean(across.reason, 400)
    estimated = any(r.name == across.best and r.evidence != "measured" for r in across.rows)
    return f"{mark}{reason}{' (estimated)' if estimated else ''}"
