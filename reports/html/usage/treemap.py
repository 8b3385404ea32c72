"""What features and their models cost as areas; names stand only where they fit."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ....usage.slots import FeatureCost, ModelCost, OverTime
from ...numbers import count, percent, usd
from .names import OTHERS, feature, name, others, style
from .squarify import Rect, squarify

WIDTH = 960
_HEIGHTS = ((1, 90), (4, 220), (12, 320))
"""Up to so many tiles, how high the drawing is."""
_HIGHEST = 420
_SIZE, _LINE, _EDGE = 12.0, 16.0, 6.0
_LEAST = 3
"""A name of which fewer characters fit is left out."""
_GAP = 1.5
"""Half of what is left free between features."""


@dataclass(frozen=True, kw_only=True)
class Text:
    """A line in a tile."""

    x: float
    y: float
    text: str
    style: str


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A model in a feature, as a rectangle with what it says."""

    x: float
    y: float
    width: float
    height: float
    style: str
    title: str
    texts: tuple[Text, ...]


@dataclass(frozen=True, kw_only=True)
class Treemap:
    """All that is drawn; every number is in the drawing's own units."""

    title: str
    tiles: tuple[Tile, ...]
    height: int
    width: int = WIDTH


def treemap(found: OverTime) -> Treemap | None:
    """Return the features' and models' cost as areas; ``None`` where nothing is priced."""
    everything = [*found.features, *([found.rest] if found.rest else [])]
    priced = [(place, one) for place, one in enumerate(everything) if one.usd]
    # All others together may be more than any one of them: areas come by size.
    priced.sort(key=lambda pair: -(pair[1].usd or 0))
    total = sum((one.usd or Decimal(0) for _, one in priced), Decimal(0))
    if not total:
        return None
    many = sum(len(one.models) or 1 for _, one in priced)
    height = next((high for most, high in _HEIGHTS if many <= most), _HIGHEST)
    areas = squarify([float(one.usd or 0) for _, one in priced], Rect(0, 0, WIDTH, height))
    tiles = [
        tile
        for (place, one), area in zip(priced, areas, strict=True)
        for tile in _tiles(one, OTHERS if one is found.rest else style(place), area, total)
    ]
    return Treemap(title="Cost by feature and model", tiles=tuple(tiles), height=height)


def _tiles(one: FeatureCost, style_of: str, area: Rect, total: Decimal) -> Iterator[Tile]:
    inner = Rect(
        area.x + _GAP,
        area.y + _GAP,
        max(area.width - 2 * _GAP, 0.0),
        max(area.height - 2 * _GAP, 0.0),
    )
    if not one.models:
        text = others(one.features)
        yield _tile(inner, style_of, (text, usd(one.usd)), _said(text, one, total), bold=True)
        return
    models = sorted((model for model in one.models if model.usd), key=lambda m: -(m.usd or 0))
    rects = squarify([float(model.usd or 0) for model in models], inner)
    for at, (model, rect) in enumerate(zip(models, rects, strict=True)):
        lines = [feature(one.feature)] if at == 0 else []
        lines += [model_name(model), usd(model.usd)]
        said = _said(f"{feature(one.feature)}, {model_name(model)}", model, total)
        yield _tile(rect, style_of, lines, said, bold=at == 0)


def model_name(model: ModelCost) -> str:
    """Return a model's name, or how many others it stands for."""
    return name(model.model) if model.models == 1 else f"{count(model.models)} other models"


def _said(text: str, one: FeatureCost | ModelCost, total: Decimal) -> str:
    share = percent(float((one.usd or Decimal(0)) / total))
    return f"{text}: {usd(one.usd)}, {share} of all, {count(one.requests)} requests"


def _tile(rect: Rect, style_of: str, lines: Sequence[str], said: str, *, bold: bool) -> Tile:
    return Tile(
        x=round(rect.x, 1),
        y=round(rect.y, 1),
        width=round(rect.width, 1),
        height=round(rect.height, 1),
        style=style_of,
        title=said,
        texts=tuple(_texts(rect, lines, bold=bold)),
    )


def _texts(rect: Rect, lines: Sequence[str], *, bold: bool) -> Iterator[Text]:
    """Yield the lines that fit, and none where the first of them does not."""
    room = int((rect.height - 2 * _EDGE + 4) // _LINE)
    for at, line in enumerate(lines[: max(room, 0)]):
        heavy = bold and at == 0
        text = fitting(line, rect.width - 2 * _EDGE, heavy=heavy)
        if not text:
            return
        yield Text(
            x=_EDGE,
            y=_EDGE + _LINE * (at + 1) - 5,
            text=text,
            style="heavy" if heavy else "",
        )


def fitting(text: str, wide: float, *, heavy: bool = False) -> str:
    """Return as much of a text as fits, with "…" where it is cut; "" where that is too little.

    Example:
        >>> fitting("support-triage", 200), fitting("support-triage", 60), fitting("support", 20)
        ('support-triage', 'support…', '')
    """
    factor = _SIZE * (1.08 if heavy else 1.0)
    if factor * sum(map(_wide, text)) <= wide:
        return text
    used, kept = factor * _wide("…"), ""
    for character in text:
        used += factor * _wide(character)
        if used > wide:
            break
        kept += character
    return f"{kept.rstrip()}…" if len(kept) >= _LEAST else ""


def _wide(character: str) -> float:
    """Return about how wide a character is, in sizes of the font; rather too much than too little.

    Tiles cut what is wider all the same.
    """
    if unicodedata.east_asian_width(character) in "WF":
        return 1.25
    if character in "iljtfrI.,:;'|!()[]- ":
        return 0.42
    if character in "mwMW@%…—":
        return 1.0
    return 0.74 if character.isupper() or not character.isascii() else 0.62
