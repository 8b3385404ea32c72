"""A table's rows: one a variant, every cell as printable text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..core.report import Tokens, VariantReport
from ..core.types import Verdict
from .facts import baseline_of, input_change, missing_rows, saving, shown_order
from .numbers import UNKNOWN, count, interval, mean, percent, quality, seconds, unit, usd
from .safe import clean
from .table import Column


@dataclass(frozen=True, kw_only=True)
class Row:
    """One variant; empty text where a cell means nothing, "—" where nothing is known."""

    name: str
    recommended: bool
    control: bool
    verdict: Verdict
    input: str
    change: str
    output: str
    money: str
    saving: str
    quality: str
    short_quality: str
    n: str
    missing: str
    latency: str


def columns(rows: Sequence[Row], *, compact: bool, static: bool) -> list[Column]:
    """Return the columns for rows of any number of tables.

    Ranks: the rows short go first where the page is narrow, then latency, the change of input
    tokens, output, n, money and input. Saving, interval and verdict always stay.

    Args:
        rows: Of all tables of a page, so that they align.
        compact: Short headers and cells, for a narrow page.
        static: Whether the input column counts templates, since no row was asked.
    """

    def column(header: str, cells: Iterable[str], rank: int = 0, right: bool = True) -> Column:
        return Column(header=header, cells=tuple(cells), rank=rank, right=right)

    return [
        Column(
            header="Variant",
            cells=tuple(row.name for row in rows),
            right=False,
            shrinks=True,
            least=14 if compact else 20,
        ),
        column("Prompt" if static else "Input", (row.input for row in rows), 1),
        column("change", (row.change for row in rows), 7),
        column("Out" if compact else "Output", (row.output for row in rows), 5),
        column("$/1k", (row.money.replace("$", "") for row in rows), 2),
        column("Saving", (row.saving for row in rows)),
        column(
            "Quality Δ" if compact else "Quality Δ [low, high]",
            (row.short_quality if compact else row.quality for row in rows),
        ),
        column("n", (row.n for row in rows), 4),
        column("Verdict", (row.verdict for row in rows), right=False),
        column("Rows short", (row.missing for row in rows), 9),
        column("p50/p95 s", (row.latency for row in rows), 8),
    ]


def table_rows(variants: Sequence[VariantReport], best: str | None) -> tuple[Row, ...]:
    """Return the rows of one prompt at one target, baseline first.

    Args:
        variants: All of them; rejected ones get no row.
        best: The recommended variant's name.
    """
    shown = shown_order(variants)
    baseline = baseline_of(variants)
    metrics = {v.quality.metric for v in shown if v.quality and v.delta and v.delta.quality}
    return tuple(_row(v, baseline, best, mixed=len(metrics) > 1) for v in shown)


def _row(
    variant: VariantReport, baseline: VariantReport | None, best: str | None, *, mixed: bool
) -> Row:
    delta = variant.delta.quality if variant.delta else None
    first = variant.verdict == "baseline"
    latency = variant.latency
    missing = missing_rows(variant)
    return Row(
        name=clean(variant.name, 80),
        recommended=variant.name == best and not first,
        control=variant.control,
        verdict=variant.verdict,
        input=_input(variant.tokens),
        change="" if first else _sign(input_change(variant, baseline)),
        output=mean(variant.tokens.output_mean),
        money=usd(variant.cost.usd_per_1k),
        saving="" if first else percent(saving(variant)),
        quality="" if first else _quality(variant, mixed=mixed),
        short_quality="" if first else _short_quality(variant, mixed=mixed),
        n=str(delta.n) if delta else "",
        missing=count(missing) if missing else "",
        latency=f"{seconds(latency.p50_s)}/{seconds(latency.p95_s)}" if latency else "",
    )


def _input(tokens: Tokens) -> str:
    return count(tokens.template if tokens.input_mean is None else tokens.input_mean)


def _sign(fraction: float | None) -> str:
    plus = "+" if fraction is not None and round(fraction, 3) > 0 else ""
    return plus + percent(fraction)


def _quality(variant: VariantReport, *, mixed: bool) -> str:
    delta = variant.delta.quality if variant.delta else None
    if delta is None or variant.quality is None:
        return UNKNOWN
    metric = variant.quality.metric
    middle = quality(metric, delta.mean, sign=True)
    suffix = f" {unit(metric)}" if mixed else ""
    return f"{middle} {interval(metric, delta.low, delta.high)}{suffix}".rstrip()


def _short_quality(variant: VariantReport, *, mixed: bool) -> str:
    """Where two metrics stand in one table, the unit takes the place of the mean."""
    full = _quality(variant, mixed=mixed).replace(", ", ",")
    return full[full.index("[") :] if mixed and "[" in full else full
