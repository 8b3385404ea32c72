"""What the event of a CI job tells about the commit that was checked.

An event is written by GitHub. What lies in an artifact is written by whoever opened the pull
request, so that nothing here is ever read from one.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...core.errors import CostoptError, Where

_LARGEST = 32 * 1024 * 1024
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_PAGE = re.compile(
    r"https://[A-Za-z0-9.-]+(:\d+)?/[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+/actions/runs/\d+"
)
_CONCLUSIONS = (
    "success", "failure", "cancelled", "timed_out", "action_required", "neutral", "skipped",
    "stale", "startup_failure",
)  # fmt: skip
_HINT = "run it in a job on pull_request or workflow_run, or give --pull NUMBER"


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The pull request's head as an event names it.

    Attributes:
        head: The commit that was checked.
        number: The pull request's number; ``None`` in a ``workflow_run`` event, which names none
            for a fork's.
        head_repository: ``OWNER/NAME`` of the head; ``None`` where that is gone.
        head_branch: Its branch.
        page: The page of the run that checked, which a reader may open.
        conclusion: How that run ended.
    """

    head: str
    number: int | None = None
    head_repository: str | None = None
    head_branch: str | None = None
    page: str | None = None
    conclusion: str | None = None


def read_event(path: Path) -> dict[str, Any]:
    """Return the event that started a job.

    Raises:
        CostoptError: no such file, or no JSON object.
    """
    where = Where(path.as_posix())
    try:
        with path.open("rb") as file:
            found: Any = json.loads(file.read(_LARGEST))
    except OSError as error:
        raise CostoptError(error.strerror or "cannot read", where=where, hint=_HINT) from None
    except (ValueError, RecursionError):
        raise CostoptError("the event is no JSON", where=where, hint=_HINT) from None
    if not isinstance(found, dict):
        raise CostoptError("the event is no JSON object", where=where, hint=_HINT)
    return found


def origin_of(event: Mapping[str, Any], repository: str) -> Origin | None:
    """Return what an event tells; ``None`` where it is about no pull request of the repository.

    Raises:
        CostoptError: a ``workflow_run`` event of a run that checked no pull request, or of
            another repository: nothing there would tell whose pull request a number is.

    Example:
        >>> pull = {"number": 7, "head": {"sha": "a" * 40}}
        >>> origin_of({"repository": {"full_name": "o/n"}, "pull_request": pull}, "o/n").number
        7
    """
    run, pull = event.get("workflow_run"), event.get("pull_request")
    own = same_repository(_name(event.get("repository")), repository)
    if isinstance(run, dict):
        return _of_run(run, own)
    if not own:
        return None
    return _of_pull(pull) if isinstance(pull, dict) else None


def _of_run(run: Mapping[str, Any], own: bool) -> Origin:
    if not own:
        what = "a job on workflow_run posts in its own repository only"
        raise CostoptError(what, hint="leave out --repo")
    # Of a run on pull_request_target, head_sha would be the base's commit.
    if run.get("event") != "pull_request":
        hint = "give the job: if: github.event.workflow_run.event == 'pull_request'"
        raise CostoptError("the run that ended was not started by a pull request", hint=hint)
    page, branch, conclusion = run.get("html_url"), run.get("head_branch"), run.get("conclusion")
    return Origin(
        head=_sha(run.get("head_sha")),
        head_repository=_name(run.get("head_repository")),
        head_branch=branch if isinstance(branch, str) else None,
        page=page if isinstance(page, str) and _PAGE.fullmatch(page) else None,
        conclusion=conclusion if conclusion in _CONCLUSIONS else None,
    )


def _of_pull(pull: Mapping[str, Any]) -> Origin:
    number = pull.get("number")
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise CostoptError("the event names no pull request's number", hint=_HINT)
    head = pull.get("head")
    return Origin(head=_sha(head.get("sha") if isinstance(head, dict) else None), number=number)


def same_repository(one: str | None, other: str | None) -> bool:
    """Return whether two names are of one repository; hosts do not mind capital letters."""
    return one is not None and other is not None and one.lower() == other.lower()


def _name(repository: object) -> str | None:
    name = repository.get("full_name") if isinstance(repository, dict) else None
    return name if isinstance(name, str) else None


def _sha(value: object) -> str:
    if not isinstance(value, str) or not _SHA.fullmatch(value):
        raise CostoptError("the event names no commit of the head", hint=_HINT)
    return value
