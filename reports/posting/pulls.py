"""Which pull request a check belongs to.

A job on ``workflow_run`` may write, and what it posts comes from a job that ran somebody else's
tree. If the number of the pull request came from there too, anybody could put a comment of their
making under any pull request. So the number is looked up at the host by what the event says, and a
number that was given is only taken where the pull request's head is the commit that was checked.
"""

import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...core.errors import CostoptError
from .api import Api
from .origin import Origin, same_repository

_LISTING = "looking up the pull request"


@dataclass(frozen=True)
class Pull:
    """The pull request to post on."""

    number: int


@dataclass(frozen=True)
class NoPull:
    """There is none to post on, and why that is nobody's mistake."""

    why: str


def find_pull(api: Api, number: int | None, origin: Origin | None) -> Pull | NoPull:
    """Return the pull request that a check belongs to.

    Args:
        api: The host.
        number: The number that was asked for.
        origin: What the event tells.

    Raises:
        CostoptError: nothing says which; or what was asked for is not what was checked.
    """
    if origin is None:
        if number is None:
            hint = "give --pull NUMBER, or run it in a job on pull_request or workflow_run"
            raise CostoptError("nothing says which pull request this check is of", hint=hint)
        return Pull(number)
    if origin.number is not None:
        if number not in (None, origin.number):
            what = f"the event is of pull request {origin.number}, not of {number}"
            raise CostoptError(what, hint="leave out --pull")
        return Pull(origin.number)
    return _given(api, number, origin) if number is not None else _found(api, origin)


def _given(api: Api, number: int, origin: Origin) -> Pull | NoPull:
    pull: Any = api.call("GET", f"/pulls/{number}", doing=_LISTING).data()
    if not isinstance(pull, dict) or not _same_head(pull, origin):
        what = f"pull request {number} is not the one whose head was checked"
        hint = "leave out --pull: it is found by the commit that the run was started for"
        raise CostoptError(what, hint=hint)
    return Pull(number) if _sha(pull) == origin.head else _moved(number)


def _found(api: Api, origin: Origin) -> Pull | NoPull:
    if origin.head_repository is None or origin.head_branch is None:
        return NoPull("the repository or the branch of the head is gone")
    head = f"{origin.head_repository.partition('/')[0]}:{origin.head_branch}"
    query = urllib.parse.urlencode({"state": "open", "head": head})
    pulls = [
        pull
        for pull in api.pages(f"/pulls?{query}", doing=_LISTING)
        if isinstance(pull, dict) and isinstance(pull.get("number"), int)
        # A host that does not know the filter would list every pull request.
        if _same_head(pull, origin)
    ]
    current = [pull["number"] for pull in pulls if _sha(pull) == origin.head]
    if len(current) > 1:
        numbers = ", ".join(str(number) for number in sorted(current))
        what = f"{len(current)} pull requests have the head that was checked: {numbers}"
        raise CostoptError(what, hint="give --pull NUMBER; its head is checked all the same")
    if current:
        return Pull(current[0])
    return _moved(pulls[0]["number"]) if pulls else NoPull("no open pull request has this head")


def _moved(number: int) -> NoPull:
    return NoPull(f"pull request {number} has a newer head than the one that was checked")


def _same_head(pull: Mapping[str, Any], origin: Origin) -> bool:
    head = pull.get("head")
    if not isinstance(head, dict):
        return False
    repository = head.get("repo")
    name = repository.get("full_name") if isinstance(repository, dict) else None
    return same_repository(name, origin.head_repository) and head.get("ref") == origin.head_branch


def _sha(pull: Mapping[str, Any]) -> object:
    head = pull.get("head")
    return head.get("sha") if isinstance(head, dict) else None
