"""The file of a ledger: killed, shared, foreign, old and private."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from costopt.core.configured import TargetConfig
from costopt.core.discovery import load_prompts
from costopt.core.errors import CostoptError
from costopt.usage.follow.opening import open_ledger
from costopt.usage.opening import open_requests

_NOW = datetime(2026, 6, 1)
_SECRET = "my secret is a purple elephant"


def _lines(*numbers: int) -> bytes:
    return b"".join(
        json.dumps(
            {
                "timestamp": "2026-01-01T00:00:00Z",
                "id": f"r{number % 60}",
                "model": "gpt-4o-mini",
                "input_tokens": number % 60,
                "output_tokens": 1,
                "text": f"Summarise the following in one line: {_SECRET}",
            }
        ).encode()
        + b"\n"
        for number in numbers
    )


def _rows(ledger: Path, *logs: Path) -> tuple[int, int, int]:
    with open_ledger(ledger, [str(log) for log in logs], now=_NOW) as found:
        sql = "SELECT count(*), sum(input_tokens) FROM requests"
        many, tokens = found.connection.execute(sql).fetchone() or (0, 0)
        return many, tokens, found.reading.rows.duplicate


# Kills itself inside of the k-th statement that writes, counted from 1.
_KILLED = """
import os, signal, sys
from functools import partial
from pathlib import Path
from costopt.usage.follow import append, commit
from costopt.usage.follow.opening import open_ledger
from costopt.usage.follow.slices import slices

append.slices = partial(slices, most=2000)
left = int(sys.argv[3])

def counted(real):
    def wrapped(*args, **more):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        found = real(*args, **more)
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return found
    return wrapped

for name in ("_insert", "_moved", "save_states"):
    setattr(commit, name, counted(getattr(commit, name)))
append.forget = counted(append.forget)
append.write = counted(append.write)
with open_ledger(Path(sys.argv[1]), sys.argv[2:3]) as found:
    pass
