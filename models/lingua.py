"""LLMLingua as a `ContextCompressor`: loaded when it is first needed, its results kept.

A model's rewriting may differ between machines, so each result is stored as it came, and found
again by what it was made from: a later run gives the same text, and loads no torch.
"""

import hashlib
import json
import os
import tempfile
import warnings
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import CostoptError, Where
from ..core.progress import Progress
from ..core.protocols import ContextCompressor
from ..costs.vocabulary import ensure_tiktoken
from .lingua_weights import LinguaModel, find_model, lingua_folder, model_folder

if TYPE_CHECKING:
    from .lingua_engine import Engine

METHOD = "lingua/2"
"""Names the way of compressing; part of what results are found by. Change it with the code."""
PACKAGES = ("llmlingua", "transformers", "torch")


def open_lingua(model: str | None, *, offline: bool, progress: Progress) -> ContextCompressor:
    """Return LLMLingua on a model of its own or on the embedded weights.

    It returns at once: the model is found, fetched and loaded when a text is not among the stored
    results. Texts are compressed in this process, on its CPUs, about 150 tokens a second.

    Args:
        model: What `compress` uses where it names none: a folder with safetensors, a hub id, or
            ``None`` for the embedded model's weights.
        offline: Use no network.
        progress: Told what takes time.

    Raises:
        CostoptError: the extra is not installed.
    """
    return _Compressor(model=model, versions=_versions(), offline=offline, progress=progress)


def _versions() -> tuple[str, ...]:
    """Return the versions of the extra's packages, without importing them."""
    try:
        return tuple(f"{name} {version(name)}" for name in PACKAGES)
    except PackageNotFoundError as error:
        raise CostoptError(
            f"llmlingua needs the package {error.name}, which is not installed",
            hint='run: pip install "costopt[llmlingua]" (the README says how to get torch '
            "without CUDA)",
        ) from error


@dataclass(frozen=True, kw_only=True)
class _Compressor:
    """Looks results up, and loads a model where there are none."""

    model: str | None
    versions: tuple[str, ...]
    offline: bool
    progress: Progress
    _models: dict[str | None, LinguaModel] = field(default_factory=dict[str | None, LinguaModel])
    _engines: dict[str, "Engine"] = field(default_factory=dict[str, "Engine"])

    def compress(
        self, text: str, *, rate: float, keep: Sequence[str], model: str | None = None
    ) -> str:
        """Return ``text`` with about ``rate`` of its tokens, not counting those of ``keep``.

        Words of ``text`` are dropped, and nothing else is done to it. Every occurrence of every
        string of ``keep`` stays.

        Raises:
            CostoptError: the model cannot be found, fetched or loaded.
        """
        if not 0 < rate <= 1:
            raise ValueError(f"the rate must be above 0 and at most 1, got {rate}")
        if rate == 1 or not text.strip():
            return text
        name = model or self.model
        if name not in self._models:
            self._models[name] = find_model(name, offline=self.offline)
        found = self._models[name]
        path = self._path(found, text, rate, keep)
        stored = _stored(path)
        if stored is not None:
            return stored
        result = self._computed(found, text, rate, keep)
        _store(path, {"text": result, "model": found.name, "rate": rate, "method": METHOD})
        return result

    def _path(self, model: LinguaModel, text: str, rate: float, keep: Sequence[str]) -> Path:
        key = [METHOD, *self.versions, model.identity, rate, sorted(set(keep)), text]
        data = json.dumps(key).encode()
        return lingua_folder() / "results" / f"{hashlib.sha256(data).hexdigest()}.json"

    def _computed(self, model: LinguaModel, text: str, rate: float, keep: Sequence[str]) -> str:
        from .lingua_words import occurrences

        self.progress.note(f"llmlingua: compressing {len(text):,} characters")
        # Half a surrogate pair cannot be given to a tokenizer; its place is taken, and kept.
        plain = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if plain != text:
            return text
        engine = self._engine(model)
        try:
            return engine.compress(text, rate, occurrences(text, keep))
        except (AttributeError, IndexError, RuntimeError, TypeError, ValueError) as error:
            if model.named is None:
                raise
            raise CostoptError(
                f'llmlingua cannot use the model "{model.name}": {_told(error)}',
                hint="it needs a causal language model that attends to all of its text, with a "
                "fast tokenizer",
            ) from error

    def _engine(self, model: LinguaModel) -> "Engine":
        if model.identity not in self._engines:
            ensure_tiktoken(("cl100k_base",))
            with _calm_threads():
                folder = model_folder(model, self.progress, offline=self.offline)
                self.progress.note(f"llmlingua: loading {model.name}")
                self._engines[model.identity] = _load(folder)
        return self._engines[model.identity]


def _load(folder: Path) -> "Engine":
    try:
        from .lingua_engine import Engine

        return Engine(folder)
    except (ImportError, OSError, ValueError, RuntimeError) as error:
        raise CostoptError(
            f"llmlingua cannot load its model: {_told(error)}",
            where=Where(str(folder)),
            hint='run: pip install "costopt[llmlingua]"; it needs a causal language model in '
            "the format of transformers",
        ) from error


def _told(error: Exception) -> str:
    """Return an error's first line."""
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__


@contextmanager
def _calm_threads() -> Generator[None]:
    """Import torch so that its threads sleep while they wait, and leave the environment alone.

    Spinning, they take the CPU from each other as soon as anything else runs: measured on two
    busy CPUs, a pass over 200 tokens took 12 s instead of 2. The variable is read at import.
    """
    before = dict(os.environ)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name in set(os.environ) - set(before):
            del os.environ[name]
        os.environ.update(before)


def _stored(path: Path) -> str | None:
    """Return a stored result; ``None`` where there is none that can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        text = found["text"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return text if isinstance(text, str) else None


def _store(path: Path, result: dict[str, str | float]) -> None:
    """Write whole or not at all; a result that cannot be kept is computed again."""
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=path.parent, suffix=".part")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(result, stream)
        Path(part).replace(path)
