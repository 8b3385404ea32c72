"""What the benchmarks measured of each strategy: their result files, read for its page.

Each benchmark writes one file here, ``NAME.json`` (``corpus``, ``formats``, ``frontier``,
``compress_speed``), from a fresh run; none is written by hand::

    {
      "benchmark": "corpus",
      "date": "2026-11-25",
      "command": "python benchmarks/corpus.py --data FOLDER --json FILE",
      "about": "One sentence: what was run on what data, which model or tokenizer, n.",
      "effects": [
        {"strategy": "whitespace", "text": "One sentence with its numbers, n and interval."},
        {"strategy": "sentences:rate=0.25", "text": "Another one."}
      ]
    }

``strategy`` is a name of the registry, with parameters where they differ from the defaults; what
was measured of a chain (joined by ``+``) stands on the page of each of its strategies. ``text`` is
a whole sentence in plain words, made by the benchmark from what it measured, and is printed as it
stands; what is unknown is said in words. A strategy may have several sentences in a file; peers
that are no strategies of costopt have none. ``about`` may be left out. Every other key is the
benchmark's own, such as the ``rows`` of its table, and is not read here. Who changes a file runs
``python docs/generate.py`` too, and commits the pages with it.
"""

import json
from dataclasses import dataclass, replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from ...core.errors import CostoptError, Where

__all__ = ["Effect", "Measured", "measured", "measured_of"]


@dataclass(frozen=True, kw_only=True)
class Effect:
    """One sentence of a benchmark about one strategy or chain."""

    strategy: str
    text: str

    @property
    def names(self) -> frozenset[str]:
        """The names of the chain's strategies, without their parameters.

        Example:
            >>> sorted(Effect(strategy="sentences:rate=0.3+filler", text="").names)
            ['filler', 'sentences']
        """
        return frozenset(part.partition(":")[0].strip() for part in self.strategy.split("+"))


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What one benchmark measured, when, and how it is run again."""

    benchmark: str
    date: str
    command: str
    about: str = ""
    effects: tuple[Effect, ...] = ()


def measured(folder: Traversable | None = None) -> tuple[Measured, ...]:
    """Return what all benchmarks left, by their files' names.

    Args:
        folder: Where their files are; by default the ones that came with costopt.

    Raises:
        CostoptError: a file is not of this form.
    """
    found = [item for item in (folder or files(__name__)).iterdir() if item.name.endswith(".json")]
    return tuple(_read(item) for item in sorted(found, key=lambda item: item.name))


def measured_of(name: str, folder: Traversable | None = None) -> tuple[Measured, ...]:
    """Return what was measured of one strategy; benchmarks that say nothing of it are left out."""
    cut = (
        replace(one, effects=tuple(effect for effect in one.effects if name in effect.names))
        for one in measured(folder)
    )
    return tuple(one for one in cut if one.effects)


def _read(file: Traversable) -> Measured:
    try:
        data = json.loads(file.read_text("utf-8"))
        return Measured(
            benchmark=_text(data, "benchmark"),
            date=_text(data, "date"),
            command=_text(data, "command"),
            about=_text({"about": "", **data}, "about"),
            effects=tuple(
                Effect(strategy=_text(item, "strategy"), text=_text(item, "text"))
                for item in data["effects"]
            ),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise CostoptError(
            f"not what a benchmark measured: {type(error).__name__}: {error}",
            where=Where(file.name),
            hint="run the benchmark again; compressors/measured/__init__.py says what it writes",
        ) from None


def _text(data: Any, key: str) -> str:  # noqa: ANN401 - any JSON
    value = data[key]
    if not isinstance(value, str):
        raise TypeError(f"{key} is no text")
    return value
