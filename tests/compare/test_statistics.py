"""McNemar's p-value and one side's own bounds, held against statsmodels."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

from costopt.evals.letters import begins_with_letter, choices, first_letter
from costopt.evals.mcnemar import mcnemar_p
from costopt.evals.mean_bounds import mean_bounds

COUNT = st.integers(0, 400)


@given(COUNT, COUNT)
def test_mcnemar_is_the_oracles(gained: int, lost: int) -> None:
    theirs = mcnemar([[7, lost], [gained, 3]], exact=True).pvalue if gained + lost else 1.0
    assert mcnemar_p(gained, lost) == pytest.approx(theirs, rel=1e-9, abs=1e-300)
    assert mcnemar_p(gained, lost) == mcnemar_p(lost, gained)


def test_mcnemar_at_sizes_where_doubles_would_fail() -> None:
    assert mcnemar_p(0, 1100) == 0.0  # 2^-1099 is below the least double
    assert mcnemar_p(50_000, 50_000) == 1.0
    with pytest.raises(ValueError, match="negative"):
        mcnemar_p(-1, 2)


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_own_bounds_are_clopper_and_pearsons(drawn: tuple[int, int]) -> None:
    right, n = drawn
    found = mean_bounds([1.0] * right + [0.0] * (n - right), alpha=0.05, scale="binary")
    low, high = proportion_confint(right, n, alpha=0.1, method="beta")
    assert found.low == pytest.approx(low, abs=1e-9)
    assert found.high == pytest.approx(high, abs=1e-9)


@pytest.mark.parametrize("scale", ["binary", "bounded"])
def test_clustered_rows_have_wider_bounds(scale) -> None:
    scores = [1.0] * 50 + [0.0] * 50
    alone = mean_bounds(scores, alpha=0.05, scale=scale)
    groups = [str(number // 10) for number in range(100)]
    together = mean_bounds(scores, alpha=0.05, scale=scale, clusters=groups)
    assert together.high - together.low > alone.high - alone.low
    assert 0 <= together.low <= 0.5 <= together.high <= 1


def test_few_scores_without_a_range_have_no_bounds() -> None:
    found = mean_bounds([1.0, 7.0], alpha=0.05, scale="unbounded")
    assert (found.mean, found.low, found.high) == (4.0, None, None)
    assert mean_bounds([], alpha=0.05, scale="binary") is None


@pytest.mark.parametrize(
    ("text", "letter", "formed"),
    [
        ("B", "B", True),
        ("B. since", "B", True),
        ("(C) since", "C", True),
        ("**D**", "D", True),
        ("The answer is C, not D", "C", False),
        ("Because of that", None, False),
        ("AB", None, False),
        ("E", None, False),
        ("D'accord, B", "B", False),
        ("b", None, False),
        ("", None, False),
    ],
)
def test_letters(text: str, letter: str | None, formed: bool) -> None:
    assert first_letter(text, "ABCD") == letter
    assert begins_with_letter(text, "ABCD") is formed


def test_what_is_multiple_choice() -> None:
    assert choices(["A", "B"]) == ("A", "B")
    assert choices(["B", "D"]) == ("A", "B", "C", "D")
    assert choices(["A"]) == choices(["A", 1]) == choices(["yes", "no"]) == choices([]) == ()
