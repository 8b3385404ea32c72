"""An attribution as a heat map of the prompt's text, as sentences, and as a Markdown table."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from ..core.attribution import Attribution, Effect, SegmentReport, SegmentVerdict
from ..core.report import PromptReport
from ..core.types import Message
from . import facts
from .numbers import MINUS, UNKNOWN, count, interval, quality, unit, usd
from .safe import clean, code

Parts = list[tuple[str, str]]
"""A line, as (text, style) parts."""

_MARKS: dict[SegmentVerdict, str] = {
    "earns its keep": "+",
    "earns its keep with others": "&",
    "no effect seen: candidate to cut": "x",
    "hurts": "!",
    "not enough data": "?",
    "not measured": " ",
    "kept": "=",
}
_BAR = 3
_LISTED = 12
_SPACES = re.compile(r" {2,}")
_RULE = re.compile(r"([-=*_~])\1{3,}")


def heat_map(prompt: PromptReport, found: Attribution, width: int) -> Iterator[Parts]:
    """Yield the prompt's text line by line, each segment on lines of its own, with a gutter.

    Colour says what a segment does, and so do a mark and a bar in the gutter.
    """
    look = _Look(found=found, messages=_messages(prompt, found), width=width)
    yield [(f"  What each part does, at {clean(found.target, 40)}", "bold")]
    yield [("  " + look.header, "dim")]
    role = ""
    for one in found.segments:
        if look.role(one) != role:
            role = look.role(one)
            yield [("  " + look.blank, ""), ("│ ", "dim"), (f"[{clean(role, 20)}]", "bold")]
        yield from look.segment(one)
    yield from ([("  " + line, "dim")] for line in _wrapped(look.legend, width - 2))


def said(found: Attribution) -> list[str]:
    """Return what it comes to, in sentences: what was decided, what may go, how it was done."""
    decided = [one for one in found.segments if one.verdict in ("earns its keep", "hurts")]
    decided.sort(key=lambda one: -abs(_does(one)))
    lines = [f"{one.number}: {one.verdict}: {_effect(found, one.effect)}" for one in decided]
    if len(lines) > _LISTED:
        lines = [*lines[:_LISTED], f"and {len(lines) - _LISTED} more (--format json)"]
    shared = [one for one in found.segments if one.share is not None]
    lines += [f"{one.number}: its share of what they do together: {_share(found, one)}"
              for one in shared[:_LISTED]]  # fmt: skip
    return [*lines, *_cuts(found), *_together(found), *(clean(note, 400) for note in found.notes)]


def table(found: Attribution) -> list[str]:
    """Return an attribution as lines of Markdown."""
    lines = [
        f"### What each part does, at {code(found.target)}",
        "",
        f"| no | Line | Part | Tokens | $/month | Effect{_unit(found)} [low, high] | Share | n "
        "| Verdict |",
        "|--:|--:|---|--:|--:|--:|--:|--:|---|",
        *(_row(found, one) for one in found.segments),
        "",
    ]
    notes = [*_cuts(found), *_together(found), *found.notes]
    return [*lines, *(f"- {code(note, limit=400)}" for note in notes), ""]


def _row(found: Attribution, one: SegmentReport) -> str:
    verdict = one.verdict if one.kept is None else f"kept: {code(one.kept, table=True, limit=80)}"
    cells = (
        str(one.number),
        f"{one.line}:{one.column}",
        code(one.text, table=True, limit=80),
        count(one.tokens),
        usd(one.usd_per_month),
        _interval(found, one.effect),
        _share(found, one) if one.share else "",
        str(one.effect.n) if one.effect else "",
        verdict,
    )
    return "| " + " | ".join(cells) + " |"


def _does(one: SegmentReport) -> float:
    """Return what a segment does, by its share where it has one."""
    if one.verdict == "earns its keep with others" and one.share is not None:
        return one.share.mean
    return one.effect.mean if one.effect is not None else 0.0


def _messages(prompt: PromptReport, found: Attribution) -> Sequence[Message]:
    variants = facts.at_target(prompt, found.target)
    return variants[0].messages if variants else ()


@dataclass(frozen=True, kw_only=True)
class _Look:
    """How the segments of one attribution are drawn."""

    found: Attribution
    messages: Sequence[Message]
    width: int

    @cached_property
    def scale(self) -> float:
        """The largest effect: a full bar."""
        return max((abs(_does(one)) for one in self.found.segments), default=0.0)

    @cached_property
    def priced(self) -> bool:
        """Whether there is money to show."""
        return any(one.usd_per_month is not None for one in self.found.segments)

    @property
    def header(self) -> str:
        """The names of the gutter's columns."""
        return self._columns("no", "tok", "$/month", "effect").rstrip()

    @property
    def blank(self) -> str:
        """A gutter that says nothing."""
        return " " * len(self._columns("", "", "", ""))

    @property
    def legend(self) -> str:
        """What the marks mean."""
        marks = "+ earns its keep, & with others, x no effect seen, ! hurts, ? not enough data"
        return marks if self.found.metric else "= kept"

    def role(self, one: SegmentReport) -> str:
        """Return the role of a segment's message, where there are several."""
        if len(self.messages) < 2 or one.message >= len(self.messages):
            return ""
        return self.messages[one.message].role

    def segment(self, one: SegmentReport) -> Iterator[Parts]:
        """Yield a segment's lines."""
        gutter, style = self._gutter(one), _style(one, self.scale)
        space = max(self.width - len(gutter) - 4, 20)
        for line in _wrapped(self._bullet(one) + one.text, space):
            yield [("  ", ""), (gutter, ""), ("│ ", "dim"), (line, style)]
            gutter = self.blank
        if one.kept is not None:
            for line in _wrapped(f"(kept: {one.kept})", space):
                yield [("  ", ""), (gutter, ""), ("│ ", "dim"), (line, "dim italic")]

    def _gutter(self, one: SegmentReport) -> str:
        does = _does(one)
        known = one.effect is not None or one.share is not None
        shown = quality(self.found.metric or "", does, sign=True) if known else ""
        filled = round(_BAR * max(does, 0.0) / self.scale) if self.scale > 0 else 0
        money = _short(one.usd_per_month)
        mark = _MARKS[one.verdict]
        return self._columns(str(one.number), count(one.tokens), money, shown, mark + "█" * filled)

    def _columns(self, no: str, tokens: str, money: str, effect: str, bar: str = "") -> str:
        dollars = f" {money:>7}" if self.priced else ""
        return f"{no:>3} {tokens:>5}{dollars} {effect:>6} {bar:<{_BAR + 1}} "

    def _bullet(self, one: SegmentReport) -> str:
        """Return the bullet that stands before a segment on its line."""
        if one.message >= len(self.messages):
            return ""
        content = self.messages[one.message].content
        before = content[content.rfind("\n", 0, one.start) + 1 : one.start]
        return before if not any(mark.isalpha() for mark in before) and len(before) < 8 else ""


