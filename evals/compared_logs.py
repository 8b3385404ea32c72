"""Two result logs, paired by their rows' ids: quality, tokens, and money that was really saved."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..core.errors import CostoptError, Where
from ..core.protocols import TokenCounter
from .readings import Pairs, Quality, quality_of
from .realised import Characters, Money, Pricing, money_of
from .result_log import ResultLog


@dataclass(frozen=True, kw_only=True)
class LogComparison:
    """What two logs say of each other.

    Attributes:
        base: The first log's path.
        head: The second's.
        paired: Rows that both have.
        only_base: Ids of rows that only the first has.
        only_head: Ids of rows that only the second has.
        quality: ``None`` where nothing could be scored.
        money: Tokens and savings.
        columns: Which columns were read, log by log.
        worse: Why head is worse, sentence by sentence; empty where it was not shown to be.
        notes: What else is to be known.
    """

    base: str
    head: str
    paired: int
    only_base: tuple[str, ...]
    only_head: tuple[str, ...]
    quality: Quality | None
    money: Money
    worse: tuple[str, ...]
    notes: tuple[str, ...] = ()


def compare_logs(
    base: ResultLog,
    head: ResultLog,
    *,
    metric: str | None = None,
    margin: float | None = None,
    counter: TokenCounter | Characters,
    pricings: Sequence[Pricing],
) -> LogComparison:
    """Compare two logs on the rows that both have.

    Raises:
        CostoptError: no row is in both, or the metric cannot score them.
    """
    pairs: Pairs = [(row, head.rows[id_]) for id_, row in base.rows.items() if id_ in head.rows]
    if not pairs:
        hint = "rows are paired by their ids; name the column as --columns id=NAME"
        raise CostoptError(f"no id of {base.path} is in it", where=Where(head.path), hint=hint)
    quality = quality_of(base, head, pairs, metric=metric, margin=margin)
    money = money_of(base, head, pairs, counter=counter, pricings=pricings)
    return LogComparison(
        base=base.path,
        head=head.path,
        paired=len(pairs),
        only_base=tuple(id_ for id_ in base.rows if id_ not in head.rows),
        only_head=tuple(id_ for id_ in head.rows if id_ not in base.rows),
        quality=quality,
        money=money,
        worse=tuple(_worse(quality, money)),
        notes=tuple(_notes(quality, pairs)),
    )


def _worse(quality: Quality | None, money: Money) -> list[str]:
    """Say what is shown to be worse: quality, or the cost of what is not shown to be better."""
    said: list[str] = []
    if quality is not None and quality.verdict == "worse":
        said.append(f"quality is worse by more than the margin ({quality.reading.name})")
    if quality is None or quality.verdict != "better":
        said += [
            f"it costs more at {saving.pricing}"
            for saving in money.savings
            if saving.high is not None and saving.high < 0
        ]
    return said


def _notes(quality: Quality | None, pairs: Pairs) -> list[str]:
    said: list[str] = []
    if quality is None:
        said.append("quality is not measured: neither scores nor answers with references in both")
    elif quality.reading.unscored:
        said.append(f"{quality.reading.unscored} pairs have no score on both sides")
    if quality is not None and quality.reading.scale == "unbounded" and not quality.margin:
        said.append("scores have no range and no --margin is given: any loss counts")
    changed = sum(bool(b.references and h.references) and b.references != h.references
                  for b, h in pairs)  # fmt: skip
    if changed:
        said.append(f"{changed} rows have another reference in head: each is scored by its own")
    return said
