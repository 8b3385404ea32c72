"""Whole measurements of simulated models, whose truth is known; the measurement is the real one.

A world says what each variant scores on each row. Variants differ in length, so that one that
loses nothing is worth finding; the answers come from a table, and nothing else is made up.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np

from costopt.compressors.base import StrategyContext
from costopt.compressors.variants import CONTROLS, Chain
from costopt.core.progress import Silent
from costopt.core.types import (
    Answer,
    EvalSet,
    GenerationSettings,
    Message,
    PromptTemplate,
    Request,
    Sample,
    Score,
    Source,
    Syntax,
    Usage,
    Variant,
)
from costopt.evals.choice import Candidate, Comparison, recommend
from costopt.evals.measure import Measurement
from costopt.evals.meter import Meter
from costopt.evals.metrics import Metric
from costopt.evals.metrics.base import Scale
from costopt.evals.plan import RowPlan, all_rows, plan_rows
from costopt.evals.runner import HARMFUL, Runner, Tally
from costopt.evals.setup import Judge, Measured, Setup
from costopt.evals.version_measure import VersionMeasurement

BASE_WORDS = 100
Table = Mapping[str, np.ndarray]
"""Scores by variant's name, one a row; ``baseline`` and ``empty-variables`` among them."""


class Words:
    """A fake tokenizer: a word is a token."""

    tokenizer, exact = "words", True

    def __call__(self, text: str) -> int:
        """Count the words."""
        return len(text.split())


@dataclass
class World:
    """A fake target that answers from a table, and counts what it was asked."""

    table: Table
    most: int = 8
    requests: int = 0
    cached_answers: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: Decimal = Decimal(0)
    target: Any = None

    async def ask(self, request: Request) -> Answer:
        """Return the table's score as the answer's text."""
        self.requests += 1
        words = request.messages[-1].content.split()
        # The emptied control names no row; any stands for it.
        row = int(words[-1]) if words[-1] != "row" else 0
        name = words[0] if words[-1] != "row" else HARMFUL
        score = self.table[name][row]
        return Answer(
            text=str(float(score)), usage=Usage(input=len(words), output=1), finish_reason="stop",
            latency_s=0.1, model="simulated", created="2026-01-01T00:00:00Z",
        )  # fmt: skip


def template(name: str, words: int) -> PromptTemplate:
    """Return a prompt of that many words that names its variant and the row."""
    content = f"{name} {'please ' * words}row {{{{ row }}}}"
    source = Source(path="p.md", format="text", raw=content)
    return PromptTemplate(
        name="p", messages=(Message("user", content),), variables=("row",), syntax=Syntax.JINJA,
        source=source, settings=GenerationSettings(), chat=True,
    )  # fmt: skip


class Simulation(Measurement):
    """The real measurement; what is proposed are the world's variants."""

    contenders: tuple[Variant, ...] = ()

    def _propose(self, chains: Sequence[Chain]) -> tuple[Variant, ...]:
        known = {variant.name for variant in self.measured.variants}
        if chains is CONTROLS:
            base = self.setup.template
            emptied = Variant(name=HARMFUL, template=base, control=True)
            return (emptied,) if HARMFUL not in known else ()
        return tuple(one for one in self.contenders if one.name not in known)


@dataclass(frozen=True, kw_only=True)
class Ended:
    """What came of a run."""

    recommended: str
    requests: int
    comparisons: Mapping[str, Comparison] = field(repr=False)
    confirmed: frozenset[str] = frozenset()

    def mean(self, name: str) -> float:
        """Return the mean difference that a variant is reported with."""
        return float(np.mean(self.comparisons[name].differences))


