"""A saved report of `analyze` as tests need it: one prompt, one target, some variants."""

from dataclasses import replace

from costopt.core.money import CostInfo
from costopt.core.report import (
    Delta,
    PromptReport,
    Quality,
    QualityDelta,
    Recommendation,
    Report,
    Spent,
    StrategyInfo,
    TargetInfo,
    Tokens,
    VariantReport,
)
from costopt.core.types import GenerationSettings

QUALITY = QualityDelta(mean=0.01, low=-0.02, high=0.04, n=200, margin=0.05, confidence=0.95)
BASE = VariantReport(
    target="main", name="baseline", strategies=(), messages=(), chat=False,
    settings=GenerationSettings(), verdict="baseline", cost=CostInfo(),
    tokens=Tokens(template=800, tokenizer="t", exact=True, input_mean=1000.0),
)  # fmt: skip


def variant(name, *, saves=0.2, usd=-0.15, output=-0.1, verdict="holds", **changed):
    delta = Delta(input_tokens=-saves, output_tokens=output, usd_per_1k=usd, quality=QUALITY)
    tokens = replace(BASE.tokens, template=600, input_mean=1000 * (1 - saves))
    one = replace(
        BASE, name=name, verdict=verdict, delta=delta, tokens=tokens,
        quality=Quality(metric="accuracy", mean=0.9, n=200, failures=0),
        strategies=(StrategyInfo(name="filler", params={}, side="input", safety="lossy"),),
    )  # fmt: skip
    return replace(one, **changed)


def report(*variants, recommended="filler", target=None):
    prompt = PromptReport(
        name="greet", path="prompts/greet.md", format="markdown", feature=None,
        calls_per_month=None, eval_set=None, findings=(), variants=(BASE, *variants),
        recommended=(Recommendation(target="main", variant=recommended, reason=""),),
    )  # fmt: skip
    return Report(
        costopt_version="0", created="2026-11-01T00:00:00Z", seed=0, partial=False,
        targets=(target or TargetInfo(name="main", model="anthropic:claude-haiku-4-5"),),
        prompts=(prompt,), spent=Spent(), skipped=(),
    )  # fmt: skip
