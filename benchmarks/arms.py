"""What `frontier.py` and `compress_speed.py` compare: ways to shorten a text, each at a setting."""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from costopt.compressors import get
from costopt.compressors.base import ContextStrategy, StrategyContext
from costopt.core.protocols import ContextCompressor, TokenCounter

Shorten = Callable[[str, str], str]
"""A text and the question about it, to a shorter text."""

_ARTICLES = re.compile(r"\b(?:a|an|the)\s+", re.IGNORECASE)
_STOP_WORDS = """
    a an the of in on at to for from by with and or but is are was were be been being it its this
    that these those as which who whom whose when where why how do does did has have had he she
    they we you i not no so if then than there here about into after before
"""


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One way at one setting.

    Attributes:
        method: Whose points make one line of the plot.
        setting: What it is asked for.
        shorten: Does it.
        peer: Whether it is another project's.
        asks: Whether it is told the question.
        generate: Whether answers are generated too, besides log-likelihoods.
    """

    method: str
    setting: str
    shorten: Shorten = field(compare=False, repr=False)
    peer: bool = False
    asks: bool = False
    generate: bool = False

    @property
    def name(self) -> str:
        """The method with its setting."""
        return f"{self.method} {self.setting}".strip()


def ours(
    name: str,
    rate: float,
    count: TokenCounter,
    compressor: ContextCompressor | None,
    *,
    asks: bool = False,
    generate: bool = False,
    **params: Any,  # noqa: ANN401 - a strategy's own
) -> Arm:
    """Return one of costopt's own context strategies."""
    strategy = get(name, rate=rate, **params)
    if not isinstance(strategy, ContextStrategy):
        raise TypeError(name)
    context = StrategyContext(count=count, compressor=compressor)

    def shorten(text: str, question: str) -> str:
        return strategy(text, question=question if asks else None, context=context)

    label = f"costopt {name}" + (" (question)" if asks else "")
    return Arm(method=label, setting=f"{rate:g}", shorten=shorten, asks=asks, generate=generate)


def baselines(rates: tuple[float, ...], *, words: bool) -> list[Arm]:
    """Return what needs no thought: the head and random words.

    Args:
        rates: At which rates.
        words: Whether to leave out articles, and stop words, too.
    """
    cuts = [
        Arm(method=name, setting=f"{rate:g}", shorten=partial(cut, rate=rate), generate=rate == 0.6)
        for name, cut in (("head", _head), ("random words", _random))
        for rate in rates
    ]
    if not words:
        return cuts
    stop = re.compile(rf"\b(?:{'|'.join(_STOP_WORDS.split())})\b\s*", re.IGNORECASE)
    return [
        *cuts,
        Arm(method="no articles", setting="", shorten=lambda t, _: _ARTICLES.sub("", t)),
        Arm(method="no stop words", setting="", shorten=lambda t, _: stop.sub("", t)),
    ]


def _words(text: str) -> list[str]:
    return re.findall(r"\S+\s*", text)


def _head(text: str, question: str, rate: float) -> str:
    words = _words(text)
    return "".join(words[: max(1, round(rate * len(words)))]).rstrip()


def _random(text: str, question: str, rate: float) -> str:
    words = _words(text)
    draw = random.Random(f"{len(text)} {rate}")
    kept = sorted(draw.sample(range(len(words)), max(1, round(rate * len(words)))))
    return "".join(words[index] for index in kept).rstrip()
