"""What is recommended among the variants of one target, from what the report says of them.

It reads nothing but the report, so that a report with other prices is decided again by the same
rules, from the verdicts that were measured.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from ..core.report import Recommendation, VariantReport
from .choice import Candidate, pareto, recommend


def recommended(target: str, variants: Sequence[VariantReport]) -> Recommendation:
    """Return the variant to use at a target, and why.

    Args:
        target: Its name.
        variants: The target's, the baseline first.
    """
    first = variants[0]
    # A cost and a number of tokens are no two amounts to be compared: it is one for all of them.
    cost = _usd if first.cost.usd_per_1k is not None else _tokens_as_cost
    candidates = [
        Candidate(
            name=variant.name,
            cost=cost(variant),
            verdict=variant.verdict,
            confirmed=variant.confirmed,
            control=variant.control,
            harm_seen=variant.harm_seen,
            worse_where=" and ".join(
                f"{one.by} = {one.value}" for one in variant.slices if one.verdict == "worse"
            ),
        )
        for variant in variants[1:]
        if variant.rejected is None
    ]
    name, reason = recommend(candidates, cost(first))
    return Recommendation(target=target, variant=name, reason=reason)


def with_front(variants: Sequence[VariantReport]) -> tuple[VariantReport, ...]:
    """Return the variants with those marked that no other beats in both cost and quality."""
    points = {
        variant.name: (variant.cost.usd_per_1k, quality)
        for variant in variants
        if not variant.control
        and variant.cost.usd_per_1k is not None
        and (quality := _quality_against(variant)) is not None
    }
    best = pareto(points)
    return tuple(replace(variant, pareto=variant.name in best) for variant in variants)


def _quality_against(report: VariantReport) -> float | None:
    """Return the quality delta; the baseline's is 0 against itself."""
    if report.verdict == "baseline":
        return 0.0
    return report.delta.quality.mean if report.delta and report.delta.quality else None


def _usd(report: VariantReport) -> Decimal | None:
    return report.cost.usd_per_1k


def _tokens_as_cost(report: VariantReport) -> Decimal | None:
    """Compare by tokens where there is no price: then a token is a token, in or out."""
    tokens = report.tokens
    if tokens.input_mean is None:
        return None
    return Decimal(str(tokens.input_mean + (tokens.output_mean or 0.0)))
