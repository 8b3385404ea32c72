"""Strategies fitted in a whole analysis: on the selection rows alone, and paid for once."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from costopt.core.progress import Silent, Snapshot
from costopt.core.report import PromptReport, Report, VariantReport
from costopt.core.types import Answer, EvalSet, Request, Sample, Usage
from costopt.costs.tokens import counter_for
from costopt.evals import opening
from costopt.evals.analysis import analyze
from costopt.evals.options import AnalyzeOptions
from costopt.evals.plan import FITTING, plan_rows

RULE = "Name the city and nothing else, since a machine reads it."
IDLE = "Our company was founded by two sisters in a small garage near the sea many years ago."
PROMPT = f"""---
name: capitals
metric: exact_match
settings: {{max_output_tokens: 8}}
---
{RULE}

{IDLE}

Question: What is the capital of land A?
Answer: Alba

Question: What is the capital of land B?
Answer: Bern

Question: {{{{ question }}}}
Answer:"""


@dataclass(kw_only=True)
class ScriptedTarget:
    """A fake: a likelihood by the prompt's text, and what it was asked, in order."""

    likelihood: Callable[[str], float]
    writes: Callable[[str, int], str] = lambda prompt, replicate: "Paris"
    name: str = "embedded"
    model: str = "scripted"
    identity: Mapping[str, Any] = field(default_factory=lambda: {"model": "scripted"})
    capabilities: frozenset[str] = frozenset({"generate", "loglikelihood", "seed"})
    asked: list[Request] = field(default_factory=list[Request])

    @property
    def counter(self) -> Any:
        return counter_for("o200k_base")

    async def answer(self, request: Request) -> Answer:
        self.asked.append(request)
        text = request.messages[-1].content
        forced = request.continuation is not None
        return Answer(
            text="" if forced else self.writes(text, request.replicate),
            usage=Usage(input=self.counter(text), output=1),
            finish_reason="stop", latency_s=0.1, model="scripted", created="2026-01-01T00:00:00Z",
            logprobs=(self.likelihood(text),) if forced else None,
        )  # fmt: skip

    async def close(self) -> None:
        return None


def honest(text: str) -> float:
    """A model that needs the rule, one example and the question."""
    return -1.0 - 3 * ("What is the capital of land 1" not in text) - ("Name the city" not in text)


def in_two_examples(text: str) -> float:
    return honest(text) - ("Alba" not in text) - ("Bern" not in text)


