import os
import subprocess
import sys
from pathlib import Path

import pytest

from costopt.core.errors import CostoptError
from costopt.costs import vocabulary
from costopt.costs.vocabulary import RANK_FILES, RankFile, ensure_tiktoken

O200K = RANK_FILES["o200k_base"]

_COUNT_OFFLINE = """
import socket, sys

def refuse(*args, **kwargs):
    raise AssertionError("a connection was tried")

socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse
from costopt.costs.tokens import counter_for
print(*(counter_for(name)(sys.argv[1]) for name in sys.argv[2:]))
"""


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A cache folder that was filled from nothing."""
    home = tmp_path_factory.mktemp("filled")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(home))
        patch.setenv("TIKTOKEN_CACHE_DIR", "")
        return ensure_tiktoken()


@pytest.fixture
def empty(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "")
    return tmp_path


def _offline(home: Path, *encodings: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "XDG_CACHE_HOME": str(home)}
    environment.pop("TIKTOKEN_CACHE_DIR", None)
    return subprocess.Popen(
        [sys.executable, "-c", _COUNT_OFFLINE, "Grüß Gott, 世界! <|endoftext|>", *encodings],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_names_and_hashes_are_those_that_tiktoken_asks_for(monkeypatch):
    from tiktoken_ext import openai_public

    asked = {}
    monkeypatch.setattr(
        openai_public,
        "load_tiktoken_bpe",
        lambda url, expected_hash: asked.update({url: expected_hash}) or {},
    )
    openai_public.cl100k_base()
    openai_public.o200k_base()
    assert asked == {
        vocabulary._URL.format(file.encoding): file.sha256 for file in RANK_FILES.values()
    }


def test_from_an_empty_cache_without_a_network(tmp_path):
    process = _offline(tmp_path, "o200k_base", "cl100k_base")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert out.split() == ["14", "16"]


def test_eight_processes_that_start_cold_together(tmp_path):
    processes = [_offline(tmp_path, "cl100k_base") for _ in range(8)]
    results = [process.communicate(timeout=300) for process in processes]
    assert [process.returncode for process in processes] == [0] * 8, results
    assert {out for out, _ in results} == {"16\n"}
    left = sorted(path.name for path in (tmp_path / "costopt" / "tiktoken").iterdir())
    assert left == [RANK_FILES["cl100k_base"].key]


def test_fills_its_own_folder_and_tells_tiktoken(filled):
    assert sorted(path.name for path in filled.iterdir()) == sorted(
        file.key for file in RANK_FILES.values()
    )


def test_a_second_call_rebuilds_nothing(filled, monkeypatch):
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(filled))
    monkeypatch.setattr(vocabulary, "_rebuild", lambda file: pytest.fail("rebuilt"))
    assert ensure_tiktoken() == filled
    assert os.environ["TIKTOKEN_CACHE_DIR"] == str(filled)


@pytest.mark.parametrize("damage", [b"", b"nonsense"])
def test_a_damaged_file_is_replaced(filled, empty, monkeypatch, damage):
    good = (filled / O200K.key).read_bytes()
    monkeypatch.setattr(vocabulary, "_rebuild", lambda file: good)
    folder = empty / "costopt" / "tiktoken"
    folder.mkdir(parents=True)
    (folder / O200K.key).write_bytes(damage)
    assert ensure_tiktoken(["o200k_base"]) == folder
    assert (folder / O200K.key).read_bytes() == good


def test_the_users_own_tiktoken_cache_is_kept(filled, empty, monkeypatch):
    own = empty / "mine"
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(own))
    monkeypatch.setattr(vocabulary, "_rebuild", lambda file: (filled / file.key).read_bytes())
    assert ensure_tiktoken(["o200k_base"]) == own
    assert os.environ["TIKTOKEN_CACHE_DIR"] == str(own)
    assert (own / O200K.key).exists()
    assert not (empty / "costopt").exists()


def test_a_users_cache_that_cannot_be_written_is_replaced_by_our_own(filled, empty, monkeypatch):
    (empty / "file").write_text("in the way")
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(empty / "file"))
    monkeypatch.setattr(vocabulary, "_rebuild", lambda file: (filled / file.key).read_bytes())
    assert ensure_tiktoken(["o200k_base"]) == empty / "costopt" / "tiktoken"


def test_our_own_folder_that_cannot_be_written_is_named(empty):
    (empty / "costopt").mkdir()
    (empty / "costopt" / "tiktoken").write_text("in the way")
    with pytest.raises(CostoptError) as caught:
        ensure_tiktoken(["o200k_base"])
    assert caught.value.where.path.endswith("tiktoken")
    assert "XDG_CACHE_HOME" in caught.value.hint


def test_a_write_that_fails_leaves_nothing_behind(empty, monkeypatch):
    def refuse(self, target):
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="disk full"):
        vocabulary._write(empty / "x", b"data", RankFile("x", "0" * 64, 1))
    assert list(empty.iterdir()) == []


def test_another_vocabulary_is_refused(empty, monkeypatch):
    import splintr

    class Other:
        @classmethod
        def from_pretrained(cls, name):
            return cls()

        def decode_token_bytes(self, rank):
            return b"x"

    monkeypatch.setattr(splintr, "Tokenizer", Other)
    with pytest.raises(CostoptError, match="another o200k_base vocabulary"):
        ensure_tiktoken(["o200k_base"])
    assert not list((empty / "costopt" / "tiktoken").iterdir())
