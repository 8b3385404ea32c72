"""Promise 5: damage to the store is seen and never served, and what is whole is kept."""

import random
import re
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from costopt.core.errors import CostoptError
from costopt.core.types import Answer, Usage
from costopt.models.store import FILE_NAME, AnswerStore

ROWS = 200


def answer(number: int) -> Answer:
    return Answer(
        text=f"answer {number} " + "x" * (number % 300),
        usage=Usage(input=10, output=5),
        finish_reason="stop",
        latency_s=0.125,
        model="m",
        created="2026-01-01T00:00:00+00:00",
    )


def key(number: int) -> str:
    return f"{number:064x}"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a store with answers."""
    folder = tmp_path_factory.mktemp("good")
    store = AnswerStore(folder)
    for number in range(ROWS):
        store.put(key(number), {"n": number}, answer(number), target="t")
    store.close()
    return (folder / FILE_NAME).read_bytes()


def flip(folder: Path, good: bytes, seed: int) -> "tuple[int, int] | None":
    """Flip a bit somewhere: see `damage`."""
    chance = random.Random(seed)
    return damage(folder, good, chance.randrange(len(good)), 1 << chance.randrange(8))


def damage(folder: Path, good: bytes, place: int, bit: int) -> "tuple[int, int] | None":
    """Flip one bit, read everything; return how many rows are missing, and what was set aside."""
    folder.mkdir()
    path = folder / FILE_NAME
    damaged = good[:place] + bytes([good[place] ^ bit]) + good[place + 1 :]
    path.write_bytes(damaged)
    if _version(damaged) > _version(good):  # It now says that a newer costopt made the file.
        with pytest.raises(CostoptError, match="newer costopt"):
            AnswerStore(folder)
        assert path.read_bytes() == damaged
        return None
    store = AnswerStore(folder)
    found = [store.get(key(number)) for number in range(ROWS)]
    for number, one in enumerate(found):
        assert one in (None, replace(answer(number), cached=True)), place
    for number in (n for n, one in enumerate(found) if one is None):
        store.put(key(number), {"n": number}, answer(number), target="t")
        assert store.get(key(number)) == replace(answer(number), cached=True), place
    store.close()
    return found.count(None), _set_aside(folder)


def _version(data: bytes) -> int:
    return int.from_bytes(data[60:64], "big")


def _set_aside(folder: Path) -> int:
    """Return how many damaged files and rows are kept beside the good ones."""
    connection = sqlite3.connect(folder / FILE_NAME)
    rows = connection.execute("SELECT count(*) FROM quarantine").fetchone()[0]
    connection.close()
    return len(list(folder.glob("*.corrupt-*"))) + int(rows)


def flips(tmp_path: Path, good: bytes, seeds: range) -> None:
    whole = kept = 0
    for seed in seeds:
        found = flip(tmp_path / str(seed), good, seed)
        if found is None:
            continue
        missing, aside = found
        # One byte is one row at most; all others were whole.
        whole += ROWS - 1
        kept += min(ROWS - missing, ROWS - 1)
        # One row may be missed unseen: where the damage is in what finds it, not in the row.
        assert aside or missing <= 1, seed
    assert kept >= 0.95 * whole, f"{kept} of {whole} whole rows were kept"


def test_a_key_that_is_no_text_any_more(tmp_path: Path, good: bytes) -> None:
    # The same key stands in the row and in what finds it.
    places = [found.start() for found in re.finditer(key(ROWS // 2).encode(), good)]
    assert places
    for place in places:
        missing, _ = damage(tmp_path / str(place), good, place + 40, 0x80) or (ROWS, 0)
        assert missing <= 0.05 * ROWS, place


@pytest.mark.parametrize("name", [b"answers", b"checksum", b"runs", b"sent"])
def test_a_table_or_column_whose_name_is_no_text_any_more(
    tmp_path: Path, good: bytes, name: bytes
) -> None:
    places = [found.start() for found in re.finditer(name, good)]
    assert places
    for place in places:
        for at in (place, place + len(name) - 1):
            missing, _ = damage(tmp_path / str(at), good, at, 0x80) or (ROWS, 0)
            assert missing <= 0.05 * ROWS, at


def test_sixty_flips(tmp_path: Path, good: bytes) -> None:
    flips(tmp_path, good, range(60))


@pytest.mark.slow
def test_a_thousand_flips(tmp_path: Path, good: bytes) -> None:
    flips(tmp_path, good, range(1000, 2000))
