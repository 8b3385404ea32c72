"""LLMLingua as a `ContextCompressor`: loaded when it is first needed, its results kept.

A model's rewriting may differ between machines, so each result is stored as it came, and found
again by what it was made from: a later run gives the same text, and loads no torch.
"""

import hashlib
import json
import os
import re
import tempfile
import time
import warnings
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

from ..core.errors import CostoptError, Where
from ..core.progress import Progress
from ..core.protocols import ContextCompressor, WordScore
from ..core.words import occurrences
from ..costs.vocabulary import ensure_tiktoken
from .lingua_weights import Kind, LinguaModel, find_model, lingua_folder, model_folder

METHOD = "lingua/3"
"""Names the way of compressing; part of what results are found by. Change it with the code."""
_NEEDED: dict[Kind, str] = {
    "causal": "it needs a causal language model that attends to all of its text, in the format of "
    "transformers, with a fast tokenizer",
    "classifier": "it needs a token classifier of LLMLingua-2 in the format of transformers, with "
    "a fast tokenizer",
}
_SURROGATE = re.compile("[\ud800-\udfff]")
_R = TypeVar("_R")
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


@dataclass
class _Clock:
    """Seconds to add to what calls took."""

    correction_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class _Compressor:
    """Looks results up, and loads a model where there are none."""

    model: str | None
    versions: tuple[str, ...]
    offline: bool
    progress: Progress
    _models: dict[tuple[str | None, Kind], LinguaModel] = field(
        default_factory=dict[tuple[str | None, Kind], LinguaModel]
    )
    _engines: dict[str, Any] = field(default_factory=dict[str, Any])
    _clock: _Clock = field(default_factory=_Clock)

    @property
    def correction_s(self) -> float:
        """Seconds to add to what calls took, so that stored results and loading do not count."""
        return self._clock.correction_s

    def compress(
        self, text: str, *, rate: float, keep: Sequence[str], model: str | None = None
    ) -> str:
        """Return ``text`` with about ``rate`` of its tokens, not counting those of ``keep``.

        Words of ``text`` are dropped, and nothing else is done to it. Every occurrence of every
        string of ``keep`` stays.

        Raises:
            CostoptError: the model cannot be found, fetched or loaded.
        """
        _check_rate(rate)
        # Half a surrogate pair cannot be given to a tokenizer.
        if rate == 1 or not text.strip() or _SURROGATE.search(text):
            return text
        found = self._found(model)
        key = [METHOD, rate, sorted(set(keep)), text]
        return self._result(
            found, key, _text_of, lambda e: e.compress(text, rate, occurrences(text, keep)),
            f"llmlingua: compressing {len(text):,} characters",
        )  # fmt: skip

    def answering(
        self,
        documents: Sequence[str],
        question: str,
        *,
        rate: float,
        keep: Sequence[str],
        model: str | None = None,
    ) -> tuple[str, ...]:
        """Return what LongLLMLingua leaves of ``documents``, the most helpful first.

        Raises:
            CostoptError: the model cannot be found, fetched or loaded.
        """
        _check_rate(rate)
        plain = [_plain(document) for document in documents]
        if rate == 1 or not any(document.strip() for document in plain):
            return tuple(documents)
        key = ["longlingua/1", rate, sorted(set(keep)), _plain(question), plain]
        return self._result(
            self._found(model), key, _texts_of,
            lambda e: e.answering(plain, _plain(question), rate, keep),
            f"longllmlingua: reading {sum(map(len, plain)):,} characters for a question",
        )  # fmt: skip

    def surprisal(self, text: str, *, model: str | None = None) -> tuple[WordScore, ...]:
        """Return each word's self-information in nats, given the text before it.

        Raises:
            CostoptError: the model cannot be found, fetched or loaded.
        """
        plain = _plain(text)
        if not plain.strip():
            return ()
        return self._result(
            self._found(model), ["surprisal/1", plain], _words_of, lambda e: e.surprisal(plain),
            f"self-information: reading {len(text):,} characters",
        )  # fmt: skip

    def worth(self, text: str, *, model: str) -> tuple[WordScore, ...]:
        """Return how probable it is that each word should stay, as LLMLingua-2's model says.

        Raises:
            CostoptError: the model cannot be found, fetched or loaded, or classifies no tokens.
        """
        plain = _plain(text)
        if not plain.strip():
            return ()
        return self._result(
            self._found(model, "classifier"), ["lingua2/1", plain], _words_of,
            lambda e: e.worth(plain), f"llmlingua2: reading {len(text):,} characters",
        )  # fmt: skip

    def _found(self, model: str | None, kind: Kind = "causal") -> LinguaModel:
        name = model or self.model
        if (name, kind) not in self._models:
            begun = time.perf_counter()
            self._models[name, kind] = find_model(name, offline=self.offline, kind=kind)
            self._clock.correction_s -= time.perf_counter() - begun
        return self._models[name, kind]

    def _result(
        self,
        model: LinguaModel,
        key: Sequence[object],
        read: Callable[[Any], _R],
        compute: Callable[[Any], Any],
        doing: str,
    ) -> _R:
        """Return the stored result of ``key``; compute and store it where there is none."""
        begun = time.perf_counter()
        result, seconds = self._stored_or_made(model, key, read, compute, doing)
        self._clock.correction_s += seconds - (time.perf_counter() - begun)
        return result

    def _stored_or_made(
        self,
        model: LinguaModel,
        key: Sequence[object],
        read: Callable[[Any], _R],
        compute: Callable[[Any], Any],
        doing: str,
    ) -> tuple[_R, float]:
        """Return a result, and the seconds that it took to compute."""
        data = json.dumps([*self.versions, model.identity, *key]).encode()
        path = lingua_folder() / "results" / f"{hashlib.sha256(data).hexdigest()}.json"
        with suppress(OSError, ValueError, KeyError, TypeError):
            kept = json.loads(path.read_text(encoding="utf-8"))
            return read(kept["result"]), float(kept["seconds"])
        self.progress.note(doing)
        engine = self._engine(model)
        begun = time.perf_counter()
        result = self._computed(model, engine, compute)
        seconds = time.perf_counter() - begun
        _store(
            path,
            {"result": result, "seconds": seconds, "model": model.name, "method": key[0]},
        )
        return read(result), seconds

    def _computed(
        self,
        model: LinguaModel,
        engine: Any,  # noqa: ANN401 - its module imports torch
        compute: Callable[[Any], Any],
    ) -> Any:  # noqa: ANN401
        try:
            return compute(engine)
        except (
            AttributeError, IndexError, NotImplementedError, RuntimeError, TypeError, ValueError,
        ) as error:  # fmt: skip
            if model.named is None:
                raise
            raise CostoptError(
                f'llmlingua cannot use the model "{model.name}": {_told(error)}',
                hint=_NEEDED[model.kind],
            ) from error

    def _engine(self, model: LinguaModel) -> Any:  # noqa: ANN401 - its module imports torch
        if model.identity not in self._engines:
            ensure_tiktoken(("cl100k_base",))
            with _calm_threads():
                folder = model_folder(model, self.progress, offline=self.offline)
                self.progress.note(f"llmlingua: loading {model.name}")
                self._engines[model.identity] = _load(folder, model.kind)
        return self._engines[model.identity]


