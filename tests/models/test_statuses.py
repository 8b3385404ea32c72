"""What statuses and their headers mean."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.models.statuses import retry_after_s, said, status_error


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("1000000000", 1e9),
        ("-3", None),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("", None),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0.0),
        ("Sun, 99 Nov 2094 08:49:37 GMT", None),
    ],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    assert retry_after_s({"retry-after": value}) == seconds


def test_retry_after_as_a_date() -> None:
    then = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    found = retry_after_s({"retry-after": then})
    assert found is not None
    assert 3000 < found <= 3600


def test_milliseconds_go_first() -> None:
    assert retry_after_s({"retry-after": "60", "retry-after-ms": "1500"}) == 1.5
    assert retry_after_s({"retry-after": "60", "retry-after-ms": "x"}) == 60.0


@given(st.text())
def test_any_header_is_read(value: str) -> None:
    found = retry_after_s({"retry-after": value, "retry-after-ms": value})
    assert found is None or found >= 0


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (408, b"", "timeout"),
        (409, b"", "server"),
        (425, b"", "server"),
        (599, b"", "server"),
        (418, b"", "rejected"),
        (301, b"", "rejected"),
        (204, b"", "rejected"),
        (400, b'{"error": {"code": "content_filter"}}', "refused"),
        (429, b'{"error": {"type": "insufficient_quota"}}', "rejected"),
        (429, b'{"error": "slow down"}', "rate_limit"),
        (429, b"[" * 100_000, "rate_limit"),
    ],
)
def test_kinds(status: int, body: bytes, kind: str) -> None:
    error = status_error(status, body, {}, "no")
    assert error.kind == kind
    assert not error.possibly_paid


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"error": {"message": "no such model"}}', "no such model"),
        (b'{"error": "no such model"}', "no such model"),
        (b'{"message": "no such model"}', "no such model"),
        (b'{"detail": "odd"}', '{"detail": "odd"}'),
        (b"<html>bad</html>", "<html>bad</html>"),
        (b"\xff", "\ufffd"),
        (b"", "it said no more"),
    ],
)
def test_what_a_server_says(body: bytes, expected: str) -> None:
    assert said(body) == expected
