"""The whole comment: the marker, the check, and where it comes from."""

from ...core.errors import CostoptError
from .comments import LONGEST, marker
from .origin import Origin, same_repository

_FORK = (
    "It ran on a fork, whose author can change the run that made it: it decides nothing by itself."
)
_ENDED = "The run ended as {how}, though this check says that it passed."
_HOW = {"failure": "a failure"}


def compose(
    text: str,
    mark: str,
    *,
    repository: str,
    passed: bool,
    origin: Origin | None = None,
) -> str:
    """Return the comment.

    Args:
        text: The check as Markdown.
        mark: The marker that it is found again by.
        repository: ``OWNER/NAME`` of the pull request.
        passed: Whether the check passed.
        origin: What the event tells about the commit.

    Raises:
        CostoptError: it is longer than the host takes.

    Example:
        >>> origin = Origin(head="3f2a9c1d5b70" + "0" * 28)
        >>> said = compose("Well.", "<!-- x -->", repository="o/n", passed=True, origin=origin)
        >>> said.splitlines()
        ['<!-- x -->', 'Well.', '', 'For commit 3f2a9c1d5b70.']
    """
    own = text.strip().removeprefix(marker(None)).lstrip()
    footer = _footer(origin, repository, passed) if origin is not None else ""
    body = f"{mark}\n{own}\n\n{footer}".rstrip() + "\n"
    if len(body) > LONGEST:
        what = f"the comment has {len(body):,} characters, and the host takes {LONGEST:,}"
        raise CostoptError(what, hint="check fewer prompts at a time: costopt check PATH")
    return body


def _footer(origin: Origin, repository: str, passed: bool) -> str:
    run = f", from [this run]({origin.page})" if origin.page else ""
    parts = [f"For commit {origin.head[:12]}{run}."]
    if origin.head_repository and not same_repository(origin.head_repository, repository):
        parts.append(_FORK)
    if passed and origin.conclusion not in (None, "success"):
        how = _HOW.get(origin.conclusion, origin.conclusion.replace("_", " "))
        parts.append(_ENDED.format(how=how))
    return " ".join(parts)
