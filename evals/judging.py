"""The judge of one prompt's answers at one target: asks it, and keeps its books apart.

What a judge costs goes through the run's cap and store like any request, and into no variant's
cost: that would make a variant dearer for being looked at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from statistics import fmean

from ..core.evidence import JudgeReport
from ..core.protocols import Asker, TargetError, TokenCounter
from ..core.types import Answer, Failure, FailureKind, Score
from ..costs.prices import Price
from ..models.keys import request_key
from .judge_audit import Audit
from .judge_prompt import Task, Unreadable, Word, ask, read
from .payback import Paid, paid_by

_POINTS: Mapping[Word, float] = {"A": -1.0, "TIE": 0.0, "B": 1.0}
"""What a verdict is worth to the answer that stands second."""


@dataclass(frozen=True, kw_only=True)
class Seat:
    """The target that judges in a run, with its client and price."""

    name: str
    client: Asker
    counter: TokenCounter
    own: Price | None = None
    """What its calls are billed at; ``None`` where that is nothing or unknown."""
    free: bool = False


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a judge said of two answers, shown in both orders.

    ``score`` is the tried answer's: 1 where it was preferred in both orders, -1 where the held
    one was, 0 for a tie; ``turned`` says that each order preferred the other answer.
    """

    score: float
    turned: bool = False


@dataclass(kw_only=True)
class Referee:
    """Compares answers through the judge's seat, and counts what that takes."""

    seat: Seat
    same_model: bool = False
    """Whether the judge is the model that is judged."""
    audit: Audit | None = None
    pairs: int = 0
    turned: int = 0
    unreadable: int = 0
    _answers: dict[str, Answer] = field(default_factory=dict[str, Answer])

    @property
    def fit(self) -> bool:
        """Whether its verdicts may show that a variant holds."""
        return self.audit is not None and self.audit.fit

    async def compare(self, task: Task, held: str, tried: str) -> Verdict:
        """Return the verdict on two answers; nobody is asked about two that are the same.

        Raises:
            Unreadable: the judge did not answer with one of its words.
            TargetError: the judge gave no answer.
            BudgetExceeded: the cap does not allow the request.
        """
        if held == tried:
            return Verdict(score=0.0)
        first = _POINTS[await self.word(task, held, tried)]
        second = -_POINTS[await self.word(task, tried, held)]
        return Verdict(score=(first + second) / 2, turned=first * second < 0)

    async def word(self, task: Task, first: str, second: str) -> Word:
        """Return the judge's word on two answers in one order.

        Raises:
            Unreadable: it is none of the three.
            TargetError: the judge gave no answer.
            BudgetExceeded: the cap does not allow the request.
        """
        request = ask(task, first, second)
        answer = await self.seat.client.ask(request)
        self._answers[request_key(self.seat.client.target.identity, request)] = answer
        found = read(answer.text)
        if found is None:
            raise Unreadable(f"the judge did not answer with A, B or TIE but {answer.text[:60]!r}")
        return found

    async def score(self, task: Task, held: Sequence[str], tried: Sequence[str]) -> Score | Failure:
        """Return the score of a row: the mean of its draws, each against the baseline's own.

        Raises:
            BudgetExceeded: the cap does not allow a request.
        """
        if self.audit is not None and self.audit.silent and list(held) != list(tried):
            return Failure(FailureKind.SCORER, "the judge gave no verdict in its audit")
        verdicts: list[Verdict] = []
        for before, after in zip(held, tried, strict=False):
            self.pairs += before != after
            try:
                verdicts.append(await self.compare(task, before, after))
            except Unreadable as error:
                self.unreadable += 1
                return Failure(FailureKind.SCORER, str(error))
            except TargetError as error:
                return Failure(FailureKind.SCORER, f"the judge gave no answer: {error}")
        self.turned += sum(verdict.turned for verdict in verdicts)
        return Score(fmean(v.score for v in verdicts), tried[0], _said(verdicts))

    def paid(self) -> Decimal | None:
        """Return what all its answers cost, those that were stored too; ``None``: unknown."""
        cost: Paid = paid_by(self.seat.own, free=self.seat.free, concurrency=lambda: None)
        costs = [cost(answer) for answer in self._answers.values()]
        known = [usd for usd in costs if usd is not None]
        return sum(known, Decimal(0)) if len(known) == len(costs) else None

    def report(self, target: str) -> JudgeReport | None:
        """Return what the report says of it; ``None`` where it was not asked."""
        if not self._answers and self.audit is None:
            return None
        answers = self._answers.values()
        return JudgeReport(
            target=target,
            judge=self.seat.name,
            model=self.seat.client.target.model,
            fit=self.audit.fit if self.audit else None,
            reason=self.audit.reason if self.audit else "the run ended before it was audited",
            audit=self.audit.probes if self.audit else {},
            pairs=self.pairs,
            position_dependent=self.turned,
            unreadable=self.unreadable,
            usd=self.paid(),
            requests=len(self._answers),
            input_tokens=sum(answer.usage.input for answer in answers),
            output_tokens=sum(answer.usage.output for answer in answers),
            notes=("it is the model that it judges, and may favour its own kind",)
            if self.same_model
            else (),
        )


def _said(verdicts: Sequence[Verdict]) -> str:
    turned = sum(verdict.turned for verdict in verdicts)
    if not turned:
        return "judged in both orders"
    return f"the order turned the verdict on {turned} of {len(verdicts)} draws: a tie"
