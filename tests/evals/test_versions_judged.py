"""What judges two versions: log-likelihoods where they can tell, answers where not, a judge."""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from chat_server import started

from costopt.core.config import load_config
from costopt.core.discovery import LoadedPrompt, load_prompts
from costopt.core.errors import CostoptError
from costopt.core.progress import Silent
from costopt.core.report import PromptReport, VariantReport
from costopt.core.types import Answer, Request, Usage
from costopt.costs.tokens import counter_for
from costopt.evals import opening
from costopt.evals.options import AnalyzeOptions
from costopt.evals.version_pair import answers_may_differ
from costopt.evals.versions import Versions, analyze_versions

LABELS = ("billing", "shipping", "returns")
PROMPT = """---
name: tickets
metric: contains
settings: {max_output_tokens: 64}
---
Please note that you work at a help desk. Name the label of the ticket.

{{ ticket }}
"""
SHORTER = PROMPT.replace("Please note that you", "You")


def prompt(folder: Path, text: str) -> LoadedPrompt:
    path = folder / "prompt.md"
    path.write_text(text, "utf-8")
    return load_prompts((path,)).prompts[0]


def versions(folder: Path, base: str | None, head: str, rows: int = 24) -> Versions:
    found = (
        {
            "id": f"t{i}",
            "ticket": f"Ticket {i} ({LABELS[i % 3]}): a customer writes about it.",
            "reference": LABELS[i % 3],
        }
        for i in range(rows)
    )
    path = folder / "evals.jsonl"
    path.write_text("\n".join(map(json.dumps, found)), "utf-8")
    return Versions(
        head=prompt(folder, head),
        base=None if base is None else prompt(folder, base),
        eval_set=path,
        shown_eval_set=None,
    )


def named(report: PromptReport, name: str = "head") -> VariantReport:
    return next(v for v in report.variants if v.name == name)


# -- log-likelihoods, of a fake target that injects them -------------------------------------


@dataclass
class Knowing:
    """A fake for injecting log-likelihoods; it needs the ticket and nothing else."""

    capabilities: frozenset[str] = frozenset({"generate", "loglikelihood"})
    name: str = "embedded"
    model: str = "scripted"
    identity: Mapping[str, Any] = field(default_factory=lambda: {"model": "scripted"})
    served: list[str] = field(default_factory=list[str])

    @property
    def counter(self) -> Any:
        return counter_for("o200k_base")

    async def answer(self, request: Request) -> Answer:
        await asyncio.sleep(0)
        text, forced = request.messages[-1].content, request.continuation is not None
        self.served.append("likelihood" if forced else "generate")
        value = -1.0 - (len(text) % 7) / 1000 if "Ticket" in text else -4.0
        return Answer(
            text="" if forced else "billing", usage=Usage(input=self.counter(text), output=1),
            finish_reason="stop", latency_s=0.1, model="scripted",
            created="2026-01-01T00:00:00Z", logprobs=(value,) if forced else None,
        )  # fmt: skip

    async def close(self) -> None:
        return None


Held = Callable[..., PromptReport]


@pytest.fixture
def knowing() -> Knowing:
    return Knowing()


@pytest.fixture
def held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, knowing: Knowing) -> Held:
    monkeypatch.setattr(opening, "open_target", lambda *args, **kwargs: knowing)

    def hold(base: str | None, head: str, **more: Any) -> PromptReport:
        options = AnalyzeOptions(paths=(), run_dir=tmp_path / "run", **more)
        both = versions(tmp_path, base, head)
        return analyze_versions([both], options, Silent(), depth="measured").prompts[0]

    return hold


def test_an_edit_of_the_text_is_judged_by_log_likelihood_and_that_is_said(
    held: Held, knowing: Knowing
) -> None:
    found = held(PROMPT, SHORTER)
    head = named(found)
    assert head.quality is not None
    assert (head.quality.metric, head.quality.n) == ("log_likelihood", 24)
    assert head.verdict == "holds"
    assert head.harm_seen
    assert any("does not see how answers are written" in note for note in found.notes)
    # Answers for their length, of both versions, on five rows each.
    assert knowing.served.count("generate") == 10
    assert head.tokens.output_mean == 1.0


