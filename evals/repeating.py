"""Repeated draws of the same request, and the noise floor that two of them show."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import fmean

from ..core.evidence import NoiseFloor
from ..core.protocols import Asker, TargetError
from ..core.types import Request, Sample, Variant
from ..models.spending import BudgetExceeded
from .choice import Comparison
from .runner import Outcome, Runner
from .setup import Judge

_LOOKED_AT = 40
"""Rows that are drawn twice before anything else, at most."""


def draw_key(id_: str, number: int) -> str:
    """Return the key of a row's draw; the first has the row's own.

    Example:
        >>> draw_key("a", 0), draw_key("a", 2)
        ('a', 'a (draw 3)')
    """
    return id_ if number == 0 else f"{id_} (draw {number + 1})"


async def settle_repeats(
    runner: Runner, baseline: Variant, samples: Sequence[Sample], judges: Iterable[Judge | None]
) -> tuple[int, str | None]:
    """Return how often each variant is drawn, and why where that is less than was asked for.

    At temperature 0 the baseline is drawn twice on ``samples`` first; both draws are among those
    that a run asks for anyway.

    Args:
        runner: Of the prompt and target; knows what was asked for.
        baseline: The prompt as it is.
        samples: Rows to look at.
        judges: How variants are judged.
    """
    most = runner.most_repeats
    if most == 1:
        return 1, None
    if not any(judge is not None and judge.mode == "generate" for judge in judges):
        return 1, "the log-likelihood of a text is the same each time"
    if baseline.template.settings.temperature > 0:
        return most, None
    try:
        same = await always_the_same(
            runner.client, runner.first_requests(baseline, samples[:_LOOKED_AT]), again=most
        )
    except BudgetExceeded:
        runner.out_of_budget = True
        return most, None
    if not same:
        return most, None
    return 1, "at temperature 0 two draws of the baseline said the same on every row"


async def always_the_same(client: Asker, requests: Sequence[Request], again: int) -> bool | None:
    """Say whether a second draw of each request says the same; ``None`` where nobody can tell.

    Args:
        client: Asks the target.
        requests: First draws.
        again: The replicate that is the second.

    Raises:
        BudgetExceeded: the cap does not allow a request.
    """
    found = await asyncio.gather(
        *(_alike(client, request, again) for request in requests), return_exceptions=True
    )
    errors = [one for one in found if isinstance(one, BaseException)]
    for error in errors:
        if not isinstance(error, TargetError):
            raise error
    told = [one for one in found if isinstance(one, bool)]
    return all(told) if told else None


async def _alike(client: Asker, request: Request, again: int) -> bool:
    one = await client.ask(request)
    return one.text == (await client.ask(replace(request, replicate=again))).text


def noise_floor(
    target: str,
    comparison: Comparison,
    baseline: Sequence[Outcome],
    again: Sequence[Outcome],
    *,
    repeats: int,
    note: str | None,
) -> NoiseFloor | None:
    """Return what two draws of the same prompt show; ``None`` where no row has both.

    Args:
        target: The target's name.
        comparison: Of the second draw with the first.
        baseline: The first draws.
        again: The second draws.
        repeats: How often each variant is drawn.
        note: Why it is drawn less often than was asked for.
    """
    delta = comparison.delta
    if delta is None:
        return None
    spread = fmean(abs(difference) for difference in comparison.differences)
    return NoiseFloor(
        target=target,
        metric=comparison.metric,
        mean_difference=spread,
        mean=delta.mean,
        low=delta.low,
        high=delta.high,
        n=delta.n,
        margin=delta.margin,
        reaches_margin=spread > 0 and (delta.low < -delta.margin or delta.high > delta.margin),
        repeats=repeats,
        same_answers=_same(baseline, again),
        note=note,
    )


def _same(baseline: Sequence[Outcome], again: Sequence[Outcome]) -> bool | None:
    """Say whether both draws generated the same; ``None`` where nothing was generated."""
    before = {
        outcome.trial.sample.id: [answer.text for answer in outcome.answers]
        for outcome in baseline
        if outcome.trial.mode == "generate"
    }
    pairs = [
        before[outcome.trial.sample.id] == [answer.text for answer in outcome.answers]
        for outcome in again
        if outcome.trial.mode == "generate" and outcome.trial.sample.id in before
    ]
    return all(pairs) if pairs else None
