"""What becomes of earlier comments: ``update``, ``new``, ``hide-and-new``, ``delete-and-new``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from .comments import Comment, Comments, same_text

Behavior = Literal["update", "new", "hide-and-new", "delete-and-new"]
BEHAVIORS: tuple[Behavior, ...] = ("update", "new", "hide-and-new", "delete-and-new")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be done, in this order.

    Attributes:
        update: The comment that gets the new text; ``None`` where a new one is written.
        create: Whether a new one is written.
        hide: Comments that are folded away after that.
        delete: Comments that are deleted after that.
        why: Why nothing is to be done.
    """

    update: Comment | None = None
    create: bool = False
    hide: tuple[Comment, ...] = ()
    delete: tuple[Comment, ...] = ()
    why: str | None = None


def plan(behavior: Behavior, own: Sequence[Comment], body: str, *, silent: bool) -> Plan:
    """Return what is to be done.

    Args:
        behavior: What becomes of earlier comments.
        own: Our earlier comments, oldest first.
        body: The new comment.
        silent: Whether there is nothing to say where nothing was said before.

    Example:
        >>> plan("update", [], "All is well.", silent=True).why
        'nothing changed, and nothing was said before'
    """
    if silent and not own:
        return Plan(why="nothing changed, and nothing was said before")
    if behavior == "update" and own:
        if same_text(own[-1].body, body):
            return Plan(why="the comment says so already")
        return Plan(update=own[-1])
    # The new one comes first: if it cannot be written, the earlier ones are still there.
    if behavior == "hide-and-new":
        return Plan(create=True, hide=tuple(one for one in own if not one.hidden))
    if behavior == "delete-and-new":
        return Plan(create=True, delete=tuple(own))
    return Plan(create=True)


def carry_out(what: Plan, comments: Comments, own: Sequence[Comment], body: str, mark: str) -> str:
    """Do it, and return what was done, as a sentence.

    Raises:
        CostoptError: the host failed; what came before in the plan is done.
    """
    if what.why is not None:
        return f"Nothing to post: {what.why}."
    if what.update is not None and comments.update(what.update, body):
        return f"Updated comment {what.update.id}."
    comments.create(body, own, mark)
    for comment in what.hide:
        comments.hide(comment)
    for comment in what.delete:
        comments.delete(comment)
    return f"Wrote a new comment{_after(what, 'hid', 'deleted')}."


def describe(what: Plan) -> str:
    """Return what would be done, as a sentence."""
    if what.why is not None:
        return f"Would post nothing: {what.why}."
    if what.update is not None:
        return f"Would update comment {what.update.id}."
    return f"Would write a new comment{_after(what, 'hide', 'delete')}."


def _after(what: Plan, hide: str, delete: str) -> str:
    parts = [
        f" and {verb} {len(found)} earlier one{'' if len(found) == 1 else 's'}"
        for verb, found in ((hide, what.hide), (delete, what.delete))
        if found
    ]
    return "".join(parts)