def _check_rate(rate: float) -> None:
    if not 0 < rate <= 1:
        raise ValueError(f"the rate must be above 0 and at most 1, got {rate}")


def _plain(text: str) -> str:
    """Return ``text`` with another character in the place of each half of a surrogate pair."""
    return _SURROGATE.sub("\ufffd", text)


def _text_of(result: Any) -> str:  # noqa: ANN401 - any JSON
    if not isinstance(result, str):
        raise TypeError("not a text")
    return result


def _texts_of(result: Any) -> tuple[str, ...]:  # noqa: ANN401 - any JSON
    return tuple(_text_of(text) for text in result)


def _words_of(result: Any) -> tuple[WordScore, ...]:  # noqa: ANN401 - any JSON
    return tuple(WordScore(int(start), int(end), float(score)) for start, end, score in result)


def _load(folder: Path, kind: Kind) -> Any:  # noqa: ANN401 - its module imports torch
    try:
        if kind == "classifier":
            from .lingua_classifier import Classifier

            return Classifier(folder)
        from .lingua_engine import Engine

        return Engine(folder)
    except (ImportError, OSError, ValueError, RuntimeError) as error:
        raise CostoptError(
            f"llmlingua cannot load its model: {_told(error)}",
            where=Where(str(folder)),
            hint=f'run: pip install "costopt[llmlingua]"; {_NEEDED[kind]}',
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


def _store(path: Path, result: dict[str, Any]) -> None:
    """Write whole or not at all; a result that cannot be kept is computed again."""
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=path.parent, suffix=".part")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(result, stream)
        Path(part).replace(path)
