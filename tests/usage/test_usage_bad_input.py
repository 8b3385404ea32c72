"""Broken logs: named, counted, and nothing lost."""

import gzip
import json
import os
import random
import subprocess
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from costopt.core.errors import CostoptError
from costopt.usage.analysis import usage_report
from costopt.usage.documents import BrokenError, documents
from costopt.usage.facts import Reading
from costopt.usage.files import LogFile
from costopt.usage.opening import open_requests
from costopt.usage.survey import LONGEST, survey

from .usage_logs import WRITERS, asks

_NOW = datetime(2026, 6, 1)


def _line(number: int, **more: Any) -> bytes:
    record = {"at": "2026-01-01T00:00:00Z", "id": f"r{number}", "model": "gpt-4o-mini"}
    return json.dumps({**record, "input_tokens": 10, "output_tokens": 1, **more}).encode() + b"\n"


def _read(*paths: Path, **more: Any) -> tuple[Reading, list[tuple[Any, ...]]]:
    with open_requests([str(path) for path in paths], now=_NOW, **more) as found:
        sql = "SELECT request_id, line FROM requests ORDER BY source, line"
        return found.reading, found.connection.execute(sql).fetchall()


def _said(reading: Reading) -> dict[str, tuple[int, int | None]]:
    return {
        problem.what: (problem.rows, problem.first.line if problem.first else None)
        for problem in reading.problems
    }


