"""Numbers with units, a true minus sign and nothing invented."""

from decimal import Decimal

import pytest

from costopt.reports import numbers


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, "—"),
        (Decimal(0), "$0.00"),
        (Decimal("0.0000012"), "$0.0000012"),
        (Decimal("0.00099"), "$0.00099"),
        (Decimal("0.1234"), "$0.1234"),
        (Decimal("1.005"), "$1.00"),
        (Decimal("999.99"), "$999.99"),
        (Decimal("1234.5"), "$1,234"),
        (Decimal("-3.5"), "−$3.50"),
    ],
)
def test_usd(amount: Decimal | None, text: str) -> None:
    assert numbers.usd(amount) == text


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (None, "—"),
        (0.0, "0.0 %"),
        (-0.0, "0.0 %"),
        (-0.0001, "0.0 %"),
        (-0.09, "−9.0 %"),
        (1, "100.0 %"),
    ],
)
def test_percent(fraction: float | None, text: str) -> None:
    assert numbers.percent(fraction) == text


def test_points_for_fractions_nats_for_likelihoods() -> None:
    assert numbers.interval("accuracy", -0.041, 0.04) == "[−4.1, +4.0]"
    assert numbers.interval("log_likelihood", -0.081, 0.04) == "[−0.08, +0.04]"
    assert numbers.interval("mine", -3.0, 0.0) == "[−3.00, 0.00]"
    assert (numbers.unit("token_f1"), numbers.unit("drift"), numbers.unit("mine")) == (
        "pt",
        "nats",
        "",
    )


def test_list_prices_keep_their_digits() -> None:
    assert [numbers.price(Decimal(p)) for p in ("0.15", "3", "0.0375", "100")] == [
        "$0.15",
        "$3.00",
        "$0.0375",
        "$100.00",
    ]