"""


def _killed(ledger: Path, logs: Path, at: int) -> int:
    command = [sys.executable, "-c", _KILLED, str(ledger), str(logs), str(at)]
    return subprocess.run(command, capture_output=True, check=False).returncode


def _kills(tmp_path: Path, points: Iterator[int]) -> int:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "a.jsonl").write_bytes(_lines(*range(40)))
    (logs / "b.jsonl").write_bytes(_lines(*range(20, 80)) + _lines(3).rstrip())
    with open_requests([str(logs)], now=_NOW) as found:
        sql = "SELECT count(*), sum(input_tokens) FROM requests"
        expected = (*found.connection.execute(sql).fetchone(), found.reading.rows.duplicate)
    for at in points:
        ledger = tmp_path / f"{at}.duckdb"
        code = _killed(ledger, logs, at)
        assert code in (0, -9)
        assert _rows(ledger, logs) == expected
        assert _rows(ledger) == expected
        if code == 0:
            return at
    return -1


def test_a_run_that_was_killed_loses_and_doubles_nothing(tmp_path: Path) -> None:
    assert _kills(tmp_path, iter((23,))) == -1


@pytest.mark.slow
def test_a_run_that_was_killed_anywhere_loses_and_doubles_nothing(tmp_path: Path) -> None:
    assert _kills(tmp_path, iter(range(1, 1000))) > 30


def test_one_process_at_a_time_adds_to_a_ledger(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(_lines(1))
    ledger = tmp_path / "l.duckdb"
    code = "from pathlib import Path; from costopt.usage.follow.opening import open_ledger\n"
    code += f"with open_ledger(Path({str(ledger)!r}), {[str(tmp_path / 'a.jsonl')]!r}):\n"
    code += "    print('open', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        for logs in ([tmp_path / "a.jsonl"], []):
            with pytest.raises(CostoptError) as caught:
                _rows(ledger, *logs)
            assert caught.value.what == f"the ledger is in use by process {other.pid}"
            assert str(caught.value.where) == str(ledger)
            assert "wait" in str(caught.value.hint)
        other.communicate(b"\n")
    assert _rows(ledger, tmp_path / "a.jsonl")[0] == 1


@pytest.mark.slow
def test_several_may_look_at_a_ledger_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(_lines(1))
    ledger = tmp_path / "l.duckdb"
    _rows(ledger, tmp_path / "a.jsonl")
    code = "import sys; from pathlib import Path\n"
    code += "from costopt.usage.follow.opening import open_ledger\n"
    code += f"with open_ledger(Path({str(ledger)!r}), []) as found:\n"
    code += "    print(found.reading.rows.requests, flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as one,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as two,
    ):
        assert one.stdout is not None
        assert two.stdout is not None
        assert [one.stdout.readline(), two.stdout.readline()] == [b"1\n", b"1\n"]
        one.communicate()
        two.communicate()


def _database(path: Path, *statements: str) -> None:
    connection = duckdb.connect(str(path))
    for statement in statements:
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize("what", ["text", "empty", "sqlite", "duckdb", "alike", "newer"])
def test_what_is_no_ledger_is_left_as_it_is(what: str, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(_lines(1))
    path = tmp_path / "l.duckdb"
    about = "CREATE TABLE about (schema VARCHAR, version INTEGER)"
    if what == "duckdb":
        _database(path, "CREATE TABLE mine AS SELECT 1 AS a")
    elif what == "alike":
        _database(path, about, "INSERT INTO about VALUES ('other', 1)")
    elif what == "newer":
        _database(path, about, "INSERT INTO about VALUES ('costopt.ledger', 2)")
    else:
        texts = {"text": _lines(1), "empty": b"", "sqlite": b"SQLite format 3\x00" + bytes(4000)}
        path.write_bytes(texts[what])
    before = path.read_bytes()
    for logs in ([tmp_path / "a.jsonl"], []):
        with pytest.raises(CostoptError) as caught:
            _rows(path, *logs)
        said = "the ledger is of version 2" if what == "newer" else "this file is no ledger"
        assert said in caught.value.what
        assert path.read_bytes() == before


@pytest.mark.parametrize("table", ["logged", "repeated", "files", "parts", "found"])
def test_a_ledger_with_a_view_in_a_tables_place_is_none(table: str, tmp_path: Path) -> None:
    # What a view says is run: it could bring other files of the user's into the report.
    log, path = tmp_path / "a.jsonl", tmp_path / "l.duckdb"
    log.write_bytes(_lines(1))
    _rows(path, log)
    _database(path, f"ALTER TABLE {table} RENAME TO t", f"CREATE VIEW {table} AS SELECT * FROM t")
    for logs in ([log], []):
        with pytest.raises(CostoptError, match="this file is no ledger"):
            _rows(path, *logs)


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_nothing_is_added_to_a_ledger_that_everybody_may_write_to(tmp_path: Path) -> None:
    log, path = tmp_path / "a.jsonl", tmp_path / "l.duckdb"
    log.write_bytes(_lines(1))
    _rows(path, log)
    path.chmod(0o666)
    log.write_bytes(_lines(1, 2))
    with pytest.raises(CostoptError, match="everybody may write"):
        _rows(path, log)
    path.chmod(0o600)
    assert _rows(path, log) == (2, 3, 0)


def test_a_ledger_that_is_not_there_is_not_reported(tmp_path: Path) -> None:
    with pytest.raises(CostoptError, match="no such ledger"):
        _rows(tmp_path / "l.duckdb")
    with pytest.raises(CostoptError, match="folder that is there"):
        _rows(tmp_path / "none" / "l.duckdb", tmp_path / "a.jsonl")
    with pytest.raises(CostoptError, match="folder that is there"):
        _rows(tmp_path, tmp_path / "a.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_standard_input_is_not_followed(tmp_path: Path) -> None:
    with pytest.raises(CostoptError, match="not standard input"):
        _rows(tmp_path / "l.duckdb", Path("-"))
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(CostoptError, match="not standard input or pipes"):
            _rows(tmp_path / "l.duckdb", tmp_path / "pipe")


def test_a_ledger_is_its_owners_alone_and_holds_no_texts(tmp_path: Path) -> None:
    log = tmp_path / "a.jsonl"
    log.write_bytes(_lines(*range(50)))
    prompt = tmp_path / "short.md"
    prompt.write_text("Summarise the following in one line: {{ text }}")
    templates = [found.template for found in load_prompts([prompt]).prompts]
    ledger = tmp_path / "l.duckdb"
    with open_ledger(ledger, [str(log)], templates=templates) as found:
        sql = "SELECT DISTINCT prompt, text FROM requests"
        assert found.connection.execute(sql).fetchall() == [("short", None)]
        for path in tmp_path.glob("l.duckdb*"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for path in tmp_path.glob("l.duckdb*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert b"purple" not in path.read_bytes()
    # What was linked when it was read stays linked.
    log.write_bytes(_lines(*range(60)))
    with open_ledger(ledger, [str(log)]) as found:
        sql = "SELECT prompt, count(*) FROM requests GROUP BY prompt ORDER BY ALL"
        assert found.connection.execute(sql).fetchall() == [("short", 50), (None, 10)]


def test_prices_are_those_of_the_report(tmp_path: Path) -> None:
    log = tmp_path / "a.jsonl"
    log.write_bytes(_lines(10))
    ledger = tmp_path / "l.duckdb"
    _rows(ledger, log)
    own = {"a": TargetConfig(name="a", model="gpt-4o-mini", price={"input": Decimal(10**6)})}
    with open_ledger(ledger, [], targets=own) as found:
        row = found.connection.execute("SELECT usd FROM requests").fetchone()
    assert row is not None
    assert row[0] > 10


def test_a_column_that_an_older_costopt_did_not_keep_is_unknown(tmp_path: Path) -> None:
    log = tmp_path / "a.jsonl"
    log.write_bytes(_lines(1))
    ledger = tmp_path / "l.duckdb"
    _rows(ledger, log)
    drop = [f"ALTER TABLE {name} DROP COLUMN latency_s" for name in ("logged", "repeated")]
    _database(ledger, *drop, *(f"ALTER TABLE {n} ADD COLUMN later INT" for n in ("logged",)))
    assert _rows(ledger)[0] == 1
    log.write_bytes(_lines(1, 2))
    assert _rows(ledger, log)[0] == 2
    assert _rows(ledger)[0] == 2
