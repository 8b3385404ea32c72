"""Whole analyses against a scripted target: a fake that injects likelihoods, answers and faults."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from costopt.core.errors import CostoptError
from costopt.core.progress import Silent
from costopt.core.protocols import TargetError
from costopt.core.report import PromptReport, Report, VariantReport
from costopt.core.types import Answer, Request, Usage
from costopt.costs.tokens import counter_for
from costopt.evals import opening
from costopt.evals.analysis import analyze
from costopt.evals.options import AnalyzeOptions

FILLER = "Please note that it is very important that you always answer in a helpful way."
PROMPT = f"""---
name: capitals
metric: exact_match
calls_per_month: 1000
settings: {{max_output_tokens: 8}}
---
{FILLER} In order to answer, use facts. Due to the fact that a machine reads it, name the city only.
You should name the city only, and it is important to note that you should name the city only.

Question: {{{{ question }}}}
Answer:"""


@dataclass(kw_only=True)
class ScriptedTarget:
    """A fake for injecting what a model would say; counts the requests it served."""

    likelihood: Callable[[str, int], float]
    answer_text: Callable[[str], str] = lambda text: "Paris"
    fails: Callable[[int], bool] = lambda count: False
    can: frozenset[str] = frozenset({"generate", "loglikelihood", "seed"})
    name: str = "embedded"
    model: str = "scripted"
    identity: Mapping[str, Any] = field(default_factory=lambda: {"model": "scripted"})
    served: int = 0

    @property
    def capabilities(self) -> frozenset[str]:
        return self.can

    @property
    def counter(self) -> Any:
        return counter_for("o200k_base")

    async def answer(self, request: Request) -> Answer:
        self.served += 1
        text = request.messages[-1].content
        await asyncio.sleep(0)
        if self.fails(self.served):
            raise TargetError("no", kind="rejected")
        logprobs = None
        if request.continuation is not None:
            logprobs = (self.likelihood(text, self.served),)
        output = "" if request.continuation is not None else self.answer_text(text)
        usage = Usage(input=self.counter(text), output=max(1, self.counter(output)))
        return Answer(
            text=output, usage=usage, finish_reason="stop", latency_s=0.1, model="scripted",
            created="2026-01-01T00:00:00Z", logprobs=logprobs,
        )  # fmt: skip

    async def close(self) -> None:
        return None


def asked(text: str) -> bool:
    return "capital of" in text


def noise(count: int) -> float:
    return ((count * 7919) % 21 - 10) / 1000


def honest(text: str, count: int) -> float:
    """A model that needs the question and nothing else."""
    return -1.0 + noise(count) if asked(text) else -5.0 + noise(count)


def needs_filler(text: str, count: int) -> float:
    return honest(text, count) - (0 if FILLER in text else 1)


def indifferent(text: str, count: int) -> float:
    return -1.0 + noise(count)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Report]:
    folder = tmp_path / "capitals"
    folder.mkdir()
    (folder / "prompt.md").write_text(PROMPT, encoding="utf-8")
    rows = (
        {"id": f"r{i}", "question": f"What is the capital of land {i}?", "reference": "Paris"}
        for i in range(40)
    )
    (folder / "evals.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")

    def start(target: ScriptedTarget, **options: Any) -> Report:
        monkeypatch.setattr(opening, "open_target", lambda *args, **kwargs: target)
        chosen = {"paths": (folder,), "run_dir": tmp_path / "run", **options}
        return analyze(AnalyzeOptions(**chosen), Silent())

    return start


def only(report: Report) -> PromptReport:
    assert len(report.prompts) == 1
    return report.prompts[0]


def variant(report: Report, name: str) -> VariantReport:
    return next(v for v in only(report).variants if v.name == name)


Run = Callable[..., Report]


def test_a_harmless_saving_is_found_confirmed_and_recommended(run: Run) -> None:
    report = run(ScriptedTarget(likelihood=honest))
    best = only(report).recommended[0].variant
    assert best != "baseline"
    assert variant(report, best).verdict in {"holds", "better"}
    delta = variant(report, best).delta
    assert delta is not None
    assert delta.quality is not None
    assert delta.quality.n == 16  # decided at the first look
    assert delta.usd_per_1k is not None
    assert delta.usd_per_1k < -0.1
    assert variant(report, "empty-variables").verdict == "worse"


def test_when_the_minutes_are_up_nothing_more_is_asked(run: Run) -> None:
    target = ScriptedTarget(likelihood=honest)
    report = run(target, max_minutes=0.0)
    assert target.served == 0
    assert report.partial
    assert run(target).partial is False


def test_a_race_leaves_out_what_is_clearly_worse_and_says_so(run: Run, tmp_path: Path) -> None:
    """Answers are wrong without the filler: a stage or two is spent on that, and no more."""
    rows = (
        {"id": f"r{i}", "question": f"What is the capital of land {i}?", "reference": "Paris"}
        for i in range(200)
    )
    evals = tmp_path / "capitals" / "evals.jsonl"
    evals.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    name = "openai:gpt-4o-mini"

    def answer(text: str) -> str:
        return "Paris" if FILLER in text and asked(text) else "London"

    def search(kind: str) -> tuple[Report, int]:
        target = ScriptedTarget(
            likelihood=honest, answer_text=answer, name=name, can=frozenset({"generate"})
        )
        options = {"targets": (name,), "samples": 200, "search": kind, "max_requests": 9999}
        return run(target, run_dir=tmp_path / kind, **options), target.served

    (raced, few), (exhaustive, many) = search("racing"), search("exhaustive")
    assert few < many
    left = variant(raced, "filler")
    assert left.notes[-1].startswith("dropped after 16 rows: -1.000 [-1.000, ")
    assert left.verdict == "worse"
    assert any("left the race before its last row" in note for note in only(raced).notes)
    assert not any("race" in note for note in only(exhaustive).notes)
    assert only(raced).recommended[0].variant == only(exhaustive).recommended[0].variant


def test_a_harmful_saving_is_never_recommended(run: Run) -> None:
    report = run(ScriptedTarget(likelihood=needs_filler))
    assert variant(report, "filler").verdict == "worse"
    best = only(report).recommended[0].variant
    assert "filler" not in best


def test_a_metric_that_cannot_see_harm_recommends_nothing(run: Run) -> None:
    report = run(ScriptedTarget(likelihood=indifferent))
    assert variant(report, "empty-variables").verdict != "worse"
    assert only(report).recommended[0].variant == "baseline"
    assert "harmful" in only(report).recommended[0].reason


def test_failures_are_counted_and_decide_nothing(run: Run) -> None:
    target = ScriptedTarget(likelihood=honest, fails=lambda count: count % 3 == 0)
    report = run(target)
    assert only(report).recommended[0].variant == "baseline"
    base = variant(report, "baseline").quality
    assert base is not None
    assert base.failures > 0
    assert not any(v.verdict in {"holds", "better"} for v in only(report).variants)


def test_a_target_that_never_answers_is_an_error_before_much_is_asked(run: Run) -> None:
    target = ScriptedTarget(likelihood=honest, fails=lambda count: True)
    with pytest.raises(CostoptError, match="gave no answer"):
        run(target)
    assert target.served < 30


def test_a_second_run_asks_nothing_and_says_the_same(run: Run) -> None:
    first_target, second_target = (ScriptedTarget(likelihood=honest) for _ in range(2))
    first, second = run(first_target), run(second_target)
    assert second_target.served == 0
    assert second.spent.requests == 0
    assert second.spent.cached_answers >= first.spent.requests
    assert first.prompts == second.prompts


def test_a_request_cap_ends_the_run_partially(run: Run) -> None:
    report = run(ScriptedTarget(likelihood=honest), max_requests=20)
    assert report.partial
    assert report.spent.requests == 20
    assert only(report).recommended[0].variant == "baseline"


def test_output_strategies_are_judged_on_answers_alone(run: Run) -> None:
    report = run(ScriptedTarget(likelihood=honest), strategies=("concise", "filler"))
    quality = {v.name: v.quality.metric for v in only(report).variants if v.quality}
    assert quality["concise"] == "exact_match"
    assert quality["filler"] == "log_likelihood"


def test_asking_for_log_likelihood_leaves_output_strategies_unmeasured(run: Run) -> None:
    report = run(
        ScriptedTarget(likelihood=honest), strategies=("concise",), metric="log_likelihood"
    )
    assert variant(report, "concise").verdict == "not measured"


def test_a_target_without_likelihoods_is_judged_on_answers(run: Run) -> None:
    target = ScriptedTarget(
        likelihood=honest,
        can=frozenset({"generate"}),
        answer_text=lambda text: "Paris" if asked(text) else "I do not know",
    )
    report = run(target)
    assert {v.quality.metric for v in only(report).variants if v.quality} == {"exact_match"}
    assert variant(report, "empty-variables").verdict == "worse"


def test_money_is_never_real_at_the_embedded_target(run: Run) -> None:
    report = run(ScriptedTarget(likelihood=honest))
    assert report.spent.usd == Decimal(0)
    assert report.targets[0].priced_as is not None
    assert {v.cost.evidence for v in only(report).variants} == {"estimated"}
