"""Attribution on synthetic scorers whose truth is known, and on a scripted target."""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.compressors.contract import template_of
from costopt.compressors.segments import segments
from costopt.core.progress import Silent
from costopt.core.types import PromptTemplate, Sample
from costopt.evals.analysis import analyze
from costopt.evals.attribution import CUT, Attributor, Losses, Terms, looks
from costopt.evals.options import AnalyzeOptions
from costopt.evals.shapley import MOST_REQUESTS, sampling, shares

PARTS = ("Always name one city.", "Never guess a thing.", "Be polite to all.", "Use plain words.")
TEXT = " ".join(PARTS) + "\n\nQuestion: {question}"
ROWS = tuple(Sample(id=f"r{number:02}", inputs={}) for number in range(40))


@dataclass
class Known:
    """A scorer that knows what a template is worth, with noise by row and template."""

    worth: Callable[[str], float]
    noise: float = 0.02
    most: int = 10**9
    asked: dict[tuple[str, str], float] = field(default_factory=dict[tuple[str, str], float])

    @property
    def stopped(self) -> bool:
        return len(self.asked) >= self.most

    async def ask(self, templates: Sequence[PromptTemplate], rows: Sequence[Sample]) -> None:
        for template in templates:
            for row in rows:
                if (template.text, row.id) not in self.asked and not self.stopped:
                    drawn = random.Random(template.text + row.id).gauss(0.0, self.noise)
                    lost = self.worth(TEXT) - self.worth(template.text) + drawn
                    self.asked[template.text, row.id] = lost

    def losses(self, template: PromptTemplate, rows: Sequence[Sample]) -> Losses:
        keys = [(template.text, row.id) for row in rows]
        return Losses({key[1]: self.asked[key] for key in keys if key in self.asked})

    def rows_of(self, text: str) -> int:
        """How many rows a template was asked on."""
        return sum(asked == text for asked, _ in self.asked)


def measured(worth: Callable[[str], float], *, text: str = TEXT, **more: int) -> Attributor:
    template = template_of(text)
    found = Attributor(
        template=template,
        segments=segments(template),
        rows=ROWS,
        scorer=Known(worth, **more),
        terms=Terms(scale="unbounded", margin=0.1),
    )
    asyncio.run(found.run())
    return found


def test_the_one_that_matters_is_found_and_racing_stops_the_rest() -> None:
    found = measured(lambda text: 1.0 if PARTS[1] in text else 0.0)
    verdicts = [found.verdict(at) for at in range(5)]
    assert verdicts == [CUT, "earns its keep", CUT, CUT, "kept"]
    effect = found.effect(1)
    assert effect is not None
    assert effect.n == 10  # decided at the first look
    assert abs(effect.mean - 1.0) < 0.05
    assert isinstance(found.scorer, Known)
    assert found.scorer.rows_of(found.left({1}).text) == 10
    together = found.together()
    assert together is not None
    assert together[0] == {0, 2, 3}
    assert together[2] == CUT
    assert not found.shares


def test_what_hurts_is_said_to_hurt() -> None:
    found = measured(lambda text: -0.5 if PARTS[2] in text else 0.0)
    assert found.verdict(2) == "hurts"


def test_two_that_stand_in_for_each_other_share_the_credit() -> None:
    found = measured(lambda text: 1.0 if PARTS[0] in text or PARTS[3] in text else 0.0)
    alone = [found.effect(at) for at in range(4)]
    assert all(one is not None and abs(one.mean) < 0.05 for one in alone)
    assert found.interacts
    assert [found.verdict(at) for at in range(4)] == [
        "earns its keep with others",
        "no effect seen: candidate to cut",
        "no effect seen: candidate to cut",
        "earns its keep with others",
    ]
    means = [found.shares[at].mean for at in range(4)]
    assert abs(sum(means) - 1.0) < 0.05
    assert 0.2 < means[0] < 0.8
    assert 0.2 < means[3] < 0.8
    together = found.together()
    assert together is not None
    assert together[0] == {1, 2}  # asked again, without those that share the task
    assert together[2] == "no effect seen: candidate to cut"


def test_the_same_seed_finds_the_same() -> None:
    def worth(text: str) -> float:
        return 1.0 if PARTS[0] in text or PARTS[3] in text else 0.0

    assert measured(worth).shares == measured(worth).shares


