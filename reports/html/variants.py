"""The variants of a prompt at one target, as tables: tokens, money and quality; every regime."""

from collections.abc import Sequence

from ...core.report import PromptReport, QualityDelta, VariantReport
from .. import facts, money
from ..numbers import count, interval, quality, unit, usd
from ..rows import Row, table_rows
from ..safe import clean
from .tables import Cell, Line, Table, headers, number, without_empty
from .verdicts import signed_word, style_of

_EVIDENCE = {
    "measured": "measured tokens at list prices",
    "replayed": "tokens of stored answers at list prices",
    "estimated": "estimated",
    "list": "that of the input alone, counted, at list prices: no answer was measured",
}


def variant_table(
    variants: Sequence[VariantReport], best: str | None, *, caption: str, static: bool
) -> Table:
    """Return the table of variants, the baseline first, then the cheapest first.

    Args:
        variants: All of one target; rejected ones get no row.
        best: The recommended variant's name.
        caption: What the table is called.
        static: Whether no row was asked, so that only templates are counted.
    """
    ordered, rows = facts.shown_order(variants), table_rows(variants, best)
    pairs = zip(ordered, rows, strict=True)
    lines = [_line(at, variant, row) for at, (variant, row) in enumerate(pairs, 1)]
    found = Table(
        caption=caption,
        headers=headers(
            "#", "Variant", "Verdict", "Saving", "Quality Δ [low, high]", "n", "$ per 1,000",
            "Prompt tokens" if static else "Input tokens", "Output tokens", "p50/p95 s",
            left=("Variant", "Verdict"),
        ),
        lines=tuple(lines),
        sortable=True,
    )  # fmt: skip
    return without_empty(found)


def _line(at: int, variant: VariantReport, row: Row) -> Line:
    delta = variant.delta.quality if variant.delta else None
    tokens, latency = variant.tokens, variant.latency
    name = f"{row.name}{' (control)' if row.control else ''}"
    missing = f"{row.missing} more rows" if row.missing else ""
    cells = (
        number(str(at), at),
        Cell(text=name, style="name", note="recommended" if row.recommended else ""),
        Cell(text=signed_word(row.verdict), style=f"chip {style_of(row.verdict)}", note=missing),
        number(row.saving, facts.saving(variant)),
        number(row.quality, delta.mean if delta else None),
        number(row.n, delta.n if delta else None),
        number(row.money, variant.cost.usd_per_1k),
        number(row.input, tokens.input_mean or tokens.template, note=row.change),
        number(row.output, tokens.output_mean),
        number(row.latency, latency.p50_s if latency else None),
    )
    marked = " ".join(["pick"] * row.recommended + ["control"] * row.control + ["base"] * (at == 1))
    return Line(cells=cells, style=marked)


def evidence_line(variants: Sequence[VariantReport]) -> str | None:
    """Say what the money rests on; ``None`` where there is none."""
    kinds = dict.fromkeys(v.cost.evidence for v in variants if v.cost.usd_per_1k is not None)
    words = (_EVIDENCE.get(kind, clean(kind, 20)) for kind in kinds)
    return f"money: {', '.join(words)}" if kinds else None


def regime_table(prompt: PromptReport, variants: Sequence[VariantReport]) -> Table | None:
    """Return what each variant costs under every way of calling; ``None`` without any price."""
    shown = facts.shown_order(variants)
    names, amounts = money.regimes(prompt, shown)
    if not names:
        return None
    lines = [
        Line(cells=(
            Cell(text=clean(variant.name, 80), style="name"),
            *(number(usd(amount), amount) for amount in of_variant),
            number(usd(variant.cost.usd_per_month), variant.cost.usd_per_month),
        ))
        for variant, of_variant in zip(shown, amounts, strict=True)
    ]  # fmt: skip
    titles = [name[:1].upper() + name[1:] for name in names]
    return without_empty(
        Table(
            caption="Money: USD per 1,000 requests under each way of calling",
            headers=headers("Variant", *titles, "USD a month"),
            lines=tuple(lines),
            sortable=True,
        )
    )


def slice_table(variants: Sequence[VariantReport]) -> Table | None:
    """Return the verdicts on parts of the rows; ``None`` where there are none."""
    lines = [
        Line(cells=(
            Cell(text=clean(variant.name, 80), style="name"),
            Cell(text=clean(found.by, 60)),
            Cell(text=clean(found.value, 80)),
            number(difference(variant, found.delta), found.delta.mean),
            number(count(found.delta.n), found.delta.n),
            Cell(text=signed_word(found.verdict), style=f"chip {style_of(found.verdict)}"),
        ))
        for variant in variants
        for found in variant.slices
    ]  # fmt: skip
    if not lines:
        return None
    return Table(
        caption="Slices: the same comparison on parts of the rows",
        headers=headers(
            "Variant", "By", "Value", "Quality Δ [low, high]", "n", "Verdict",
            left=("By", "Value", "Verdict"),
        ),
        lines=tuple(lines),
        sortable=True,
    )  # fmt: skip


def difference(variant: VariantReport, delta: QualityDelta) -> str:
    """Return a difference in quality with its interval and unit."""
    metric = variant.quality.metric if variant.quality else ""
    middle = quality(metric, delta.mean, sign=True)
    return f"{middle} {interval(metric, delta.low, delta.high)} {unit(metric)}".rstrip()
