"""What may change of order: static blocks may come before those that differ between requests."""

from collections import Counter

from ..core.errors import CostoptError
from ..core.types import PromptTemplate, Syntax
from .base import replace_content
from .layout import blocks


def comparable(
    before: PromptTemplate, after: PromptTemplate
) -> tuple[PromptTemplate, PromptTemplate] | str:
    """Return both templates in the order of the first, or why the new order is refused.

    Within each message the blocks must be the same; the static ones keep their order among
    themselves, and so do those that differ between requests. Nothing moves between messages.
    """
    if before.syntax != after.syntax or len(before.messages) != len(after.messages):
        return before, after
    old: dict[int, str] = {}
    for index, (one, other) in enumerate(zip(before.messages, after.messages, strict=True)):
        if one.content == other.content:
            continue
        try:
            problem = _problem(one.content, other.content, before.syntax)
        except CostoptError as error:
            return f"the template no longer parses: {error.what}"
        if problem:
            return problem
        old[index] = one.content
    return before, replace_content(after, old)


def _problem(old: str, new: str, syntax: Syntax) -> str | None:
    was, now = blocks(old, syntax), blocks(new, syntax)
    if Counter(b.text for b in was) != Counter(b.text for b in now):
        return "a block of the prompt was changed, added or lost"
    for volatile in (True, False):
        if [b.text for b in was if b.volatile is volatile] != [
            b.text for b in now if b.volatile is volatile
        ]:
            return "blocks of one kind changed their order"
    return None
