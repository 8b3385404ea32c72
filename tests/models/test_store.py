"""The store: what was put is there after any crash; what is damaged is never given out."""

import json
import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.core.errors import CostoptError
from costopt.core.types import Answer, Usage
from costopt.models.records import Seal, from_json, to_json
from costopt.models.store import FILE_NAME, AnswerStore

ANSWER = Answer(
    text="Grüß Gott \ud800 \x00 'quoted' \U0001f600",
    usage=Usage(input=10, output=5, cache_read=3, cache_write=1, reasoning=2),
    finish_reason="stop",
    latency_s=0.1234567891234,
    model="m",
    created="2026-01-01T00:00:00+00:00",
    logprobs=(-0.1, -1e-300, 0.0, -12.345678901234567),
    logprob_segments=("a", "\ufffd", " c", ""),
)


def answer(number: int) -> Answer:
    return replace(ANSWER, text=f"answer {number} " + "x" * (number % 300))


def fill(folder: Path, count: int) -> None:
    store = AnswerStore(folder)
    for number in range(count):
        store.put(f"key{number}", {"n": number}, answer(number), target="t")
    store.close()


def test_what_is_put_is_got_and_marked_cached(tmp_path: Path) -> None:
    store = AnswerStore(tmp_path)
    assert store.get("k") is None
    store.put("k", {}, ANSWER)
    assert store.get("k") == replace(ANSWER, cached=True)
    store.put("k", {}, answer(1))
    assert store.get("k") == replace(answer(1), cached=True)
    assert len(store) == 1
    store.close()


def test_it_is_there_for_the_next_one(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    store = AnswerStore(tmp_path)
    assert [store.get(f"key{n}") for n in range(3)] == [
        replace(answer(n), cached=True) for n in range(3)
    ]
    store.close()


@given(st.text(alphabet=st.characters()), st.lists(st.floats(allow_nan=False), max_size=5))
def test_answers_survive_json(text: str, logprobs: list[float]) -> None:
    given_ = replace(ANSWER, text=text, logprobs=tuple(logprobs))
    assert from_json(to_json(given_)) == given_


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"usage": 3}', "nonsense"])
def test_no_answer_is_an_error(text: str) -> None:
    with pytest.raises(ValueError):
        from_json(text)


def test_the_checksum_knows_borders() -> None:
    assert Seal().checksum("ab", "c") != Seal().checksum("a", "bc")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes")
def test_only_the_user_may_read(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "answers"
    old = os.umask(0)
    try:
        fill(folder, 1)
    finally:
        os.umask(old)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / FILE_NAME).stat().st_mode) == 0o600


def test_a_changed_row_is_set_aside(tmp_path: Path) -> None:
    fill(tmp_path, 2)
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute("UPDATE answers SET answer = replace(answer, 'answer 0', 'answer 9')")
    connection.close()
    notes: list[str] = []
    store = AnswerStore(tmp_path, notes.append)
    assert store.get("key0") is None
    assert "damaged" in notes[0]
    assert store.get("key1") is not None
    store.put("key0", {}, answer(0))
    assert store.get("key0") == replace(answer(0), cached=True)
    store.close()
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        kept = connection.execute("SELECT key, row FROM quarantine").fetchall()
    connection.close()
    assert [row[0] for row in kept] == ["key0"]
    assert "answer 9" in kept[0][1]


def test_a_row_under_another_key_is_not_given_out(tmp_path: Path) -> None:
    fill(tmp_path, 1)
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute("UPDATE answers SET key = 'other'")
    connection.close()
    store = AnswerStore(tmp_path)
    assert store.get("other") is None
    store.close()