class Phases(Silent):
    """Notes the phases that the progress names."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def update(self, snapshot: Snapshot) -> None:
        self.seen.append(snapshot.phase)


Run = Callable[..., Report]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    folder = tmp_path / "capitals"
    folder.mkdir()
    (folder / "prompt.md").write_text(PROMPT, encoding="utf-8")

    def start(target: ScriptedTarget, *, rows: int = 40, **options: Any) -> Report:
        lines = (
            {"id": f"r{i}", "question": f"What is the capital of land 1{i}?", "reference": "Paris"}
            for i in range(rows)
        )
        (folder / "evals.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
        monkeypatch.setattr(opening, "open_target", lambda *args, **kwargs: target)
        progress = options.pop("progress", Silent())
        chosen = {"paths": (folder,), "run_dir": tmp_path / "run", **options}
        return analyze(AnalyzeOptions(**chosen), progress)

    return start


def only(report: Report) -> PromptReport:
    assert len(report.prompts) == 1
    return report.prompts[0]


def variant(report: Report, start: str) -> VariantReport:
    return next(v for v in only(report).variants if v.name.startswith(start))


def questions(target: ScriptedTarget, wanted: Callable[[str], bool]) -> set[str]:
    texts = (request.messages[-1].content for request in target.asked)
    return {text.rsplit("Question: ", 1)[1] for text in texts if wanted(text)}


def test_sections_are_fitted_confirmed_and_recommended(run: Run) -> None:
    phases = Phases()
    target = ScriptedTarget(likelihood=honest)
    report = run(target, strategies=("sections",), progress=phases)
    found = variant(report, "sections:drop=")
    assert IDLE not in found.messages[0].content
    assert RULE in found.messages[0].content
    assert found.verdict == "holds"
    assert only(report).recommended[0].variant == found.name
    assert "capitals: fitting sections" in phases.seen
    assert phases.seen[-1] == "capitals"
    eval_set = only(report).eval_set
    assert eval_set is not None
    assert (eval_set.selection_rows, eval_set.confirmation_rows) == (12, 28)
    names = [v.name for v in only(report).variants]
    assert "sections" not in names
    assert not any(name.startswith("fitting") for name in names)


def test_what_was_learned_is_in_the_report_and_works_without_rows(run: Run) -> None:
    report = run(ScriptedTarget(likelihood=honest), strategies=("sections",))
    found = variant(report, "sections:drop=")
    params = found.strategies[0].params
    assert set(params) == {"drop"}
    static = run(
        ScriptedTarget(likelihood=honest), strategies=(f"sections:drop={params['drop']}",),
        static=True,
    )  # fmt: skip
    assert variant(static, "sections:drop=").messages == found.messages


def test_fitting_sees_selection_rows_alone(run: Run) -> None:
    target = ScriptedTarget(likelihood=in_two_examples)
    run(target, strategies=("examples", "sections", "minimise"))
    samples = tuple(Sample(id=f"r{i}", inputs={"q": f"land 1{i}?"}) for i in range(40))
    plan = plan_rows(
        EvalSet(path="", samples=samples, sha256=""), samples=None, candidates=9, seed=0,
        local=True, fitted=True,
    )  # fmt: skip
    held = [str(sample.inputs["q"]) for sample in plan.confirmation]
    # Without one of the examples the prompt loses: no such edit ever goes on to be confirmed.
    tried = questions(target, lambda text: ("Alba" in text) != ("Bern" in text))
    assert len(tried) == FITTING
    assert not any(question in text for question in held for text in tried)


def test_no_request_is_paid_twice(run: Run) -> None:
    target = ScriptedTarget(likelihood=honest)
    first = run(target, strategies=("sections", "minimise", "sections+examples"))
    assert len({repr(request) for request in target.asked}) == len(target.asked)
    again = ScriptedTarget(likelihood=honest)
    second = run(again, strategies=("sections", "minimise", "sections+examples"))
    assert again.asked == []
    assert second.prompts == first.prompts


def test_a_chain_is_fitted_at_its_place(run: Run) -> None:
    target = ScriptedTarget(likelihood=honest)
    report = run(target, strategies=("sections+examples",))
    found = variant(report, "sections:drop=")
    assert found.name.endswith("+examples:keep=-")
    content = found.messages[0].content
    assert IDLE not in content
    assert "Alba" not in content


def test_too_few_rows_are_said_and_nothing_is_fitted(run: Run) -> None:
    report = run(ScriptedTarget(likelihood=honest), rows=24, strategies=("sections", "whitespace"))
    assert "at least 25 eval rows" in (variant(report, "sections").rejected or "")
    assert variant(report, "sections").name == "sections"


def test_a_static_run_lists_what_is_needed(run: Run) -> None:
    report = run(ScriptedTarget(likelihood=honest), strategies=("sections",), static=True)
    assert variant(report, "sections").rejected == "needs eval rows: it is fitted on them"


def test_what_cannot_be_fitted_says_why(run: Run) -> None:
    target = ScriptedTarget(likelihood=lambda text: honest(text) - (IDLE not in text))
    report = run(target, strategies=("sections",))
    assert "earns its place" in (variant(report, "sections").rejected or "")


def test_a_cap_reached_while_fitting_ends_the_run_partially(run: Run) -> None:
    report = run(ScriptedTarget(likelihood=honest), strategies=("sections",), max_requests=50)
    assert report.partial
    assert "cap" in (variant(report, "sections").rejected or "")


@pytest.mark.parametrize("rows", [1, 12, 24, 25, 40, 300])
@pytest.mark.parametrize("local", [True, False])
def test_the_plan_of_a_fitted_run(rows: int, local: bool) -> None:
    samples = tuple(Sample(id=str(i), inputs={}) for i in range(rows))
    plan = plan_rows(
        EvalSet(path="", samples=samples, sha256=""), samples=rows, candidates=1, seed=0,
        local=local, fitted=True,
    )  # fmt: skip
    assert plan.fitted == (rows >= 25)
    if plan.fitted:
        assert FITTING <= len(plan.selection) < len(plan.confirmation)
    assert not {s.id for s in plan.selection} & {s.id for s in plan.confirmation}
    assert len(plan.rows) == rows


def test_a_text_that_the_target_writes_is_measured(run: Run) -> None:
    def writes(prompt: str, replicate: int) -> str:
        if "<<<TEXT" not in prompt:
            return "Paris"
        return "Sorry, no." if replicate == 0 else "Name the city.\n\n⟦1⟧\n\nQuestion: ⟦2⟧"

    target = ScriptedTarget(likelihood=honest, writes=writes)
    report = run(target, strategies=("rewrite",))
    found = variant(report, "rewrite:text=")
    assert found.messages[0].content.startswith("Name the city.\n\nQuestion: What is the capital")
    assert found.verdict == "holds"
    drawn = [r for r in target.asked if "<<<TEXT" in r.messages[0].content]
    assert [r.replicate for r in drawn] == [0, 1, 2]
    assert drawn[0].settings.temperature == 0 < drawn[1].settings.temperature


def test_a_target_that_cannot_write_says_so(run: Run) -> None:
    report = run(ScriptedTarget(likelihood=honest), strategies=("rewrite",))
    assert variant(report, "rewrite").rejected == "3 candidates, none kept the contract"