@pytest.mark.parametrize("most", [0, 3, 25, 55, 130, 200])
def test_a_cap_keeps_what_was_measured(most: int) -> None:
    found = measured(lambda text: 1.0 if PARTS[1] in text else 0.0, most=most)
    assert isinstance(found.scorer, Known)
    assert len(found.scorer.asked) <= most
    verdicts = [found.verdict(at) for at in range(5)]
    assert verdicts[4] == "kept"
    if most == 0:
        assert set(verdicts[:4]) == {"not measured"}
    if most == 25:  # the third was stopped before its first look
        assert verdicts[:4] == [CUT, "earns its keep", "not enough data", "not measured"]


def test_failed_rows_call_nothing_harmless() -> None:
    class Failing(Known):
        def losses(self, template: PromptTemplate, rows: Sequence[Sample]) -> Losses:
            values = dict(super().losses(template, rows).values)
            failed = values.pop("r03", None) is not None
            return Losses(values, failures=int(failed))

    template = template_of(TEXT)
    found = Attributor(
        template=template, segments=segments(template), rows=ROWS,
        scorer=Failing(lambda text: 1.0 if PARTS[1] in text else 0.0),
        terms=Terms(scale="unbounded", margin=0.1),
    )  # fmt: skip
    asyncio.run(found.run())
    few = "not enough data"
    assert [found.verdict(at) for at in range(4)] == [few, "earns its keep", few, few]


def test_the_error_is_shared_among_segments_and_looks() -> None:
    found = measured(lambda text: 0.0)
    assert looks(40) == (10, 20, 40)
    assert found.alpha == pytest.approx(0.05 / (4 * 3 + 2))


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=7), st.integers(0, 99))
def test_shares_of_an_additive_game_are_its_parts(parts: list[float], seed: int) -> None:
    plan = sampling(range(len(parts)), 12, seed)
    rows = [f"r{number}" for number in range(plan.rows)]
    found = shares(plan, lambda gone: dict.fromkeys(rows, sum(parts[at] for at in gone)))
    for at, part in enumerate(parts):
        assert found[at].mean == pytest.approx(part, abs=1e-9)
        assert found[at].standard_error == pytest.approx(0.0, abs=1e-6)


@given(st.integers(2, 8), st.integers(0, 99), st.data())
def test_shares_sum_to_what_all_do_together(count: int, seed: int, data: st.DataObject) -> None:
    known: dict[frozenset[int], float] = {}

    def lost(gone: frozenset[int]) -> dict[str, float]:
        if gone not in known:
            known[gone] = data.draw(st.floats(-5, 5))
        return dict.fromkeys(("a", "b"), known[gone])

    plan = sampling(range(count), 2, seed)
    found = shares(plan, lost)
    everything = known[frozenset(range(count))]
    assert sum(one.mean for one in found.values()) == pytest.approx(everything, abs=1e-6)


@given(st.integers(2, 40), st.integers(1, 400), st.integers(0, 9))
def test_a_sampling_keeps_to_its_requests(players: int, rows: int, seed: int) -> None:
    plan = sampling(range(players), rows, seed)
    steps = {gone for order in plan.orders for gone in plan.steps(order)}
    new = [gone for gone in steps if len(gone) < players]
    assert len(plan.orders) >= 2
    assert plan.rows <= rows
    assert len(new) * plan.rows <= MOST_REQUESTS


def test_an_order_that_was_not_walked_counts_for_nothing() -> None:
    plan = sampling([1, 2], 4, 0)
    first = plan.orders[0]
    asked = {frozenset(first[:1]): {"a": 0.25}, frozenset(first): {"a": 1.0}}
    found = shares(plan, asked.get)
    assert found[first[0]].orders == 1
    assert found[first[0]].mean == 0.25
    assert shares(plan, {}.get) == {}


def test_a_static_run_weighs_the_segments(tmp_path: Path) -> None:
    file = tmp_path / "city.md"
    file.write_text(f"---\ncalls_per_month: 1000000\n---\n{TEXT}\n", encoding="utf-8")
    targets = ("openai:gpt-4.1-mini", "openai:gpt-4.1")
    options = AnalyzeOptions(paths=(file,), targets=targets, static=True, attribute=True)
    found = analyze(options, Silent()).prompts[0].attribution
    assert found is not None
    assert [one.verdict for one in found.segments] == ["not measured"] * 4 + ["kept"]
    assert found.metric is None
    for one in found.segments:
        assert one.usd_per_month == one.tokens * Decimal("0.4")  # USD 0.40 a million
    assert "attributed at the first target only" in found.notes