@pytest.mark.parametrize(
    "content", [b"no database at all" * 100, b"SQLite format 3\0" + b"x" * 999]
)
def test_an_unreadable_file_is_moved_aside(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    notes: list[str] = []
    store = AnswerStore(tmp_path, notes.append)
    store.put("k", {}, ANSWER)
    assert store.get("k") is not None
    store.close()
    aside = list(tmp_path.glob("*.corrupt-*"))
    assert [path.read_bytes() for path in aside] == [content]
    assert aside[0].name in notes[0]


def test_a_newer_store_is_left_alone(tmp_path: Path) -> None:
    fill(tmp_path, 1)
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute("PRAGMA user_version = 3")
    connection.close()
    before = (tmp_path / FILE_NAME).read_bytes()
    with pytest.raises(CostoptError, match="newer costopt"):
        AnswerStore(tmp_path)
    assert (tmp_path / FILE_NAME).read_bytes() == before


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    with pytest.raises(CostoptError, match="cannot be stored"):
        AnswerStore(tmp_path / "a")


def test_good_rows_are_carried_over(tmp_path: Path) -> None:
    fill(tmp_path, 200)
    path = tmp_path / FILE_NAME
    data = bytearray(path.read_bytes())
    size = int.from_bytes(data[16:18], "big")
    middle = len(data) // size // 2 * size
    data[middle : middle + size] = b"\xff" * size
    path.write_bytes(data)
    store = AnswerStore(tmp_path)
    found = [store.get(f"key{number}") for number in range(200)]
    store.close()
    kept = [number for number, one in enumerate(found) if one is not None]
    assert len(kept) > 100
    assert all(found[number] == replace(answer(number), cached=True) for number in kept)


_WRITER = """
import sys
from dataclasses import replace
from pathlib import Path
from costopt.core.types import Answer, Usage
from costopt.models.store import AnswerStore
store = AnswerStore(Path(sys.argv[1]))
plain = Answer(text="", usage=Usage(1, 1), finish_reason="stop", latency_s=0.0, model="m",
               created="now")
for number in range(int(sys.argv[3])):
    store.put(f"{sys.argv[2]}-{number}", {}, replace(plain, text=f"text {number}"))
    print(number, flush=True)
store.close()
"""


def _writer(folder: Path, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _WRITER, str(folder), name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _kill_writers(folder: Path, rounds: int) -> None:
    """Kill a writer once it has said that some answers are stored: these must be there."""
    promised: dict[str, str] = {}
    chance = random.Random(rounds)
    for round_ in range(rounds):
        writer = _writer(folder, str(round_), 10_000)
        assert writer.stdout is not None
        for _ in range(chance.randrange(1, 30)):
            number = writer.stdout.readline().strip()
            promised[f"{round_}-{number}"] = f"text {number}"
        writer.send_signal(signal.SIGKILL)
        for number in writer.stdout.read().split():
            promised[f"{round_}-{number}"] = f"text {number}"
        writer.stdout.close()
        writer.wait()
    store = AnswerStore(folder)
    found = {key: store.get(key) for key in promised}
    store.close()
    assert {key: one and one.text for key, one in found.items()} == promised
    assert not list(folder.glob("*.corrupt-*"))


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_killed_writer_loses_nothing(tmp_path: Path) -> None:
    _kill_writers(tmp_path, 5)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_many_killed_writers_lose_nothing(tmp_path: Path) -> None:
    _kill_writers(tmp_path, 50)


def test_eight_processes_at_once(tmp_path: Path) -> None:
    writers = [_writer(tmp_path, str(number), 10) for number in range(8)]
    for writer in writers:
        writer.communicate(timeout=120)
        assert writer.returncode == 0
    store = AnswerStore(tmp_path)
    assert len(store) == 80
    assert all(store.get(f"{name}-{number}") for name in range(8) for number in range(10))
    store.close()


def test_no_content_of_the_request_is_stored(tmp_path: Path) -> None:
    from costopt.core.types import GenerationSettings, Message, Request
    from costopt.models.records import summarise

    request = Request(messages=(Message("user", "my secret"),), settings=GenerationSettings())
    assert "secret" not in json.dumps(summarise(request))
