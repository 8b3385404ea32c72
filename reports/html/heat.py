"""An attribution: the prompt's text with each part marked, and a table of the parts."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...core.attribution import Attribution, Effect, SegmentReport, SegmentVerdict
from ...core.report import PromptReport
from ...core.types import Message
from .. import attributed, facts
from ..numbers import UNKNOWN, count, interval, quality, unit, usd
from ..safe import clean
from .tables import BAR, Cell, Line, Table, headers, number, without_empty

_LOOKS: dict[SegmentVerdict, tuple[str, str]] = {
    "earns its keep": ("+", "keep"),
    "earns its keep with others": ("&", "shared"),
    "no effect seen: candidate to cut": ("×", "cut"),
    "hurts": ("!", "hurts"),
    "not enough data": ("?", "open"),
    "not measured": ("–", "none"),
    "kept": ("=", "none"),
}


@dataclass(frozen=True, kw_only=True)
class Part:
    """A stretch of the prompt: a segment with its number, or what stands between two."""

    text: str
    number: int = 0
    sign: str = ""
    style: str = ""
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class HeatMessage:
    """One message, in its parts; ``role`` is empty where there is only one."""

    role: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, kw_only=True)
class Heat:
    """All that is shown of an attribution."""

    target: str
    messages: tuple[HeatMessage, ...]
    table: Table
    said: tuple[str, ...]


def heat(prompt: PromptReport, found: Attribution) -> Heat:
    """Return the heat map of a prompt."""
    variants = facts.at_target(prompt, found.target)
    messages = variants[0].messages if variants else ()
    return Heat(
        target=clean(found.target, 60),
        messages=tuple(_messages(messages, found)),
        table=_table(found),
        said=tuple(attributed.said(found)),
    )


def _messages(messages: Sequence[Message], found: Attribution) -> list[HeatMessage]:
    return [
        HeatMessage(
            role=clean(message.role, 20) if len(messages) > 1 else "",
            parts=tuple(
                _parts(message.content, [one for one in found.segments if one.message == at], found)
            ),
        )
        for at, message in enumerate(messages)
    ]


def _parts(content: str, segments: Sequence[SegmentReport], found: Attribution) -> list[Part]:
    parts: list[Part] = []
    done = 0
    for one in sorted(segments, key=lambda segment: segment.start):
        # A turn ends in the next message; what overlaps stands in the table only.
        if one.start < done or one.start > len(content):
            continue
        end = min(one.end, len(content)) if one.end > one.start else len(content)
        parts += [Part(text=content[done : one.start])] if one.start > done else []
        sign, style = _LOOKS[one.verdict]
        title = f"{one.number}: {one.verdict}, {count(one.tokens)} tokens, effect " + (
            _effect(found, one.effect) if one.effect else "not measured"
        )
        parts.append(
            Part(text=content[one.start : end], number=one.number, sign=sign, style=style,
                 title=title)
        )  # fmt: skip
        done = end
    return parts + ([Part(text=content[done:])] if done < len(content) else [])


def _does(one: SegmentReport) -> float:
    if one.verdict == "earns its keep with others" and one.share is not None:
        return one.share.mean
    return one.effect.mean if one.effect else 0.0


def _table(found: Attribution) -> Table:
    name = unit(found.metric or "")
    scale = max((abs(_does(one)) for one in found.segments), default=0.0)
    return without_empty(
        Table(
            caption="What each part weighs and does",
            headers=headers(
                "#", "Part", "Verdict", f"Effect{f', {name}' if name else ''} [low, high]",
                "n", "Share", "Tokens", "USD a month", "Line",
                left=("Part", "Verdict"),
            ),
            lines=tuple(_line(found, one, scale) for one in found.segments),
            sortable=True,
        )
    )  # fmt: skip


def _line(found: Attribution, one: SegmentReport, scale: float) -> Line:
    sign, style = _LOOKS[one.verdict]
    verdict = one.verdict if one.kept is None else f"kept: {clean(one.kept, 120)}"
    cells = (
        number(str(one.number), one.number),
        Cell(text=clean(one.text, 160), style="words"),
        Cell(text=f"{sign} {verdict}", style=f"chip wrap {style}"),
        Cell(
            text=_effect(found, one.effect),
            sort=one.effect.mean if one.effect else None,
            bar=round(BAR * abs(_does(one)) / scale, 1) if scale else None,
            bar_style=style,
        ),
        number(str(one.effect.n) if one.effect else "", one.effect.n if one.effect else None),
        _share(found, one),
        number(count(one.tokens), one.tokens),
        number(usd(one.usd_per_month), one.usd_per_month),
        number(f"{one.line}:{one.column}", one.line),
    )
    return Line(cells=cells)


def _effect(found: Attribution, effect: Effect | None) -> str:
    if effect is None:
        return UNKNOWN
    metric = found.metric or ""
    mean = quality(metric, effect.mean, sign=True)
    return f"{mean} {interval(metric, effect.low, effect.high)}"


def _share(found: Attribution, one: SegmentReport) -> Cell:
    if one.share is None:
        return Cell(text="")
    metric = found.metric or ""
    error = quality(metric, abs(one.share.standard_error))
    shown = quality(metric, one.share.mean, sign=True)
    return number(shown, one.share.mean, note=f"standard error {error}")
