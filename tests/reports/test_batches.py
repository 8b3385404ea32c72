"""Batches as text: in 80 columns, exact in JSON, harmless whatever their names say."""

import json
import re
from decimal import Decimal

import pytest

from costopt.models.batches.desk import Look
from costopt.models.batches.journal import Batch
from costopt.reports.batches import show_batches

HOSTILE = "\x1b[31m::error::x\u202e|`@all`##[group]"


def batch(target: str = "mine", state: str = "submitted", **counts: int) -> Batch:
    return Batch(
        id="3f2a11aa99bb", target=target, model="m", base_url="http://127.0.0.1:9/v1",
        style="chat", created="2026-11-25T21:49:00.123+00:00", state=state, name="batch_1",
        counts=counts, worst=Decimal("0.0025"), usd=Decimal("0.0058"),
    )  # fmt: skip


RUNS = Look(batch=batch(waiting=28), state="in_progress", done=3)
DONE = Look(batch=batch(state="collected", answered=99, expired=1), state="collected", done=100)
UNKNOWN = Look(batch=batch("a" * 90, waiting=12345), state="submitted", done=None, problem="no key")


def test_a_table_of_80_columns() -> None:
    shown = show_batches([RUNS, DONE, UNKNOWN], "table", width=80)
    lines = shown.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["Batch", "Target", "State", "Done", "USD", "Sent", "(UTC)"]
    assert lines[1].split()[2:6] == ["in_progress", "3/28", "≤", "$0.0083"]
    assert lines[2].split()[2:5] == ["collected", "100/100", "$0.0058"]
    assert "?/12,345" in lines[3]
    assert lines[4:] == ["3f2a11aa99bb: 99 answered, 1 expired", "3f2a11aa99bb: no key"]
    assert show_batches([], "table", width=80) == "no batches\n"


@pytest.mark.parametrize("format", ["table", "markdown"])
def test_names_and_messages_are_harmless(format: str) -> None:
    look = Look(batch=batch(HOSTILE, waiting=1), state=HOSTILE, done=0, problem=HOSTILE)
    shown = show_batches([look], format, width=80)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", shown)
    assert "##[" not in shown
    assert not any(line.startswith("::") for line in shown.splitlines())
    outside = re.sub(r"(`+)[^`].*?[^`]\1(?!`)", "", shown)
    assert format == "table" or "@all" not in outside


def test_json_is_exact() -> None:
    found = json.loads(show_batches([RUNS, DONE], "json", width=80))
    assert found["schema"] == "costopt.batches/1"
    first, second = found["batches"]
    assert (first["open"], first["done"], first["requests"]) == (True, 3, 28)
    assert (first["usd"], first["usd_at_most"]) == (0.0058, 0.0083)
    assert (second["open"], second["counts"]) == (False, {"answered": 99, "expired": 1})
    assert json.loads(show_batches([], "json", width=80))["batches"] == []