def simulate(
    table: Table,
    lengths: Mapping[str, int],
    *,
    scale: Scale,
    margin: float,
    samples: int,
    race: bool = True,
    seed: int = 0,
    cluster: Callable[[int], str] | None = None,
) -> Ended:
    """Run a measurement; ``lengths`` are the variants' words beside the baseline's 100."""
    world = World(table)
    plan = plan_rows(
        rows_of(table, cluster), samples=samples, candidates=len(lengths), seed=seed, local=False
    )
    simulation = Simulation(setup_of(world, plan, scale=scale, margin=margin, race=race))
    simulation.contenders = tuple(
        Variant(name=name, template=template(name, words)) for name, words in lengths.items()
    )
    measured = asyncio.run(simulation.run())
    return Ended(
        recommended=_recommended(measured, lengths),
        requests=world.requests,
        comparisons=measured.comparisons,
        confirmed=frozenset(measured.confirmed),
    )


def simulate_versions(
    table: Table, *, scale: Scale, margin: float, samples: int, seed: int = 0
) -> Comparison:
    """Hold ``v0`` of a world, as the head, against its baseline."""
    rows = rows_of(table, None)
    plan = all_rows(rows, samples=samples, seed=seed, local=False)
    setup = setup_of(World(table), plan, scale=scale, margin=margin, race=False)
    head = Variant(name="head", template=template("v0", BASE_WORDS - 10))
    measured = asyncio.run(VersionMeasurement(setup, head, of=len(rows.samples)).run())
    return measured.comparisons["head"]


def rows_of(table: Table, cluster: Callable[[int], str] | None) -> EvalSet:
    """Return a world's rows."""
    rows = tuple(
        Sample(
            id=str(n), inputs={"row": str(n)}, references=("x",),
            cluster=cluster(n) if cluster else None,
        )
        for n in range(len(table["baseline"]))
    )  # fmt: skip
    return EvalSet(path="", samples=rows, sha256="")


def setup_of(world: World, plan: RowPlan, *, scale: Scale, margin: float, race: bool) -> Setup:
    """Return what a measurement of a world needs."""
    metric = Metric(
        name="simulated", description="", unit="fraction", range=(0.0, 1.0), scale=scale,
        kind="generated", default_margin=margin,
        scorer=lambda text, references, labels: Score(float(text), text),
    )  # fmt: skip
    judge = Judge(metric=metric, margin=margin, mode="generate")
    return Setup(
        template=template("baseline", BASE_WORDS), chains=(), join=False,
        context=StrategyContext(count=Words()), plan=plan,
        runner=Runner(
            client=world, metrics={"generate": metric}, progress=Silent(), tally=Tally()
        ),
        meter=Meter(counter=Words(), price=None, recount=False, rows=plan.rows[:1]),
        judges={"input": judge, "output": judge}, race=race,
    )  # fmt: skip


def _recommended(measured: Measured, lengths: Mapping[str, int]) -> str:
    candidates = [
        Candidate(
            name=name, cost=Decimal(words), verdict=measured.comparisons[name].verdict,
            confirmed=name in measured.confirmed, control=False,
            harm_seen=measured.harm_seen.get("simulated", False),
        )
        for name, words in lengths.items()
        if name in measured.comparisons
    ]  # fmt: skip
    return recommend(candidates, Decimal(BASE_WORDS))[0]


def binary_world(
    rng: np.random.Generator, rows: int, losses: Sequence[float], *, moved: float = 0.05
) -> Table:
    """Right or wrong answers: a variant gains ``moved`` rows and loses as many and its loss."""
    base = (rng.random(rows) < 0.6).astype(float)
    table = {"baseline": base, HARMFUL: np.zeros(rows)}
    right = base.mean()
    for index, loss in enumerate(losses):
        gained = (base == 0) & (rng.random(rows) < moved / (1 - right))
        lost = (base == 1) & (rng.random(rows) < (moved + loss) / right)
        table[f"v{index}"] = np.where(gained, 1.0, np.where(lost, 0.0, base))
    return table


def bounded_world(
    rng: np.random.Generator, rows: int, losses: Sequence[float], *, spread: float = 0.1
) -> Table:
    """Scores from 0 to 1, as overlaps of words are."""
    base = rng.uniform(0.4, 0.8, rows)
    table = {"baseline": base, HARMFUL: np.zeros(rows)}
    for index, loss in enumerate(losses):
        table[f"v{index}"] = np.clip(base - loss + rng.normal(0, spread, rows), 0, 1)
    return table
