"""Cheaper models of the same provider, from the bundled price table."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from . import price_table
from .prices import Price, price_for, usd

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo

# The table does not say what a model is for. What these words name does not answer a chat request
# with text, or does so for a purpose of its own.
_NOT_CHAT = re.compile(
    r"audio|realtime|tts|transcri|image|vision|live|search|embed|moderat|instruct|guard|omni"
    r"|research|robotics|computer|codex|cyber|rosalind|whisper|banana|streaming|preview|ft[:-]|:|^gpt-oss",
    re.IGNORECASE,
)
_VERSION = re.compile(r"(?<![\d.])(\d{1,2})(?:[.-](\d{1,2}))?(?![\d.]*\d|b\b)")


@dataclass(frozen=True, kw_only=True)
class Cheaper:
    """A model, as ``provider:model``, with what 1,000 requests cost at it in USD, at list price."""

    model: str
    usd_per_1k: Decimal
    ratio: float
    """That, as a part of what they cost now."""
    price: Price


def cheaper_models(
    ref: str,
    *,
    input: float,
    output: float,
    longest: int | None = None,
    on: date | None = None,
    most: int = 4,
) -> tuple[Cheaper, ...]:
    """Return models of the same provider that cost less for requests of these tokens.

    Left out are models that the table calls deprecated, whose context window is too small or not
    known, and those for which a newer one of the same make is as cheap. The newest stand first. A
    model's tokens are taken to be as many as the present one's, which is an estimate.

    Args:
        ref: The present model, as ``provider:model``.
        input: Mean input tokens a request.
        output: Mean output tokens a request.
        longest: Tokens of the longest request with its answer; by default the mean.
        on: The day; today where left out.
        most: How many to return at most.

    Example:
        >>> found = cheaper_models("anthropic:claude-opus-4-5", input=1000, output=100,
        ...                        on=date(2026, 11, 1))
        >>> bool(found), all(cheaper.ratio < 1 for cheaper in found)
        (True, True)
    """
    on = on or date.today()
    entry, own = price_table.find(ref), price_for(ref, on=on)
    provider = ref.partition(":")[0]
    before = usd(own, input=input, output=output) if own else None
    if entry is None or not entry.own or not before:
        return ()
    room = longest or int(input + output)
    found = [
        Cheaper(model=priced.ref, usd_per_1k=cost * 1000, ratio=float(cost / before), price=priced)
        for model in entry.listed
        if model is not entry.model
        and _fits(model, room)
        and (priced := _listed(f"{provider}:{model.id}", on)) is not None
        and (cost := usd(priced, input=input, output=output)) is not None
        and 0 < cost < before
    ]
    newest = [one for one in found if not any(_outdoes(other, one) for other in found)]
    make = _make(entry.model.id)
    ranked = sorted(newest, key=lambda one: (_make(one.model) != make, _age(one), one.usd_per_1k))
    return tuple(ranked[:most])


@lru_cache(maxsize=4096)
def _listed(ref: str, on: date) -> Price | None:
    return price_for(ref, on=on)


def _fits(model: "ModelInfo", tokens: int) -> bool:
    room = model.context_window
    usable = room is not None and room >= tokens and not model.deprecated
    return usable and not _NOT_CHAT.search(model.id)


def _outdoes(other: Cheaper, one: Cheaper) -> bool:
    same = _make(other.model) == _make(one.model)
    return same and _version(other.model) > _version(one.model) and other.ratio <= one.ratio


def _name(ref: str) -> str:
    return ref.rpartition(":")[2]


def _make(ref: str) -> str:
    """Return the word that a maker's models share: ``gpt``, ``claude``, ``gemini``."""
    return re.split(r"[^a-z]", _name(ref).lower())[0]


def _version(ref: str) -> tuple[int, int]:
    """Return a model's version; (0, 0) where its name has none.

    Example:
        >>> _version("openai:gpt-5.4-mini"), _version("claude-haiku-4-5"), _version("gpt-oss-20b")
        ((5, 4), (4, 5), (0, 0))
    """
    found = _VERSION.search(_name(ref))
    return (int(found[1]), int(found[2] or 0)) if found else (0, 0)


def _age(one: Cheaper) -> tuple[int, int]:
    major, minor = _version(one.model)
    return -major, -minor
