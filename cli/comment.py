"""``costopt comment``: a saved check as a comment on its pull request."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..core.errors import CostoptError, Where, nearest
from .options import Debug

if TYPE_CHECKING:
    from ..core.checked import CheckReport
    from ..reports.posting.origin import Origin
    from ..reports.posting.post import Posted, Said, Wanted

MAX_BYTES = 64 * 1024 * 1024


def comment(
    file: Annotated[Path, typer.Argument(metavar="CHECK.json", help="A saved check, or -.")],
    github: Annotated[bool, typer.Option("--github", help="Post it at GitHub.")] = False,
    repo: Annotated[
        str | None,
        typer.Option("--repo", metavar="OWNER/NAME", help="Default: GITHUB_REPOSITORY."),
    ] = None,
    pull: Annotated[
        int | None,
        typer.Option(
            "--pull",
            metavar="NUMBER",
            min=1,
            help="The pull request. Default: the one of the job's event.",
            show_default=False,
        ),
    ] = None,
    behavior: Annotated[
        str,
        typer.Option(
            "--behavior",
            metavar="update|new|hide-and-new|delete-and-new",
            help="What becomes of earlier comments.",
        ),
    ] = "update",
    tag: Annotated[
        str | None,
        typer.Option("--tag", metavar="NAME", help="Tells checks of one pull request apart."),
    ] = None,
    skip_unchanged: Annotated[
        bool,
        typer.Option(
            "--skip-unchanged",
            help="Write no comment where no prompt changed and there is none yet.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the comment and what would be done with it.")
    ] = False,
    token_env: Annotated[
        str,
        typer.Option("--token-env", metavar="NAME", help="The variable that holds the token."),
    ] = "GITHUB_TOKEN",  # noqa: S107 (a variable's name)
    api_url: Annotated[
        str | None,
        typer.Option(
            "--api-url",
            metavar="URL",
            help="The interface of GitHub Enterprise. Default: GITHUB_API_URL, else github.com's.",
            show_default=False,
        ),
    ] = None,
    debug: Debug = False,
) -> None:
    """Post a saved check as a comment on its pull request.

    The comment is made here, from the numbers and texts of the file, and never
    taken from it as Markdown. An earlier comment is found by its hidden marker
    and by who wrote it. In a job on workflow_run the pull request is found by
    the commit that GitHub names, whatever the file says.

    \b
    Examples:
      costopt comment check.json --github
      costopt comment check.json --github --repo acme/prompts --pull 7 --dry-run
      costopt comment nightly.json --github --tag nightly --behavior hide-and-new
    """  # noqa: D301 (\b keeps the lines apart)
    del debug  # read by cli.main
    if not github:
        raise CostoptError("nothing says where to post it", hint="give --github")
    check = _read(file)
    wanted = _wanted(repo, api_url, pull, behavior, tag, dry_run)
    said = _said(check, skip_unchanged)
    token = os.environ.get(token_env, "").strip()
    if not token:
        _without_token(wanted, said, token_env)
        return
    _show(_post(wanted, said, token), dry_run)


def _wanted(
    repo: str | None,
    api_url: str | None,
    pull: int | None,
    behavior: str,
    tag: str | None,
    dry_run: bool,
) -> "Wanted":
    from ..reports.posting.address import PUBLIC_API, address
    from ..reports.posting.behaviors import BEHAVIORS
    from ..reports.posting.comments import marker
    from ..reports.posting.post import Wanted

    if behavior not in BEHAVIORS:
        raise CostoptError(f'unknown behavior "{behavior}"', hint=nearest(behavior, BEHAVIORS))
    marker(tag)
    name = repo or os.environ.get("GITHUB_REPOSITORY")
    if not name:
        raise CostoptError("nothing says which repository it is", hint="give --repo OWNER/NAME")
    at = address(api_url or os.environ.get("GITHUB_API_URL") or PUBLIC_API, name)
    return Wanted(
        at=at,
        pull=pull,
        origin=_origin(name),
        behavior=behavior,
        tag=tag,
        dry_run=dry_run,
    )


def _origin(repository: str) -> "Origin | None":
    from ..reports.posting.origin import origin_of, read_event

    event = os.environ.get("GITHUB_EVENT_PATH")
    return origin_of(read_event(Path(event)), repository) if event else None


def _read(file: Path) -> "CheckReport":
    from .saved_check import read_check
    from .source import read_text

    if file.is_symlink():
        # What unpacks an artifact may make links to files of the job's own.
        raise CostoptError("this is a link, and is not followed", where=Where(file.as_posix()))
    return read_check(file, read_text(file, MAX_BYTES))


def _said(check: "CheckReport", skip_unchanged: bool) -> "Said":
    from ..reports.checks.show import show_check
    from ..reports.checks.verdict import state
    from ..reports.posting.post import Said

    text = show_check(check, "markdown", width=80, colour=False, command=None)
    return Said(
        text=text,
        # As its headline says: data that are lacking may be allowed to, and pass then.
        passed=state(check) == "passed",
        news=bool(check.changes) or not check.passed or not skip_unchanged,
    )


def _post(wanted: "Wanted", said: "Said", token: str) -> "Posted":
    from ..reports.posting.api import Api
    from ..reports.posting.post import post

    api = Api(wanted.at, token)
    try:
        return post(api, wanted, said)
    finally:
        api.close()


def _without_token(wanted: "Wanted", said: "Said", token_env: str) -> None:
    from ..reports.posting.post import Posted, comment_of

    if not wanted.dry_run:
        hint = f"in a workflow: env: {token_env}: ${{{{ github.token }}}}; or give --token-env NAME"
        raise CostoptError(f"{token_env} holds no token", hint=hint)
    sentence = f"Without a token in {token_env}, earlier comments are not looked for."
    _show(Posted(sentence, comment_of(wanted, said)), dry_run=True)


def _show(posted: "Posted", dry_run: bool) -> None:
    """Show what was done; in a dry run the comment is the result, and the rest is a message."""
    from ..core.secrets import scrub
    from .output import emit

    if dry_run:
        sys.stderr.write(scrub(posted.sentence) + "\n")
        emit(scrub(posted.body), None)
        return
    emit(scrub(posted.sentence) + "\n", None)