def test_lines_that_are_no_json_are_counted_with_the_first(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(_line(1) + b"oops\n\n" + _line(2) + b'{"a": \n[1]\n' + _line(3))
    reading, rows = _read(path)
    assert rows == [("r1", 1), ("r2", 4), ("r3", 7)]
    assert _said(reading) == {"lines that are no JSON": (3, 2)}
    assert (reading.rows.read, reading.rows.bad, reading.rows.requests) == (6, 3, 3)


def test_lines_that_are_no_text_are_counted_and_others_keep_their_number(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    bad = b'{"a": "\xff\xfe"}\n'
    path.write_bytes(_line(1) + bad + _line(2) + bad + bad + _line(3) + b"nul \x00\n" + _line(4))
    reading, rows = _read(path)
    assert rows == [("r1", 1), ("r2", 3), ("r3", 6), ("r4", 8)]
    assert (reading.rows.read, reading.rows.bad, reading.rows.requests) == (8, 4, 4)
    assert _said(reading)["lines that cannot be read (invalid encoding)"] == (3, 2)


def test_a_line_too_long_for_any_request_is_left_out_and_named(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    long = b'{"a": "' + b"x" * (LONGEST + 1) + b'"}\n'
    path.write_bytes(_line(1) + long + _line(2) + _line(3, note="y" * (LONGEST - 500)))
    reading, rows = _read(path)
    assert rows == [("r1", 1), ("r2", 3), ("r3", 4)]
    assert _said(reading) == {"lines longer than 8 MB, which were left out": (1, 2)}
    assert (reading.rows.read, reading.rows.bad) == (4, 1)


@pytest.mark.slow
def test_a_line_of_a_gigabyte_takes_no_gigabyte_of_memory(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    with path.open("wb") as file:
        file.write(_line(1) + b'{"a": "')
        for _ in range(1000):
            file.write(b"x" * 1_000_000)
        file.write(b'"}\n' + _line(2))
    code = (
        "import resource, sys\n"
        "from costopt.usage.opening import open_requests\n"
        "with open_requests([sys.argv[1]]) as found:\n"
        "    print(found.reading.rows.requests, found.reading.rows.bad)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    requests, bad, peak = map(int, run.stdout.split())
    assert (requests, bad) == (2, 1)
    assert peak < 1000


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_a_bomb_is_unpacked_in_small_pieces(packing: str, tmp_path: Path) -> None:
    data = bytes(400_000_000)
    packed = gzip.compress(data, 1) if packing == "gzip" else zstandard.compress(data)
    path = tmp_path / "bomb.jsonl"
    path.write_bytes(packed)
    del data, packed
    tracemalloc.start()
    found = survey(LogFile(path, "bomb.jsonl", packing))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (found.lines, found.too_long) == (1, (1,))
    assert peak < 100_000_000


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_what_can_be_read_of_a_packed_file_that_is_cut_off_is_kept(
    packing: str, tmp_path: Path
) -> None:
    rng = random.Random(0)
    data = b"".join(_line(n, note=rng.randbytes(20).hex()) for n in range(20_000))
    packed = gzip.compress(data) if packing == "gzip" else zstandard.compress(data)
    path = tmp_path / "log.jsonl"
    path.write_bytes(packed[: len(packed) // 2])
    reading, rows = _read(path)
    assert 8_000 < len(rows) < 12_000
    assert rows == [(f"r{n}", n + 1) for n in range(len(rows))]
    said = _said(reading)
    assert said["packed file that is cut off or damaged; what comes before that was read"][0] == 1
    # The last line is half there.
    assert reading.rows.read - len(rows) == reading.rows.bad <= 1


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_that_breaks_off_is_read_up_to_there(
    indent: int | None, packed: bool, tmp_path: Path
) -> None:
    records = [json.loads(_line(n, note="x" * 3000)) for n in range(1000)]
    text = json.dumps(records, indent=indent).encode()
    path = tmp_path / "export.json"
    cut = text[: len(text) // 2]
    path.write_bytes(gzip.compress(cut) if packed else cut)
    reading, rows = _read(path)
    assert rows == [(f"r{n}", n + 1) for n in range(len(rows))]
    assert 480 < len(rows) <= 500
    what = "record at which the JSON breaks off or is damaged; what comes before that was read"
    assert _said(reading) == {what: (1, len(rows) + 1)}
    assert (reading.rows.read, reading.rows.bad) == (len(rows) + 1, 1)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@given(st.lists(st.dictionaries(st.text(max_size=4), _VALUES, max_size=4), max_size=5), st.data())
def test_documents_are_those_that_were_written_up_to_any_cut(
    values: list[Any], data: st.DataObject
) -> None:
    listed = data.draw(st.booleans())
    text = json.dumps(values) if listed else "\n".join(json.dumps(one, indent=1) for one in values)
    size = data.draw(st.integers(1, 20))
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    assert list(documents(iter(pieces))) == values
    cut = data.draw(st.integers(0, len(text)))
    found: list[Any] = []
    try:
        found.extend(documents(iter([text[:cut]])))
    except BrokenError:
        assert cut < len(text)
    else:
        assert cut == len(text) or not listed or not text[:cut].strip()
    assert found == values[: len(found)]
    assert len(found) == len(values) or cut < len(text)


def test_impossible_counts_are_unknown_and_the_requests_stay(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(
        _line(1)
        + _line(2, input_tokens=-5)
        + _line(3, output_tokens=10**9)
        + _line(4, cached_tokens=11)
        + _line(5, input_tokens="many")
    )
    with open_requests([str(path)], now=_NOW) as found:
        sql = "SELECT input_tokens, output_tokens, usd IS NULL FROM requests ORDER BY line"
        rows = found.connection.execute(sql).fetchall()
    assert rows == [
        (10, 1, False),
        (None, 1, True),
        (10, None, True),
        (10, 1, True),
        (None, 1, True),
    ]
    assert list(_said(found.reading).values()) == [(1, 2), (1, 3), (1, 4), (1, 5)]


def test_a_table_keeps_its_lines_behind_one_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    head = "at,id,model,input_tokens,output_tokens\n"
    good, short = "2026-01-01T00:00:00Z,r{},gpt-4o-mini,{},1\n", "2026-01-01T00:00:00Z,r0\n"
    lines = [good.format(1, 10), short, good.format(2, '"1,000"'), short, short]
    lines += [good.format(3, -7), good.format(4, "")]
    path.write_text(head + "".join(lines), encoding="utf-8")
    reading, rows = _read(path)
    assert rows == [("r1", 2), ("r2", 4), ("r3", 7), ("r4", 8)]
    assert sorted(_said(reading).values()) == [(1, 4), (1, 7), (3, 3)]


def test_a_time_after_the_log_is_not_turned_round(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(_line(1))
    with open_requests([str(path)], now=_NOW) as found:
        report = usage_report(found, ["model"], since=datetime(2026, 5, 1))
    assert report.first == report.last == datetime(2026, 5, 1)
    assert report.attribution.total.requests == 0


def test_times_are_utc_and_impossible_ones_unknown(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    times = (
        "2026-01-01T02:00:00+02:00",
        "2026-01-01 00:00:00",
        1767225600,
        1767225600000,
        "1767225600.0",
        "2099-01-01T00:00:00Z",
        "yesterday",
        None,
    )
    path.write_bytes(b"".join(_line(n, at=at) for n, at in enumerate(times)))
    with open_requests([str(path)], now=_NOW) as found:
        rows = found.connection.execute('SELECT "at", usd FROM requests ORDER BY line').fetchall()
    assert [row[0] for row in rows] == [datetime(2026, 1, 1)] * 5 + [None] * 3
    assert all(row[1] is not None for row in rows)
    assert _said(found.reading) == {
        "requests dated in the future, whose time is taken as unknown": (1, 6),
        "requests without a time that can be read": (2, 7),
        "times that name no zone, taken as UTC": (1, 2),
    }
    assert found.reading.notes == ("requests without a time are priced as of 2026-06-01",)


def test_a_time_before_there_were_any_is_unknown_and_the_request_stays(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    early = ("0001-01-01T00:00:00Z", -99_999_999_999, "0044-03-15 (BC) 00:00:00Z")
    path.write_bytes(b"".join(_line(number, at=at) for number, at in enumerate(early)) + _line(9))
    with open_requests([str(path)], now=_NOW) as found:
        assert found.first == found.last == datetime(2026, 1, 1)
        assert _said(found.reading) == {
            "requests dated before 1970, whose time is taken as unknown": (3, 1)
        }
        report = usage_report(found, ["feature"])
    assert report.attribution.total.requests == 4


def test_a_latency_that_no_request_has_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    impossible = ("inf", "nan", -1, 1e300)
    path.write_bytes(
        b"".join(_line(number, latency_s=it) for number, it in enumerate((*impossible, 2.5)))
    )
    with open_requests([str(path)], now=_NOW) as found:
        (group,) = usage_report(found, ["feature"]).attribution.groups
    assert (group.latency.p50, group.latency.p95) == (2.5, 2.5)


def test_a_table_may_have_columns_called_as_ours_are(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(
        "at,id,model,input_tokens,output_tokens,valid,Line,j,is_request,words\n"
        "2026-01-01T00:00:00Z,r1,gpt-4o-mini,10,1,no,x,{},no,7\n"
    )
    reading, rows = _read(path)
    assert (rows, reading.problems) == ([("r1", 2)], ())


def test_a_request_that_is_there_twice_counts_once(tmp_path: Path) -> None:
    made = asks(30, seed=4)
    (tmp_path / "a.jsonl").write_bytes(WRITERS["plain.jsonl"](made[:20]))
    (tmp_path / "b.parquet").write_bytes(WRITERS["plain.parquet"](made[10:]))
    with open_requests([str(tmp_path)]) as found:
        sql = "SELECT count(*), sum(input_tokens) FROM requests"
        row = found.connection.execute(sql).fetchone()
    assert row == (30, sum(ask.input for ask in made))
    assert (found.reading.rows.read, found.reading.rows.duplicate) == (40, 10)
    (problem,) = [one for one in found.reading.problems if "identifier" in one.what]
    assert (problem.rows, str(problem.first)) == (10, f"{tmp_path}/b.parquet:1")


def test_formats_may_be_mixed_in_one_file(tmp_path: Path) -> None:
    openai = asks(20, seed=5, providers=("openai",))
    others = asks(6, seed=6)
    path = tmp_path / "log.jsonl"
    rest = [
        WRITERS[name](others[i : i + 2])
        for i, name in enumerate(("anthropic.jsonl", "litellm.jsonl", "otel.jsonl"))
    ]
    path.write_bytes(WRITERS["openai.jsonl"](openai) + b'{"event": "start"}\n' + b"".join(rest))
    with open_requests([str(path)]) as found:
        sql = "SELECT count(*), sum(input_tokens), sum(cache_write_tokens) FROM requests"
        row = found.connection.execute(sql).fetchone()
    counted = {ask.id: ask for ask in [*openai, *others[:4]]}
    assert row == (
        len(counted),
        sum(ask.input for ask in counted.values()),
        sum(ask.cache_write for ask in others[:3]),
    )
    assert _said(found.reading)["records that are no requests"][0] >= 1


def test_an_unreadable_file_among_others_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(_line(1))
    (tmp_path / "b.parquet").write_bytes(b"PAR1 and nothing else")
    (tmp_path / "c.csv").write_text("x,y\n1,2\n")
    (tmp_path / "d.jsonl").write_bytes(b"")
    reading, rows = _read(tmp_path)
    assert rows == [("r1", 1)]
    assert [Path(one.path).name for one in reading.skipped] == ["b.parquet", "c.csv", "d.jsonl"]


def test_no_readable_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x,y\n1,2\n")
    with pytest.raises(CostoptError) as caught:
        _read(path)
    assert caught.value.what == "no column of requests: neither tokens nor a model"
    assert "[usage.columns]" in str(caught.value.hint)


def test_a_file_that_grows_while_it_is_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from costopt.usage import load

    path = tmp_path / "log.jsonl"
    path.write_bytes(_line(1) + _line(2))
    real = load.survey

    def growing(log: Any) -> Any:
        found = real(log)
        with path.open("ab") as file:
            file.write(_line(3) + _line(4)[:20])
        return found

    monkeypatch.setattr(load, "survey", growing)
    reading, rows = _read(path)
    assert rows == [("r1", 1), ("r2", 2), ("r3", 3)]
    what = "lines added to the file while it was read, which are counted too"
    assert _said(reading)[what] == (2, 3)
    assert reading.rows.bad == 1


def test_a_name_is_no_pattern(tmp_path: Path) -> None:
    (tmp_path / "a[1].jsonl").write_bytes(_line(1))
    (tmp_path / "a1.jsonl").write_bytes(_line(2) + _line(3))
    assert _read(tmp_path / "a[1].jsonl")[1] == [("r1", 1)]


def test_a_name_of_a_folder_says_nothing_of_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "model=other" / "feature=x"
    folder.mkdir(parents=True)
    head, row = "at,id,model,input_tokens,output_tokens\n", "2026-01-01,r1,gpt-4o-mini,10,1\n"
    (folder / "a.csv").write_text(head + row)
    rows = "SELECT TIMESTAMP '2026-01-01' AS at, 'gpt-4o-mini' AS model, 10 AS input_tokens"
    duckdb.sql(rows).write_parquet(str(folder / "b.parquet"))
    with open_requests([str(tmp_path)], now=_NOW) as found:
        sql = "SELECT DISTINCT model, feature FROM requests"
        assert found.connection.execute(sql).fetchall() == [("gpt-4o-mini", None)]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_a_pipe_is_read_once_and_in_full(tmp_path: Path) -> None:
    pipes = [tmp_path / name for name in ("one", "two")]
    for pipe in pipes:
        os.mkfifo(pipe)
    lines = [_line(number) for number in range(2)]
    with ThreadPoolExecutor() as writing:
        done = [*map(partial(writing.submit, Path.write_bytes), pipes, lines)]
        reading, rows = _read(*pipes)
        assert [one.result() for one in done] == [len(line) for line in lines]
    assert (rows, reading.problems) == ([("r0", 1), ("r1", 1)], ())


def test_a_hostile_name_of_a_file_is_data(tmp_path: Path) -> None:
    path = tmp_path / "it's'; DROP TABLE logged; --.jsonl"
    path.write_bytes(_line(1))
    assert _read(path)[1] == [("r1", 1)]


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    path = tmp_path / "log.jsonl"
    path.write_bytes(_line(1))
    _read(path)
    assert list(scratch.iterdir()) == []