@pytest.mark.parametrize(
    "head",
    [
        PROMPT.replace("64", "8"),
        PROMPT.replace("Name the label", "Answer in JSON. Name the label"),
        PROMPT.replace("Name the label", "Use at most 3 words. Name the label"),
    ],
    ids=["settings", "format", "limit"],
)
def test_what_a_forced_reference_cannot_see_is_judged_on_answers(held: Held, head: str) -> None:
    found = named(held(PROMPT, head))
    assert found.quality is not None
    assert (found.quality.metric, found.quality.n) == ("contains", 24)


def test_log_likelihood_alone_does_not_judge_changed_settings(held: Held, knowing: Knowing) -> None:
    found = held(PROMPT, PROMPT.replace("64", "8"), metric="log_likelihood")
    assert named(found).verdict == "not measured"
    assert any("only a metric of generated answers" in note for note in found.notes)
    assert knowing.served == []


def test_a_named_metric_of_answers_judges_an_edit_of_the_text_too(held: Held) -> None:
    found = named(held(PROMPT, SHORTER, metric="accuracy"))
    assert found.quality is not None
    assert found.quality.metric == "accuracy"


def test_what_changes_the_answers_is_told_from_what_does_not(tmp_path: Path) -> None:
    def differ(old: str, new: str) -> bool:
        return answers_may_differ(*(prompt(tmp_path, one).template for one in (old, new)))

    assert not differ(PROMPT, SHORTER)
    assert not differ(PROMPT, PROMPT.replace("\n\n{{", "\n{{"))
    assert differ(PROMPT, PROMPT.replace("64", "64, temperature: 1"))
    assert differ(PROMPT + "\nAnswer in JSON.", PROMPT)
    assert differ(PROMPT + "\nNever guess.", PROMPT)


# -- a judge ---------------------------------------------------------------------------------

TARGET = """[targets.{name}]
base_url = "http://127.0.0.1:{port}/v1"
model = "{name}"
price = {{ input = 1.0, output = 10.0 }}
"""
JUDGED = PROMPT.replace("metric: contains", "metric: judge")


@pytest.fixture(scope="module")
def judges() -> Iterator[int]:
    with started("judge_server") as (port, _):
        yield port


@pytest.fixture
def options(judges: int, tmp_path: Path) -> AnalyzeOptions:
    names = ("writer", "fair", "rubbish")
    text = "".join(TARGET.format(name=name, port=judges) for name in names)
    (tmp_path / "costopt.toml").write_text(text, "utf-8")
    return AnalyzeOptions(
        paths=(), targets=("writer",), judge="fair", run_dir=tmp_path / "run",
        config=load_config(tmp_path / "costopt.toml", tmp_path),
    )  # fmt: skip


def test_a_judge_compares_both_versions_and_its_verdicts_are_replayed(
    options: AnalyzeOptions, tmp_path: Path
) -> None:
    both = versions(tmp_path, JUDGED, JUDGED.replace("Please note that you", "You"), rows=40)
    report = analyze_versions([both], options, Silent(), depth="measured")
    (found,) = report.prompts
    assert named(found).verdict == "holds"
    assert named(found).harm_seen
    assert found.judge[0].fit
    assert report.spent.judge is not None
    assert report.spent.judge.requests > 0
    replayed = analyze_versions([both], options, Silent(), depth="replay")
    assert replayed.spent.requests == 0
    again = replayed.prompts[0]
    assert named(again).verdict == "holds"
    assert named(again).delta == named(found).delta
    assert again.judge == found.judge


def test_what_an_unfit_judge_says_lets_nothing_hold(
    options: AnalyzeOptions, tmp_path: Path
) -> None:
    both = versions(tmp_path, JUDGED, JUDGED.replace("Please note that you", "You"))
    unfit = replace(options, judge="rubbish")
    (found,) = analyze_versions([both], unfit, Silent(), depth="measured").prompts
    assert named(found).verdict not in ("holds", "better")
    assert not found.judge[0].fit


def test_nobody_is_asked_to_judge_a_prompt_that_was_added(
    options: AnalyzeOptions, tmp_path: Path
) -> None:
    added = versions(tmp_path, None, JUDGED)
    report = analyze_versions([added], options, Silent(), depth="measured")
    (found,) = report.prompts
    assert named(found, "baseline").quality is None
    assert any("a judge compares two versions" in note for note in found.notes)
    assert report.spent.requests == 0


def test_without_a_judge_the_metric_is_refused(options: AnalyzeOptions, tmp_path: Path) -> None:
    both = versions(tmp_path, JUDGED, JUDGED)
    with pytest.raises(CostoptError, match="needs a model that judges"):
        analyze_versions([both], replace(options, judge=None), Silent(), depth="measured")
