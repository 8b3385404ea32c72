"""The cap holds whatever is reserved, settled and refused."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.models.spending import BudgetExceeded, Spending

money = st.decimals(min_value=0, max_value=10, places=4, allow_nan=False)


def test_what_is_reserved_is_not_reserved_twice() -> None:
    spending = Spending(max_usd=Decimal(1), max_requests=None)
    spending.reserve(Decimal("0.6"))
    with pytest.raises(BudgetExceeded, match="cap"):
        spending.reserve(Decimal("0.6"))


def test_what_was_not_used_can_be_reserved_again() -> None:
    spending = Spending(max_usd=Decimal(1), max_requests=None)
    spending.settle(spending.reserve(Decimal(1)), Decimal("0.1"))
    spending.reserve(Decimal("0.9"))
    assert spending.left_usd == 0


def test_an_unknown_cost_counts_as_the_worst() -> None:
    spending = Spending(max_usd=Decimal(1), max_requests=None)
    spending.settle(spending.reserve(Decimal("0.4")), None)
    assert spending.spent_usd == Decimal("0.4")


def test_exactly_the_cap_is_allowed_and_free_requests_are_after_it() -> None:
    spending = Spending(max_usd=Decimal("0.5"), max_requests=None)
    spending.settle(spending.reserve(Decimal("0.5")), Decimal("0.5"))
    spending.reserve(Decimal(0))


def test_requests_are_capped() -> None:
    spending = Spending(max_usd=None, max_requests=2)
    spending.reserve(Decimal(0))
    spending.reserve(Decimal(0))
    with pytest.raises(BudgetExceeded, match="2 requests"):
        spending.reserve(Decimal(0))


@pytest.mark.parametrize("amount", ["-0.01", "NaN", "Infinity"])
def test_nonsense_amounts(amount: str) -> None:
    with pytest.raises(ValueError, match="cannot cost"):
        Spending(max_usd=None, max_requests=None).reserve(Decimal(amount))


@given(money, st.lists(st.tuples(money, money), max_size=30))
def test_never_beyond_the_cap(cap: Decimal, requests: list[tuple[Decimal, Decimal]]) -> None:
    spending = Spending(max_usd=cap, max_requests=None)
    for worst, actual in requests:
        try:
            held = spending.reserve(worst)
        except BudgetExceeded:
            assert spending.spent_usd + worst > cap
            continue
        spending.settle(held, min(worst, actual))
        assert spending.spent_usd <= cap
    assert spending.reserved_usd == 0
