"""The comments of a pull request: those that are ours, and what can be done with them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...core.errors import CostoptError
from .answers import RefusedError
from .api import Api

LONGEST = 65_536
"""Characters of a comment; the host refuses a longer one."""

_TAG = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,48}[A-Za-z0-9])?")
_OWN = """query($ids: [ID!]!) {
  viewer { login }
  nodes(ids: $ids) { ... on IssueComment { id isMinimized } }
}"""
_HIDE = """mutation($id: ID!) {
  minimizeComment(input: {subjectId: $id, classifier: OUTDATED}) {
    minimizedComment { isMinimized }
  }
}"""
_LISTING = "listing the comments"
_CHUNK = 100
"""GraphQL takes as many ids at once."""


@dataclass(frozen=True, kw_only=True)
class Comment:
    """A comment of an earlier check."""

    id: int
    node: str
    """What GraphQL calls it."""
    body: str
    author: str
    hidden: bool = False


def marker(tag: str | None) -> str:
    """Return the line that comments of a check begin with, and are found again by.

    Raises:
        CostoptError: a tag that could end the line, or that nobody could type.

    Example:
        >>> marker(None), marker("nightly")
        ('<!-- costopt:check -->', '<!-- costopt:check:nightly -->')
    """
    if tag is None:
        return "<!-- costopt:check -->"
    if not _TAG.fullmatch(tag) or "--" in tag:
        hint = "up to 50 letters, digits, dots, dashes and underscores, such as --tag nightly"
        raise CostoptError(f'"{tag[:80]}" is no tag', hint=hint)
    return f"<!-- costopt:check:{tag} -->"


class Comments:
    """The comments of one pull request.

    Args:
        api: The host.
        pull: The pull request's number.
    """

    def __init__(self, api: Api, pull: int) -> None:
        self._api = api
        self._pull = pull

    def own(self, mark: str) -> list[Comment]:
        """Return the comments that begin with a marker and that the token's user wrote.

        Oldest first. Others may write the marker too: their comments are never touched.

        Raises:
            CostoptError: the host failed.
        """
        path = f"/issues/{self._pull}/comments"
        marked = [
            comment
            for item in self._api.pages(path, doing=_LISTING)
            if (comment := _comment(item)) is not None and comment.body.startswith(mark)
        ]
        chunks = [marked[i : i + _CHUNK] for i in range(0, len(marked), _CHUNK)]
        return [comment for chunk in chunks for comment in self._checked(chunk)]

    def _checked(self, marked: Sequence[Comment]) -> list[Comment]:
        """Return those that are ours, with whether they are hidden.

        Who we are is asked through GraphQL, since the token of a job may not ask ``/user``.
        """
        ids = {"ids": [comment.node for comment in marked]}
        data = self._api.graphql(_OWN, ids, doing="asking whose token this is")
        viewer = data.get("viewer") if isinstance(data, dict) else None
        login = viewer.get("login") if isinstance(viewer, dict) else None
        if not isinstance(login, str) or not login:
            raise CostoptError("the host does not say whose token this is")
        nodes: list[Any] = data.get("nodes") or []
        found = [node for node in nodes if isinstance(node, dict)]
        hidden = {node.get("id") for node in found if node.get("isMinimized") is True}
        return [
            Comment(
                id=one.id,
                node=one.node,
                body=one.body,
                author=one.author,
                hidden=one.node in hidden,
            )
            for one in marked
            if one.author == login
        ]

    def create(self, body: str, known: Sequence[Comment], mark: str) -> None:
        """Write a new comment; one whose answer was lost is looked for before it is written again.

        Args:
            body: The comment.
            known: Our comments before.
            mark: The marker that they begin with.

        Raises:
            CostoptError: the host failed.
        """
        before = {comment.id for comment in known}
        for last in (False, True):
            try:
                self._create(body)
            except RefusedError as error:
                if last or not error.maybe_done:
                    raise
                now = [comment for comment in self.own(mark) if comment.id not in before]
                if any(same_text(comment.body, body) for comment in now):
                    return
            else:
                return

    def _create(self, body: str) -> None:
        path = f"/issues/{self._pull}/comments"
        doing = "writing the comment"
        self._api.call("POST", path, body={"body": body}, doing=doing, twice=False)

    def update(self, comment: Comment, body: str) -> bool:
        """Give a comment another text; ``False`` where it is gone.

        Raises:
            CostoptError: the host failed.
        """
        path = f"/issues/comments/{comment.id}"
        try:
            self._api.call("PATCH", path, body={"body": body}, doing="updating the comment")
        except RefusedError as error:
            if error.status in (404, 410):
                return False
            raise
        return True

    def delete(self, comment: Comment) -> None:
        """Delete a comment; one that is gone already is no error.

        Raises:
            CostoptError: the host failed.
        """
        path = f"/issues/comments/{comment.id}"
        try:
            self._api.call("DELETE", path, doing="deleting an earlier comment")
        except RefusedError as error:
            if error.status not in (404, 410):
                raise

    def hide(self, comment: Comment) -> None:
        """Fold a comment away as outdated.

        Raises:
            CostoptError: the host failed.
        """
        self._api.graphql(_HIDE, {"id": comment.node}, doing="hiding an earlier comment")


def same_text(one: str, other: str) -> bool:
    """Return whether two comments say the same; hosts change line ends and outer spaces."""
    return one.replace("\r\n", "\n").strip() == other.replace("\r\n", "\n").strip()


def _comment(item: object) -> Comment | None:
    if not isinstance(item, dict):
        return None
    found: Any = item
    user = found.get("user")
    author = user.get("login") if isinstance(user, dict) else None
    body, node, number = found.get("body"), found.get("node_id"), found.get("id")
    if not isinstance(body, str) or not isinstance(node, str) or not isinstance(number, int):
        return None
    if not isinstance(author, str):
        return None  # Who deleted their account has written comments that have no author.
    return Comment(id=number, node=node, body=body.lstrip(), author=author)