def _short(amount: Decimal | None) -> str:
    """Return money in at most seven columns."""
    if amount is None:
        return ""
    return "<$0.01" if 0 < amount < Decimal("0.01") else usd(amount)


def _style(one: SegmentReport, scale: float) -> str:
    if one.verdict in ("earns its keep", "earns its keep with others"):
        strong = scale > 0 and _does(one) >= scale / 2
        return "black on bright_green" if strong else "black on green"
    if one.verdict == "hurts":
        return "black on red"
    if one.verdict == "no effect seen: candidate to cut":
        return "black on yellow"
    return "dim" if one.verdict == "kept" else ""


def _wrapped(text: str, space: int) -> Iterator[str]:
    """Yield a segment's lines, each harmless, none longer than there is space."""
    from rich.cells import cell_len
    from rich.console import Console
    from rich.text import Text

    console = Console(width=space, legacy_windows=False)
    for line in text.split("\n"):
        harmless = _RULE.sub(r"\1\1\1", _SPACES.sub(" ", clean(line)))
        if not harmless:
            continue
        if cell_len(harmless) <= space:
            yield harmless
            continue
        for part in Text(harmless).wrap(console, space):
            yield part.plain.rstrip()


def _cuts(found: Attribution) -> list[str]:
    """Return what can be cut, with what that saves."""
    gone = [one for one in found.segments if one.verdict in (
        "no effect seen: candidate to cut", "hurts")]  # fmt: skip
    if not gone:
        return []
    tokens, money = sum(one.tokens for one in gone), _sum([one.usd_per_month for one in gone])
    lines = ", ".join(str(one.number) for one in gone)
    saved = f", {usd(money)} a month" if money is not None else ""
    return [f"candidates to cut, each alone: {lines} ({count(tokens)} tokens{saved})"]


def _together(found: Attribution) -> list[str]:
    one = found.together
    if one is None:
        return []
    numbers = ", ".join(map(str, one.segments))
    verdicts = {
        "earns its keep": "that loses quality, so do not cut them all",
        "no effect seen: candidate to cut": "no effect seen: they can go together",
        "hurts": "better without them",
        "not enough data": "not enough data to say that they can go together",
    }
    money = f", {usd(one.usd_per_month)} a month" if one.usd_per_month is not None else ""
    what = verdicts.get(one.verdict, one.verdict)
    effect = f" ({_effect(found, one.effect)})" if one.effect else ""
    return [f"all that look harmless at once ({numbers}; {count(one.tokens)} tokens{money}): "
            f"{what}{effect}"]  # fmt: skip


def _sum(amounts: Sequence[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(amounts) else None


def _unit(found: Attribution) -> str:
    name = unit(found.metric or "")
    return f", {name}" if name else ""


def _interval(found: Attribution, effect: Effect | None) -> str:
    if effect is None:
        return UNKNOWN
    metric = found.metric or ""
    mean = quality(metric, effect.mean, sign=True)
    return f"{mean} {interval(metric, effect.low, effect.high)}"


def _effect(found: Attribution, effect: Effect | None) -> str:
    if effect is None:
        return UNKNOWN
    return f"{_interval(found, effect)}{_unit(found).replace(',', '')} on {effect.n} rows"


def _share(found: Attribution, one: SegmentReport) -> str:
    if one.share is None:
        return ""
    metric = found.metric or ""
    error = quality(metric, one.share.standard_error).lstrip(MINUS)
    return f"{quality(metric, one.share.mean, sign=True)} (standard error {error})"
