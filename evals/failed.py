"""Says which rows of a variant failed, and why: none drops out of n without a word."""

from collections.abc import Sequence

from ..core.types import Failure, FailureKind
from .runner import Outcome

_NAMED = 5
_STOPPED = frozenset({FailureKind.BUDGET, FailureKind.INTERRUPTED})
_LONGEST = 160


def failed_note(outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """Return a note that names the rows without a score; nothing where there are none.

    Rows that a cap or Ctrl-C left out did not fail: the report is marked partial for them.
    """
    failed = [
        (outcome.trial.sample.id, outcome.result)
        for outcome in outcomes
        if isinstance(outcome.result, Failure) and outcome.result.kind not in _STOPPED
    ]
    if not failed:
        return ()
    named = [f"{id_} ({_reason(failure)})" for id_, failure in failed[:_NAMED]]
    more = f" and {len(failed) - _NAMED} more" if len(failed) > _NAMED else ""
    rows = "row" if len(failed) == 1 else "rows"
    return (f"{len(failed)} {rows} without a score: {', '.join(named)}{more}",)


def _reason(failure: Failure) -> str:
    text = f"{failure.kind.value}: {failure.message}"
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
