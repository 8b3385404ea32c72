"""What a saved report says of another model, as the what-if takes it."""

from dataclasses import replace

from costopt.core.report import (
    Across,
    AcrossRow,
    PromptReport,
    QualityDelta,
    Report,
    Spent,
    TargetInfo,
)
from costopt.usage.whatif.known_quality import known_quality

DELTA = QualityDelta(mean=0.01, low=-0.02, high=0.04, n=200, margin=0.05, confidence=0.95)
BIG, SMALL = "openai:gpt-5.4", "openai:gpt-5.4-mini"


def report(*verdicts):
    prompts = tuple(_prompt(str(number), verdict) for number, verdict in enumerate(verdicts))
    targets = (TargetInfo(name="big", model=BIG), TargetInfo(name=SMALL, model="gpt-5.4-mini"))
    return Report(
        costopt_version="0", created="2026-11-01T00:00:00Z", seed=0, targets=targets,
        prompts=prompts, partial=False, spent=Spent(), skipped=(),
    )  # fmt: skip


def _prompt(name, verdict):
    def row(target, variant, found):
        return AcrossRow(
            name=f"{target} {variant}", target=target, variant=variant, verdict=found, delta=DELTA
        )

    rows = (
        row("big", "baseline", "baseline"),
        row(SMALL, "baseline", verdict),
        row(SMALL, "filler", "worse"),
    )
    across = Across(
        baseline="big", metric="accuracy", candidates=2, rows=rows, best=None, reason=""
    )
    return PromptReport(
        name=name, path=name, format="markdown", feature=None, calls_per_month=None, eval_set=None,
        findings=(), variants=(), recommended=(), across=across,
    )  # fmt: skip


def test_the_unchanged_prompt_decides_with_its_numbers():
    ((pair, known),) = known_quality(report("holds")).items()
    assert pair == (BIG, SMALL)
    assert known.verdict == "holds"
    assert known.words == (
        "holds in a stored run: accuracy +0.010 [-0.020, +0.040], n = 200, margin 0.05"
    )


def test_of_several_prompts_the_worst_stands():
    assert known_quality(report("holds", "not enough data"))[BIG, SMALL].verdict == (
        "not enough data"
    )
    assert known_quality(report("worse", "better"))[BIG, SMALL].verdict == "worse"


def test_a_report_without_other_models_says_nothing():
    found = report("holds")
    bare = replace(found, prompts=(replace(found.prompts[0], across=None),))
    assert known_quality(bare) == {}
