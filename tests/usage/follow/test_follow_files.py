"""Logs that are rotated, packed, cut, replaced or removed, as a ledger sees them."""

import gzip
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import zstandard
from usage_logs import WRITERS, asks

from costopt.core.errors import CostoptError
from costopt.usage.facts import Reading
from costopt.usage.follow.opening import open_ledger

_NOW = datetime(2026, 6, 1)


def _line(number: int, **more: Any) -> bytes:
    """A request without an identifier: only what the file holds tells it from another one."""
    record = {"at": "2026-01-01T00:00:00Z", "model": "gpt-4o-mini", "input_tokens": number}
    return json.dumps({**record, "output_tokens": 1, **more}).encode() + b"\n"


def _lines(*numbers: int, **more: Any) -> bytes:
    return b"".join(_line(number, **more) for number in numbers)


class _Ledger:
    """A ledger, and the folder of its logs."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "usage.duckdb"
        self.logs = folder / "logs"
        self.logs.mkdir()

    def __call__(self, *names: str, **more: Any) -> tuple[list[int], Reading]:
        """Read logs, all of them where none is named; return what the requests' inputs are."""
        logs = [str(self.logs / name) for name in names] or [str(self.logs)]
        with open_ledger(self.path, logs, now=_NOW, **more) as found:
            rows = found.connection.execute("SELECT input_tokens FROM requests").fetchall()
            return sorted(row[0] for row in rows if row[0] is not None), found.reading

    def write(self, name: str, data: bytes) -> None:
        (self.logs / name).write_bytes(data)


@pytest.fixture
def ledger(tmp_path: Path) -> _Ledger:
    """An empty one."""
    return _Ledger(tmp_path)


def _said(reading: Reading) -> str:
    return " | ".join(reading.notes)


def test_only_what_was_added_is_read(ledger: _Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    from costopt.usage.follow import append

    ledger.write("a.jsonl", _lines(*range(1000)))
    ledger()
    sizes: list[int] = []
    real = append.load_source

    def watched(connection: Any, source: Any, *more: Any) -> None:
        sizes.append(source.log.path.stat().st_size)
        real(connection, source, *more)

    monkeypatch.setattr(append, "load_source", watched)
    ledger.write("a.jsonl", _lines(*range(1001)))
    rows, reading = ledger()
    assert len(rows) == 1001
    assert sizes == [len(_line(1000))]
    assert reading.notes[0] == "new in the ledger: 1 request, from 1 of 1 logs"
    assert ledger()[1].notes[0] == "new in the ledger: 0 requests, from 0 of 1 logs"
    assert len(sizes) == 1


_SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "packed", [pytest.param("", marks=_SLOW), ".gz", pytest.param(".zst", marks=_SLOW)]
)
def test_a_rotated_log_is_read_on_under_its_new_name(packed: str, ledger: _Ledger) -> None:
    ledger.write("app.jsonl", _lines(1, 2, 3))
    ledger()
    old = _lines(1, 2, 3, 4)
    pack = {"": bytes, ".gz": gzip.compress, ".zst": zstandard.compress}[packed]
    ledger.write(f"app.jsonl.1{packed}", pack(old))
    ledger.write("app.jsonl", _lines(5, 6))
    rows, reading = ledger()
    assert rows == [1, 2, 3, 4, 5, 6]
    assert f"app.jsonl.1{packed}: it is the log that was " in _said(reading)
    assert ledger()[0] == [1, 2, 3, 4, 5, 6]


