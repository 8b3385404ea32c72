"""The whole comment: the marker, the check, and where it comes from."""

from ...core.errors import CostoptError
from .comments import LONGEST, marker
from .origin import Origin, same_repository

_FORK = (
    "It ran on a fork, whose author can change the run that made it: it decides nothing by itself."
)
_FAILED = "The run ended as a failure, though this check says that it passed."


def compose(
    text: str,
    mark: str,
    *,
    repository: str,
    passed: bool,
    version: str,
    origin: Origin | None = None,
) -> str:
    """Return the comment.

    Args:
        text: The check as Markdown.
        mark: The marker that it is found again by.
        repository: ``OWNER/NAME`` of the pull request.
        passed: Whether the check passed.
        version: The version of costopt.
        origin: What the event tells about the commit.

    Raises:
        CostoptError: it is longer than the host takes.

    Example:
        >>> said = compose("Well.", "<!-- x -->", repository="o/n", passed=True, version="1")
        >>> said.splitlines()
        ['<!-- x -->', 'Well.', '', 'Posted by costopt 1.']
    """
    own = text.strip().removeprefix(marker(None)).lstrip()
    body = f"{mark}\n{own}\n\n{_footer(origin, repository, passed, version)}\n"
    if len(body) > LONGEST:
        what = f"the comment has {len(body):,} characters, and the host takes {LONGEST:,}"
        raise CostoptError(what, hint="check fewer prompts at a time: costopt check PATH")
    return body


def _footer(origin: Origin | None, repository: str, passed: bool, version: str) -> str:
    if origin is None:
        return f"Posted by costopt {version}."
    run = f", from [this run]({origin.page})" if origin.page else ""
    parts = [f"Posted by costopt {version} for commit {origin.head[:12]}{run}."]
    if origin.head_repository and not same_repository(origin.head_repository, repository):
        parts.append(_FORK)
    if passed and origin.conclusion == "failure":
        parts.append(_FAILED)
    return " ".join(parts)
