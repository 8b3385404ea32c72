"""Which commits a check is about: the base branch, and where the head left it."""

from dataclasses import dataclass

from ..core.errors import CostoptError
from ..core.git import Git, check_ref

_DEEPER = (
    "fetch the history: git fetch --unshallow, or in a GitHub workflow fetch-depth: 0 for "
    "actions/checkout"
)


@dataclass(frozen=True, kw_only=True)
class Revisions:
    """The commits of a check; before the first commit, all of them are git's empty tree.

    Attributes:
        ref: The base as it was asked for.
        base: The commit that it is: whose configuration and lock count.
        fork: Where the head left it: whose prompts are compared.
        head: The commit that is checked out.
    """

    ref: str
    base: str
    fork: str
    head: str


def resolve(git: Git, ref: str) -> Revisions:
    """Return the commits of a check against ``ref``.

    Raises:
        CostoptError: no such revision, no commit yet, or no common history; for a shallow clone
            it says how to get what is missing.
    """
    base = _commit(git, check_ref(ref))
    head = _commit(git, "HEAD")
    if base is None and ref == "HEAD" and git.line("symbolic-ref", "--quiet", "HEAD"):
        # A hook that runs before the first commit: everything is new.
        nothing = git.read("hash-object", "-t", "tree", "--stdin").decode().strip()
        return Revisions(ref=ref, base=nothing, fork=nothing, head=nothing)
    if base is None:
        raise _unknown(git, ref)
    if head is None:
        raise CostoptError("nothing is committed here yet", hint="commit the prompts first")
    fork = git.line("merge-base", base, head)
    if not fork:
        raise _unrelated(git, ref)
    return Revisions(ref=ref, base=base, fork=fork, head=head)


def _commit(git: Git, ref: str) -> str | None:
    return git.line("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")


def _shallow(git: Git) -> bool:
    return git.line("rev-parse", "--is-shallow-repository") == "true"


def _unknown(git: Git, ref: str) -> CostoptError:
    if _shallow(git):
        what = f'this is a shallow clone, and the base "{ref}" is not in it'
        return CostoptError(what, hint=_DEEPER)
    if any(sign in ref for sign in "~^@"):
        hint = "the history does not go back so far; name another: --base origin/main"
        return CostoptError(f'git knows no revision "{ref}"', hint=hint)
    remote, _, branch = ref.partition("/")
    fetch = f"git fetch {remote} {branch}" if branch else f"git fetch origin {ref}"
    return CostoptError(
        f'git knows no revision "{ref}"',
        hint=f"fetch it first ({fetch}), or name another: --base origin/main",
    )


def _unrelated(git: Git, ref: str) -> CostoptError:
    if _shallow(git):
        what = f'this is a shallow clone, and where HEAD left "{ref}" is not in it'
        return CostoptError(what, hint=_DEEPER)
    return CostoptError(
        f'HEAD and "{ref}" have no commit in common', hint="name the branch that it goes into"
    )
