"""Rows without a score are named, with the reason."""

from costopt.core.types import (
    Failure,
    FailureKind,
    Message,
    PromptTemplate,
    Sample,
    Score,
    Source,
    Syntax,
    Variant,
)
from costopt.evals.failed import failed_note
from costopt.evals.runner import Outcome, Trial


def outcome(number: int, result: Score | Failure) -> Outcome:
    template = PromptTemplate(
        name="p",
        messages=(Message("user", "x"),),
        variables=(),
        syntax=Syntax.JINJA,
        source=Source(path="p.md", format="markdown", raw="x"),
    )
    variant = Variant(name="baseline", template=template)
    sample = Sample(id=f"row-{number}", inputs={})
    return Outcome(trial=Trial(variant=variant, sample=sample, mode="generate"), result=result)


def test_nothing_failed() -> None:
    stopped = Failure(FailureKind.BUDGET, "the cap was reached")
    assert failed_note([outcome(1, Score(1.0, "a", "")), outcome(2, stopped)]) == ()


def test_each_is_named_with_its_reason() -> None:
    lost = Failure(FailureKind.TIMEOUT, "no answer in time")
    assert failed_note([outcome(1, Score(1.0, "a", "")), outcome(2, lost)]) == (
        "1 row without a score: row-2 (timeout: no answer in time)",
    )


def test_many_are_counted_and_long_reasons_cut() -> None:
    lost = Failure(FailureKind.TARGET, "x" * 5000)
    (note,) = failed_note([outcome(n, lost) for n in range(8)])
    assert note.startswith("8 rows without a score: row-0 (target: xxx")
    assert note.endswith("…) and 3 more")
    assert len(note) < 1000
