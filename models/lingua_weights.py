"""Models for LLMLingua: the embedded one, converted once, or one that the user names."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..core.errors import CostoptError, Where
from ..core.paths import cache_dir
from ..core.progress import Progress
from .locks import file_lock
from .weights import MODEL, SOURCE_SHA256, pull, source_path

_CONVERTED = f"{SOURCE_SHA256[:16]}-bf16-1"
CLASSIFIER = "microsoft/llmlingua-2-xlm-roberta-large-meetingbank"
Kind = Literal["causal", "classifier"]
_PATTERNS = ["*.safetensors", "*.safetensors.index.json", "*.json", "*.model", "*.txt"]


@dataclass(frozen=True)
class LinguaModel:
    """A model that LLMLingua can be run on.

    ``identity`` tells it from others: it is part of what stored results are found by.
    """

    name: str
    identity: str
    kind: Kind = "causal"
    named: Path | None = None
    """The user's own folder; ``None`` for the embedded model."""


def lingua_folder() -> Path:
    """Return costopt's folder for LLMLingua in the user's cache; it exists."""
    folder = cache_dir() / "llmlingua"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def find_model(name: str | None, *, offline: bool, kind: Kind = "causal") -> LinguaModel:
    """Return the model called ``name``; the embedded one for ``None``.

    Nothing is loaded, and no torch imported. A folder is identified by its files' contents.

    Args:
        name: A folder in the format of transformers, or the id of a repository of a model hub;
            the latter is downloaded unless it is in the hub's cache already.
        offline: Use no network.
        kind: What it must be.

    Raises:
        CostoptError: there is no such model, it has no safetensors, or is of another kind.
    """
    if name is None:
        return LinguaModel(MODEL, _CONVERTED)
    folder = Path(name).expanduser()
    if not folder.is_dir():
        folder = _from_hub(name, offline=offline)
    _check(folder, name, kind)
    return LinguaModel(name, _hash(folder), kind, folder)


def model_folder(model: LinguaModel, progress: Progress, *, offline: bool) -> Path:
    """Return the folder that transformers loads ``model`` from; converts the embedded one once.

    The conversion takes some 10 to 40 s and 270 MB, under a lock; the folder appears whole or
    not at all.

    Raises:
        CostoptError: the weights cannot be fetched or written.
    """
    if model.named is not None:
        return model.named
    folder = lingua_folder()
    target = folder / _CONVERTED
    with file_lock(folder / ".lock", lambda: progress.note("waiting: another costopt converts it")):
        if not (target / "model.safetensors").is_file():
            _convert_to(target, progress, offline=offline)
    return target


def _convert_to(target: Path, progress: Progress, *, offline: bool) -> None:
    source = source_path()
    if source is None:
        pull(progress, offline=offline)
        source = source_path()
    if source is None:
        raise CostoptError(
            f"the weights of {MODEL} are not there", hint="run: costopt models pull --force"
        )
    progress.note(f"converting {MODEL} for LLMLingua (once, about half a minute)")
    try:
        from .lingua_convert import convert

        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".part-") as part:
            convert(source, Path(part) / target.name)
            shutil.rmtree(target, ignore_errors=True)
            (Path(part) / target.name).replace(target)
    except OSError as error:
        raise CostoptError(
            f"the converted model cannot be written: {error.strerror or error}",
            where=Where(str(target)),
            hint="about 600 MB are needed; XDG_CACHE_HOME names another cache folder",
        ) from error


def _from_hub(name: str, *, offline: bool) -> Path:
    """Return the folder of a hub repository's files: safetensors and configuration, no code."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, allow_patterns=_PATTERNS, local_files_only=offline))
    except (HFValidationError, HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        told = str(error).strip().splitlines() or [type(error).__name__]
        raise CostoptError(
            f'no model "{name[:200]}" for llmlingua: no such folder, and not from the hub '
            f"({told[0][:200]})",
            hint="name a folder with config.json and *.safetensors"
            + (", or run without --offline" if offline else ""),
        ) from error


def _check(folder: Path, name: str, kind: Kind) -> None:
    """Raise unless LLMLingua can be run on the folder."""
    config = _json(folder / "config.json")
    if not any(folder.glob("*.safetensors")):
        raise CostoptError(
            f'the model "{name}" has no *.safetensors',
            where=Where(str(folder)),
            hint="other formats may run code when they are read, and are not loaded",
        )
    kinds = config.get("architectures") or ()
    classifies = any("ForTokenClassification" in str(architecture) for architecture in kinds)
    if classifies and kind == "causal":
        raise CostoptError(
            f'the model "{name}" classifies tokens (LLMLingua-2), and this strategy needs a '
            "causal language model",
            where=Where(str(folder / "config.json")),
            hint="name a model such as SmolLM2-135M-Instruct, or leave model= out",
        )
    if not classifies and kind == "classifier":
        raise CostoptError(
            f'the model "{name}" classifies no tokens, and llmlingua2 needs one that does',
            where=Where(str(folder / "config.json")),
            hint=f"name a model of LLMLingua-2, such as {CLASSIFIER}",
        )


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CostoptError(
            "no model's configuration can be read here",
            where=Where(str(path)),
            hint="name a folder in the format of transformers: config.json, *.safetensors, "
            "tokenizer.json",
        ) from error
    return found if isinstance(found, dict) else {}


def _hash(folder: Path) -> str:
    """Return a hash over the contents of the files that a model is loaded from."""
    total = hashlib.sha256()
    for path in sorted(_model_files(folder)):
        with path.open("rb") as data:
            digest = hashlib.file_digest(data, "sha256").hexdigest()
        total.update(f"{path.name} {digest}\n".encode())
    return total.hexdigest()


def _model_files(folder: Path) -> Iterator[Path]:
    for pattern in _PATTERNS:
        yield from (path for path in folder.glob(pattern) if path.is_file())
