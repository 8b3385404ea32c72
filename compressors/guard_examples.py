"""What may change of few-shot examples: they may go; those that stay are as they were."""

from collections.abc import Sequence

from ..core.types import PromptTemplate, Syntax
from .base import replace_content
from .example_units import ranges, take_away, turns
from .units import cut_out

_CHANGED = "an example was changed, added or moved"


def comparable(
    before: PromptTemplate, after: PromptTemplate
) -> tuple[PromptTemplate, PromptTemplate] | str:
    """Return both templates without examples, or why the edit of the examples is refused.

    The examples of ``after`` must be some of those of ``before``, in their order, to the letter.
    """
    if before.syntax != after.syntax:
        return before, after
    old, new = (
        [tuple(m.content for m in t.messages[turn.message : turn.message + 2]) for turn in turns(t)]
        for t in (before, after)
    )
    if not _some_of(new, old):
        return _CHANGED
    before, after = (take_away(t, turns(t)) for t in (before, after))
    if len(before.messages) != len(after.messages):
        return before, after
    contents = [
        _texts(one.content, other.content, before.syntax)
        for one, other in zip(before.messages, after.messages, strict=True)
    ]
    if None in contents:
        return _CHANGED
    pairs = [pair for pair in contents if pair is not None]
    return (
        replace_content(before, {i: pair[0] for i, pair in enumerate(pairs)}),
        replace_content(after, {i: pair[1] for i, pair in enumerate(pairs)}),
    )


def _some_of(some: Sequence[object], of: Sequence[object]) -> bool:
    rest = iter(of)
    return all(one in rest for one in some)


def _texts(old: str, new: str, syntax: Syntax) -> tuple[str, str] | None:
    if old == new:
        return old, new
    was = ranges(old, syntax)
    known = [old[start:end] for start, end in was]
    still = ranges(new, syntax)
    if not _some_of([new[start:end] for start, end in still], known):
        return None
    # The last of several may no longer look like an example: it is known by its text.
    found, at = list(still), 0
    recognised = {new[start:end] for start, end in still}
    for text in known:
        start = -1 if text in recognised else new.find(text, at)
        if start != -1:
            at = start + len(text)
            found.append((start, at))
    return cut_out(old, was), cut_out(new, found)
