"""Posts a check: which pull request, which earlier comments, and then what is to be done."""

from dataclasses import dataclass

from .address import Address
from .api import Api
from .behaviors import Behavior, carry_out, describe, plan
from .body import compose
from .comments import Comments, marker
from .origin import Origin
from .pulls import NoPull, find_pull


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is asked for.

    Attributes:
        at: The host and the repository.
        pull: The pull request's number, where it was given.
        origin: What the job's event tells.
        behavior: What becomes of earlier comments.
        tag: Tells several checks of one pull request apart.
        dry_run: Whether to look only.
    """

    at: Address
    pull: int | None = None
    origin: Origin | None = None
    behavior: Behavior = "update"
    tag: str | None = None
    dry_run: bool = False


@dataclass(frozen=True, kw_only=True)
class Said:
    """A check as it is to be said: as Markdown, and whether that is any news."""

    text: str
    passed: bool
    news: bool = True


@dataclass(frozen=True)
class Posted:
    """What was done, or would be, as a sentence; and the comment."""

    sentence: str
    body: str


def post(api: Api, wanted: Wanted, said: Said) -> Posted:
    """Post a check, or say what would be done.

    Raises:
        CostoptError: the host failed, or it is not clear where the check belongs.
    """
    mark, body = marker(wanted.tag), comment_of(wanted, said)
    pull = find_pull(api, wanted.pull, wanted.origin)
    if isinstance(pull, NoPull):
        return Posted(f"Nothing to post: {pull.why}.", body)
    comments = Comments(api, pull.number)
    own = comments.own(mark)
    what = plan(wanted.behavior, own, body, silent=not said.news)
    place = f"Pull request {pull.number} of {wanted.at.repository}: "
    if wanted.dry_run:
        return Posted(place + describe(what), body)
    return Posted(place + carry_out(what, comments, own, body, mark), body)


def comment_of(wanted: Wanted, said: Said) -> str:
    """Return the comment, for which nothing is asked.

    Raises:
        CostoptError: a bad tag, or a comment that is too long.
    """
    return compose(
        said.text,
        marker(wanted.tag),
        repository=wanted.at.repository,
        passed=said.passed,
        origin=wanted.origin,
    )