@_SLOW
def test_logs_go_through_numbered_names_and_out_of_the_folder(ledger: _Ledger) -> None:
    days = [_lines(*range(10 * day, 10 * day + 4)) for day in range(4)]
    for day in range(4):
        ledger.write("app.jsonl", days[day][: len(days[day]) // 2])
        ledger()
        ledger.write("app.jsonl", days[day])
        (ledger.logs / "app.jsonl").rename(ledger.logs / "app.jsonl.1")
        for back, name in ((1, "app.jsonl.2.gz"), (2, "app.jsonl.3.gz")):
            if day >= back:
                ledger.write(name, gzip.compress(days[day - back]))
    rows, _ = ledger()
    assert rows == [10 * day + n for day in range(4) for n in range(4)]


def test_a_log_that_begins_anew_is_a_new_one(ledger: _Ledger) -> None:
    ledger.write("app.jsonl", _lines(1, 2, 3))
    ledger()
    ledger.write("app.jsonl", _lines(4, 5, 6, 7))
    rows, reading = ledger()
    assert rows == [1, 2, 3, 4, 5, 6, 7]
    assert "app.jsonl: it was begun anew" in _said(reading)
    ledger.write("app.jsonl", b"")
    assert ledger()[0] == rows
    ledger.write("app.jsonl", _lines(8))
    assert ledger()[0] == [*rows, 8]


def test_the_log_that_was_put_away_is_known_when_it_is_named_later(ledger: _Ledger) -> None:
    ledger.write("app.jsonl", _lines(1, 2))
    ledger("app.jsonl")
    (ledger.logs / "app.jsonl").rename(ledger.logs / "app.jsonl.1")
    ledger.write("app.jsonl", _lines(3))
    assert ledger("app.jsonl")[0] == [1, 2, 3]
    assert ledger("app.jsonl*")[0] == [1, 2, 3]


def test_a_log_that_was_edited_in_place_is_read_again(ledger: _Ledger) -> None:
    ledger.write("app.jsonl", _lines(*range(100)))
    ledger()
    ledger.write("app.jsonl", _lines(*range(90), 777))
    rows, reading = ledger()
    assert rows == [*range(90), 777]
    assert "written anew" in _said(reading)


def test_a_copy_beside_it_counts_as_it_does_in_one_reading(ledger: _Ledger) -> None:
    ledger.write("a.jsonl", _lines(1, 2))
    ledger()
    ledger.write("b.jsonl", _lines(1, 2))
    assert ledger()[0] == [1, 1, 2, 2]


def test_a_log_that_is_not_named_or_was_removed_still_counts(ledger: _Ledger) -> None:
    ledger.write("a.jsonl", _lines(1, 2))
    ledger.write("b.jsonl", _lines(3))
    ledger()
    ledger.write("b.jsonl", _lines(3, 4))
    assert ledger("b.jsonl")[0] == [1, 2, 3, 4]
    (ledger.logs / "a.jsonl").unlink()
    assert ledger()[0] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "name", ["plain.parquet", pytest.param("langfuse.json", marks=_SLOW), "openai.jsonl"]
)
def test_what_is_read_as_a_whole_takes_the_place_of_what_it_was(name: str, ledger: _Ledger) -> None:
    made = asks(30, seed=3, providers=("openai",))
    suffix = Path(name).suffix
    pack = gzip.compress if suffix == ".jsonl" else bytes
    ledger.write(f"export{suffix}", pack(WRITERS[name](made[:10])))
    assert len(ledger()[0]) == 10
    ledger.write(f"export{suffix}", pack(WRITERS[name](made[5:30])))
    rows, reading = ledger()
    assert rows == sorted(ask.input for ask in made[5:])
    assert reading.rows.duplicate == 0
    assert "written anew" in _said(reading)
    assert "new in the ledger: 0 requests" in _said(ledger()[1])


def test_a_packed_log_that_was_cut_off_is_read_on(ledger: _Ledger) -> None:
    data = gzip.compress(_lines(*range(3000)))
    ledger.write("a.jsonl.gz", data[: len(data) // 2])
    some, reading = ledger()
    assert some == list(range(len(some)))
    assert 0 < len(some) < 3000
    assert any("cut off" in problem.what for problem in reading.problems)
    ledger.write("a.jsonl.gz", data)
    rows, reading = ledger()
    assert rows == list(range(3000))
    assert reading.problems == ()


def test_what_was_repeated_counts_once_what_it_repeated_is_gone(ledger: _Ledger) -> None:
    ledger.write("a.jsonl.gz", gzip.compress(_line(1, id="x") + _line(2, id="y")))
    ledger.write("b.jsonl", _line(3, id="x") + _line(4, id="z"))
    ledger.write("c.jsonl", _line(5, id="x"))
    rows, reading = ledger()
    assert (rows, reading.rows.duplicate) == ([1, 2, 4], 2)
    ledger.write("a.jsonl.gz", gzip.compress(_line(6, id="w") + _line(2, id="y")))
    rows, reading = ledger()
    assert (rows, reading.rows.duplicate) == ([2, 3, 4, 6], 1)
    ledger.write("a.jsonl.gz", gzip.compress(_line(7, id="x")))
    rows, reading = ledger()
    assert (rows, reading.rows.duplicate) == ([4, 7], 2)


def test_a_last_line_without_an_end_counts_where_it_is_whole(ledger: _Ledger) -> None:
    ledger.write("a.jsonl", _lines(1, 2).rstrip())
    ledger.write("b.csv", b"model,input_tokens,output_tokens\nm,3,1\nm,4,1")
    assert ledger()[0] == [1, 2, 3, 4]
    ledger.write("a.jsonl", _lines(1, 2, 5))
    ledger.write("b.csv", b"model,input_tokens,output_tokens\nm,3,1\nm,4,15\n")
    rows, reading = ledger()
    assert rows == [1, 2, 3, 4, 5]
    assert reading.problems == ledger()[1].problems
    assert [one.what for one in reading.problems] == ["requests without a time that can be read"]


def test_a_log_without_a_whole_line_is_waited_for(ledger: _Ledger) -> None:
    ledger.write("a.jsonl", _line(1))
    for part in (b"", b"{", _line(2)[:30]):
        ledger.write("b.jsonl", part)
        rows, reading = ledger()
        assert (rows, reading.rows.bad, reading.skipped) == ([1], 0, ())
    ledger.write("b.jsonl", _line(2))
    assert ledger()[0] == [1, 2]


def test_a_format_that_is_told_otherwise_later_holds_for_all_of_the_log(ledger: _Ledger) -> None:
    made = asks(20, seed=5, providers=("openai",))
    lines = WRITERS["openai.jsonl"](made).splitlines(keepends=True)
    ledger.write("a.jsonl", b'{"event": "start"}\n{"model": "x"}\n' + lines[0])
    ledger()
    ledger.write("a.jsonl", b'{"event": "start"}\n{"model": "x"}\n' + b"".join(lines))
    rows, reading = ledger()
    assert len(rows) == 20
    assert [file.format for file in reading.files] == ["openai"]


def test_quoted_ends_of_lines_end_no_record(ledger: _Ledger) -> None:
    data = b"model,input_tokens,output_tokens,error\n" + b"".join(
        f'm,{n},1,"said ""no""\nand, {n}"\n'.encode() for n in range(8)
    )
    for end in range(40, len(data), 67):
        ledger.write("a.csv", data[:end])
        ledger()
    ledger.write("a.csv", data)
    rows, reading = ledger()
    assert rows == list(range(8))
    assert reading.rows.bad == 0


def test_the_future_is_decided_when_a_report_is_made(ledger: _Ledger) -> None:
    ledger.write("a.jsonl", _line(1, at="2026-07-01T00:00:00Z"))
    _, reading = ledger()
    assert [one.what for one in reading.problems] == [
        "requests dated in the future, whose time is taken as unknown"
    ]
    with open_ledger(ledger.path, [], now=datetime(2026, 8, 1)) as found:
        assert found.reading.problems == ()
        assert found.first == datetime(2026, 7, 1)


def test_one_unreadable_log_among_others_is_named_every_time(ledger: _Ledger) -> None:
    ledger.write("a.jsonl", _line(1))
    ledger.write("b.csv", b"x,y\n1,2\n")
    for _ in range(2):
        rows, reading = ledger()
        assert rows == [1]
        assert [Path(one.path).name for one in reading.skipped] == ["b.csv"]
    with pytest.raises(CostoptError, match="no column of requests"):
        ledger("b.csv")
    assert ledger()[0] == [1]


def test_a_hostile_name_is_data(ledger: _Ledger) -> None:
    ledger.path = ledger.path.with_name("it's'; DROP TABLE files; --.duckdb")
    ledger.write("it's'; DROP TABLE ledger.files; --.jsonl", _lines(1))
    assert ledger()[0] == [1]
    assert ledger()[0] == [1]
