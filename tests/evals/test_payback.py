"""Payback: what answers cost, each once, and after how many calls a saving has paid for them."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.core.money import CostInfo, Payback
from costopt.core.report import Recommendation, Tokens, VariantReport
from costopt.core.types import Answer, GenerationSettings, Usage
from costopt.costs.prices import price_for
from costopt.evals.payback import paid_by, pays_back, spent_on

MINI = price_for("openai:gpt-5.4-mini", on=date(2026, 11, 1))  # 0.75 in, 4.5 out
ANSWER = Answer(
    text="a", usage=Usage(input=1000, output=100), finish_reason="stop", latency_s=2.0,
    model="m", created="2026-11-01T00:00:00Z",
)  # fmt: skip


def variant(name: str, usd: str | None) -> VariantReport:
    return VariantReport(
        target="t",
        name=name,
        strategies=(),
        messages=(),
        chat=False,
        settings=GenerationSettings(),
        tokens=Tokens(template=1, tokenizer="x", exact=True),
        cost=CostInfo(usd_per_1k=None if usd is None else Decimal(usd)),
        verdict="baseline" if name == "baseline" else "holds",
    )


def chosen(name: str) -> Recommendation:
    return Recommendation(target="t", variant=name, reason="")


def paid(price=MINI, *, free: bool = False, together: float | None = 1.0):
    return paid_by(price, free=free, concurrency=lambda: together)


def test_an_answer_that_was_used_twice_was_paid_once() -> None:
    other = replace(ANSWER, created="2026-11-01T00:00:01Z")
    found = spent_on([ANSWER, replace(ANSWER, cached=True), other], paid())
    assert (found.answers, found.usd) == (2, 2 * Decimal("0.0012"))


def test_what_is_not_known_of_one_answer_is_not_known_of_all() -> None:
    hourly = price_for("mine", overrides={"usd_per_hour": 3.6})
    batch = replace(ANSWER, latency_s=None, text="b")
    assert spent_on([ANSWER], paid(hourly, together=2.0)).usd == Decimal("0.001")
    assert spent_on([ANSWER, batch], paid(hourly)).usd is None
    assert spent_on([ANSWER], paid(None)).usd is None
    assert spent_on([ANSWER], paid(None, free=True)).usd == 0


def test_calls_and_months() -> None:
    both = (variant("baseline", "2.00"), variant("short", "1.50"))
    found = pays_back(Payback(answers=9, usd=Decimal("1.20")), chosen("short"), both, 4800)
    assert (found.calls, found.months, found.answers) == (2400, 0.5, 9)
    assert pays_back(Payback(answers=9, usd=Decimal("1.20")), chosen("short"), both, None) == (
        replace(found, months=None)
    )
    assert pays_back(Payback(answers=9, usd=Decimal(0)), chosen("short"), both, 10).calls == 0


@pytest.mark.parametrize(
    ("name", "usd", "base", "spent"),
    [
        ("baseline", "1", "2", "1"),  # nothing is recommended
        ("short", "2", "2", "1"),  # nothing is saved
        ("short", "3", "2", "1"),
        ("short", None, "2", "1"),  # it is not known what is saved
        ("short", "1", None, "1"),
        ("short", "1", "2", None),  # nor what was spent
    ],
)
def test_never_paid_back_or_not_known(
    name: str, usd: str | None, base: str | None, spent: str | None
) -> None:
    both = (variant("baseline", base), variant("short", usd))
    before = Payback(answers=3, usd=None if spent is None else Decimal(spent))
    assert pays_back(before, chosen(name), both, 1000) == before


@given(st.decimals(0, 1000, places=6), st.decimals("0.000001", 100, places=6))
def test_at_that_many_calls_it_is_paid_for_and_not_one_call_before(
    spent: Decimal, saved: Decimal
) -> None:
    both = (variant("baseline", str(200 + saved)), variant("short", "200"))
    calls = pays_back(Payback(answers=1, usd=spent), chosen("short"), both, None).calls
    assert calls is not None
    assert calls * saved / 1000 >= spent
    assert calls == 0 or (calls - 1) * saved / 1000 < spent
