"""Parts of the rows: who is worse for some of them is not recommended."""

import json
from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.core.report import QualityDelta, Slice
from costopt.core.types import (
    Message,
    PromptTemplate,
    Sample,
    Score,
    Source,
    Syntax,
    Variant,
)
from costopt.evals.choice import Candidate, recommend
from costopt.evals.metrics import get
from costopt.evals.runner import Outcome, Trial
from costopt.evals.slices import LEAST_ROWS, MOST_VALUES, parts, sliced, worse_note
from costopt.reports.decode import decode

TEMPLATE = PromptTemplate(
    name="t", messages=(Message("user", "x"),), variables=(), syntax=Syntax.NONE,
    source=Source(path="t.md", format="text", raw="x"),
)  # fmt: skip
VARIANT = Variant(name="v", template=TEMPLATE)


def row(number: int, *, label: str = "a", length: int = 5, **metadata: object) -> Sample:
    return Sample(
        id=str(number), inputs={"q": "x" * length}, references=(label,), metadata=metadata
    )


def outcomes(rows: list[Sample], score: Callable[[Sample], float]) -> list[Outcome]:
    return [
        Outcome(
            trial=Trial(variant=VARIANT, sample=one, mode="generate"),
            result=Score(score(one), ""),
        )
        for one in rows
    ]


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 40), st.sampled_from(["de", "en", 3])),
        max_size=60,
    )
)
def test_slices_of_a_key_share_no_row(drawn: list[tuple[str, int, object]]) -> None:
    rows = [row(n, label=a, length=b, language=c) for n, (a, b, c) in enumerate(drawn)]
    found = parts(rows)
    for by in {key for key, _ in found}:
        ids = [id_ for (key, _), members in found.items() if key == by for id_ in members]
        assert len(ids) == len(set(ids))
    assert all(LEAST_ROWS <= len(members) < len(rows) for members in found.values())


def test_what_has_many_values_is_no_slice() -> None:
    rows = [row(n, label=f"l{n}", session=n) for n in range(MOST_VALUES * LEAST_ROWS * 2)]
    assert {by for by, _ in parts(rows)} <= {"length"}


def test_a_variant_that_fails_one_language_is_worse_there_and_not_recommended() -> None:
    rows = [row(n, language="de" if n % 5 == 0 else "en") for n in range(100)]
    found = sliced(
        parts(rows),
        outcomes(rows, lambda one: 1.0),
        outcomes(rows, lambda one: 0.0 if one.metadata["language"] == "de" else 1.0),
        metric=get("exact_match"),
        margin=0.05,
    )
    verdicts = {one.value: one.verdict for one in found}
    assert verdicts["de"] == "worse"
    assert verdicts["en"] != "worse"
    german = next(one for one in found if one.value == "de")
    assert worse_note(german).startswith("worse where language = de: -1.000 [-1.000, ")
    chosen = recommend(
        [
            candidate("cheap", "0.5", worse_where="language = de"),
            candidate("dear", "0.8"),
        ],
        Decimal(1),
    )
    assert chosen == (
        "dear",
        "the cheapest variant that holds: 20.0 % of the cost per request saved; cheap holds on "
        "all rows together, but is worse where language = de",
    )
    alone = recommend([candidate("cheap", "0.5", worse_where="language = de")], Decimal(1))
    assert alone[0] == "baseline"
    assert "worse where language = de" in alone[1]


def candidate(name: str, cost: str, worse_where: str = "") -> Candidate:
    return Candidate(
        name=name, cost=Decimal(cost), verdict="holds", confirmed=True, control=False,
        harm_seen=True, worse_where=worse_where,
    )  # fmt: skip


@pytest.mark.parametrize("runs", [60, pytest.param(1000, marks=pytest.mark.slow)])
def test_chance_blocks_hardly_ever(runs: int) -> None:
    rng = np.random.default_rng(0)
    rows = [
        row(n, label="abcd"[n % 4], length=n, language=["de", "en", "fr"][n % 3]) for n in range(90)
    ]
    found = parts(rows)
    assert len(found) == 10
    blocked = 0
    for _ in range(runs):
        drawn = dict(zip((one.id for one in rows), rng.normal(-0.05, 0.1, 90), strict=True))
        judged = sliced(
            found,
            outcomes(rows, lambda one: 0.5),
            outcomes(rows, lambda one, drawn=drawn: 0.5 + float(drawn[one.id])),
            metric=get("token_f1"),
            margin=0.05,
        )
        blocked += any(one.verdict == "worse" for one in judged)
    assert blocked <= 0.05 * runs + 3 * (0.05 * 0.95 * runs) ** 0.5


def test_a_slice_stays_in_the_report() -> None:
    written = """{"by": "label", "value": "a", "verdict": "not enough data", "delta": {"mean": 0.0,
        "low": -0.1, "high": 0.1, "n": 9, "margin": 0.05, "confidence": 0.95}}"""
    delta = QualityDelta(mean=0.0, low=-0.1, high=0.1, n=9, margin=0.05, confidence=0.95)
    one = Slice(by="label", value="a", delta=delta, verdict="not enough data")
    assert decode(Slice, json.loads(written, parse_float=Decimal), "") == one
