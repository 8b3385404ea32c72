"""CO502: text that changes stands before text that does not, so that little can be cached."""

from collections.abc import Iterator
from dataclasses import dataclass

from ...core.formats import with_depth
from ...core.placeholders import scan
from .base import Case, Hit, Model, Rule, quote, usd

_LEAST_TOKENS = 200
_LEAST_SHARE = 0.25
_QUIET = frozenset({"include", "import", "from", "extends", "set", "raw", "endraw", "role"})
"""Statements that print nothing by themselves, or the same text each time."""
_ASSUMED_FLOOR = 1024
"""Where a provider's floor is unknown: most cache from here on."""


@dataclass(frozen=True)
class _Split:
    """What of a prompt is the same in every request."""

    before: str
    """What stands before the first text that changes: all that a cache can hold."""
    after: str
    """What stands behind it, outside of conditions and loops."""
    first: tuple[int, int, int]
    """The message and the range of the first text that changes."""
    name: str


def _split(case: Case) -> _Split | None:
    before: list[str] = []
    after: list[str] = []
    first: tuple[int, int, int] | None = None
    name = ""
    for index, message in enumerate(case.template.messages):
        tokens = scan(message.content, case.template.syntax)
        for token, depth in with_depth(tokens, case.template.syntax):
            source = message.content[token.start : token.end]
            same = token.kind in ("text", "escape") and depth == 0
            if token.kind == "statement" and token.name in _QUIET:
                continue
            if token.kind == "variable" and token.inner in case.constant and depth == 0:
                same = True
            if same:
                (before if first is None else after).append(source)
            elif token.kind != "comment" and first is None:
                first, name = (index, token.start, token.end), source
    return _Split("".join(before), "".join(after), first, name) if first else None


def _find(case: Case) -> Iterator[Hit]:
    split = _split(case)
    if split is None:
        return
    for model in case.models:
        hit = _hit(case, model, split)
        if hit is not None:
            yield hit
            return


def _hit(case: Case, model: Model, split: _Split) -> Hit | None:
    before, after = model.count(split.before), model.count(split.after)
    floor = model.floor or _ASSUMED_FLOOR
    held = before if before >= floor else 0
    gain = before + after - held
    if after < max(_LEAST_TOKENS, _LEAST_SHARE * (before + after)) or before + after < floor:
        return None
    saved = model.cached_saves(gain)
    per_month = saved * case.calls_per_month / 1000 if saved and case.calls_per_month else None
    told = f"; placed first, it would save at most {usd(saved)} per 1,000 requests" if saved else ""
    told += f", {usd(per_month)} a month" if per_month else ""
    return Hit(
        message=f"{quote(split.name, 40)} stands before {after:,} tokens that are the same in "
        f"every request, so that a prefix cache holds {held:,} of {before + after:,} tokens{told}",
        at=split.first,
        usd_per_1k=saved,
    )


RULE = Rule(
    code="CO502",
    name="volatile-first",
    summary="a placeholder stands before fixed text, so that little can be cached",
    find=_find,
    covers=frozenset({"CO230"}),
    why="Providers bill the beginning that requests share at a fraction of its price, from a "
    "minimum length on (512 to 4,096 tokens, by model), and that beginning ends at the first "
    "placeholder. Only prompts whose fixed text would reach the minimum are listed (1,024 tokens "
    "where the model's is unknown). A placeholder that has one and the same value in all rows of "
    "the eval set counts as fixed. `costopt compress --strategy cache-order` moves what may move.",
    before="Ticket: {{ ticket }}\n\n" + "Follow this rule of the house with care. " * 120 + "\n",
    after="Follow this rule of the house with care. " * 120 + "\n\nTicket: {{ ticket }}\n",
    ignore="Where instructions were measured to work better behind the text, or calls are so rare "
    "that no cache lives until the next one.",
    money="The difference between the input's price and that of cached input, for the fixed text, "
    "if every request finds it cached: the most that can be saved.",
)
