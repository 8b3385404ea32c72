"""CO508: a cheaper model held against this one in the last measurement."""

from collections.abc import Iterator
from decimal import Decimal

from ...core.report import Across, AcrossRow, QualityDelta
from ...core.types import HOLDING
from .base import Case, Hit, Range, Rule, first_visible

_KEYS = ("targets", "model", "provider", "providers")


def _find(case: Case) -> Iterator[Hit]:
    found = case.across
    best = _row(found, found.best) if found else None
    if found is None or best is None or best.target == found.baseline or best.cascade is not None:
        return
    base = found.rows[0]
    yield Hit(
        message=f"{found.baseline} is larger than this prompt needed in this measurement: "
        f"{best.name} {_verdict(best)} {_money(base, best)}",
        usd_per_1k=_saved(base, best),
        at=_place(case),
    )


def _row(found: Across, name: str | None) -> AcrossRow | None:
    rows = (row for row in found.rows[1:] if row.name == name)
    return next((row for row in rows if row.verdict in HOLDING), None)


def _verdict(best: AcrossRow) -> str:
    rows = f"on {best.delta.n} rows" if best.delta else "on the same rows"
    return ("holds" if best.verdict == "holds" else "does better") + f" {rows}"


def _money(base: AcrossRow, best: AcrossRow) -> str:
    if not base.usd_per_1k or best.usd_per_1k is None:
        return "(what it costs is unknown)"
    return f"for {best.usd_per_1k / base.usd_per_1k:.0%} of the cost"


def _saved(base: AcrossRow, best: AcrossRow) -> Decimal | None:
    if base.usd_per_1k is None or best.usd_per_1k is None or best.usd_per_1k >= base.usd_per_1k:
        return None
    return base.usd_per_1k - best.usd_per_1k


def _place(case: Case) -> Range:
    """Return where the file names a model, or else where its text begins."""
    document = case.parsed.document
    keys = document.root.keys if document else {}
    at = next((keys[name] for name in _KEYS if name in keys), None)
    if at is not None:
        return None, at, at
    first = first_visible(case.template.messages[0].content)
    return 0, first, first


_EXAMPLE = Across(
    baseline="openai:gpt-5.5",
    metric="exact_match",
    candidates=1,
    rows=(
        AcrossRow(
            name="openai:gpt-5.5: baseline",
            target="openai:gpt-5.5",
            variant="baseline",
            verdict="baseline",
            usd_per_1k=Decimal("1.20"),
        ),
        AcrossRow(
            name="openai:gpt-5.4-mini: baseline",
            target="openai:gpt-5.4-mini",
            variant="baseline",
            verdict="holds",
            usd_per_1k=Decimal("0.09"),
            delta=QualityDelta(mean=0.0, low=-0.02, high=0.02, n=200, margin=0.05, confidence=0.95),
        ),
    ),
    best="openai:gpt-5.4-mini: baseline",
    reason="",
)

RULE = Rule(
    code="CO508",
    name="oversized-model",
    summary="a cheaper model did as well in the last measurement",
    find=_find,
    why="The model is the largest factor of a prompt's cost. Where an analysis had several targets "
    "(`--target openai:gpt-5.5 --target openai:gpt-5.4-mini`) and found a cheaper one not worse "
    "than the first one's baseline by more than the margin, this says so. Without such a "
    "measurement it says nothing: that a model is too large cannot be read off a prompt. "
    "`--suggest-targets` names models to try.",
    before="Name the capital of {{ country }} in one word.\n",
    after="Name the capital of {{ country }} in one word.\n",
    ignore="Where the rows of the eval set are easier than what production sends.",
    measured=_EXAMPLE,
    money="The difference of what 1,000 requests cost, both as measured in that run.",
)
