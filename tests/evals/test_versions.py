"""Base and head of a prompt on the same rows, against a real server that counts its requests."""

import json
import signal
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from chat_server import started

from costopt.core.checked import Depth
from costopt.core.config import load_config
from costopt.core.configured import Config
from costopt.core.discovery import LoadedPrompt, load_prompts
from costopt.core.errors import CostoptError
from costopt.core.progress import Silent, Snapshot
from costopt.core.report import PromptReport, Report, VariantReport
from costopt.evals.options import AnalyzeOptions
from costopt.evals.run import Interrupted
from costopt.evals.versions import Versions, analyze_versions
from costopt.reports.json import from_json, to_json
from costopt.reports.markdown import to_markdown
from costopt.reports.terminal import render

ROWS = 80
LABELS = ("billing", "shipping", "returns")
PROMPT = """---
name: tickets
metric: contains
calls_per_month: 1000
settings: {max_output_tokens: 64}
---
You work at a help desk. Name the label of the ticket.

{{ ticket }}
"""
LONGER = PROMPT.replace("You work", "In order to route it, read all of it. You work")
CONFIG = """
[targets.strong]
base_url = "http://127.0.0.1:{port}/v1"
model = "strong"
api_key_env = "VERSIONS_TEST_SECRET"
price = {{ input = 2.0, output = 10.0 }}
[targets.weak]
base_url = "http://127.0.0.1:{port}/v1"
model = "weak"
price = {{ input = 0.1, output = 0.5 }}
"""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with started("versions_server") as (port, _):
        yield port


@dataclass
class Desk:
    """Files of two versions in a folder, and what checks them."""

    folder: Path
    port: int
    config: Config

    def prompt(self, version: str, text: str, name: str = "prompt.md") -> LoadedPrompt:
        """Write a version; both have one path, as in two trees of one repository."""
        path = self.folder / version / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        (loaded,) = load_prompts((path,)).prompts
        source = replace(loaded.template.source, path=f"tickets/{name}")
        return replace(loaded, template=replace(loaded.template, source=source))

    def rows(self, count: int = ROWS, **more: object) -> Path:
        """Write rows."""
        rows = (
            {
                "id": f"t{i}",
                "ticket": f"Ticket {i} ({LABELS[i % 3]}): a customer writes about it.",
                "reference": LABELS[i % 3],
                **more,
            }
            for i in range(count)
        )
        path = self.folder / "evals.jsonl"
        path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
        return path

    def versions(self, base: str | None, head: str, rows: int | None = ROWS) -> Versions:
        """Return both versions with that many rows."""
        return Versions(
            head=self.prompt("head", head),
            base=None if base is None else self.prompt("base", base),
            eval_set=None if rows is None else self.rows(rows),
            shown_eval_set="tickets/evals.jsonl",
        )

    def check(
        self, *versions: Versions, depth: Depth = "measured", progress: Any = None, **more: Any
    ) -> Report:
        """Hold versions against each other."""
        chosen = {"targets": ("strong",), "run_dir": self.folder / "run", **more}
        options = AnalyzeOptions(paths=(), config=self.config, **chosen)
        return analyze_versions(versions, options, progress or Silent(), depth=depth)

    def prompts(self, base: str | None, head: str, rows: int | None = ROWS, **more: Any) -> Any:
        """Hold two texts against each other, and return the prompt's report."""
        return self.check(self.versions(base, head, rows), **more).prompts[0]

    def asked(self) -> list[dict[str, Any]]:
        """Return what the server was asked since the last time."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/asked") as reply:
            return json.loads(reply.read())


@pytest.fixture
def desk(port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("VERSIONS_TEST_SECRET", "secret-of-the-test")
    (tmp_path / "costopt.toml").write_text(CONFIG.format(port=port), "utf-8")
    desk = Desk(tmp_path, port, load_config(tmp_path / "costopt.toml", tmp_path))
    desk.asked()
    return desk


def named(report: PromptReport, name: str = "head", target: str = "strong") -> VariantReport:
    return next(v for v in report.variants if v.name == name and v.target == target)


def said(report: PromptReport, words: str) -> bool:
    return any(words in note for note in report.notes)


def wrong(every: int) -> str:
    return PROMPT.replace("Name the", f"[wrong {every}] Name the")


# -- measured --------------------------------------------------------------------------------


def test_a_shorter_head_of_equal_quality_holds_on_all_rows(desk: Desk) -> None:
    found = desk.prompts(LONGER, PROMPT)
    base, head = named(found, "baseline"), named(found)
    assert [v.name for v in found.variants] == ["baseline", "head", "empty-variables"]
    assert head.verdict == "holds"
    assert head.confirmed
    assert head.harm_seen
    assert head.strategies == ()
    assert head.messages[0].content.startswith("You work")
    assert head.delta is not None
    assert head.delta.quality is not None
    assert (head.delta.quality.n, head.delta.quality.mean) == (ROWS, 0.0)
    assert head.delta.quality.confidence == pytest.approx(0.95)
    assert head.delta.usd_per_1k is not None
    assert head.delta.usd_per_1k < 0
    assert head.latency is not None
    assert base.cost.evidence == head.cost.evidence == "measured"
    assert head.cost.regimes.cold is not None
    assert found.eval_set is not None
    assert (found.eval_set.path, found.eval_set.rows) == ("tickets/evals.jsonl", ROWS)
    assert (found.eval_set.selection_rows, found.eval_set.confirmation_rows) == (ROWS, 0)
    assert found.recommended == ()
    assert said(found, "80 rows: all of them decide together, at 5 % each side")
    assert {one.by for one in head.slices} == {"label", "length"}


def test_a_head_that_is_wrong_on_every_fourth_row_is_worse(desk: Desk) -> None:
    head = named(desk.prompts(PROMPT, wrong(4)))
    assert head.verdict == "worse"
    assert head.quality is not None
    assert head.quality.mean == pytest.approx(0.75)


def test_a_head_that_mends_every_fourth_row_is_better(desk: Desk) -> None:
    assert named(desk.prompts(wrong(4), PROMPT)).verdict == "better"


def test_twelve_rows_are_not_enough_and_the_report_says_how_many_are_missing(desk: Desk) -> None:
    head = named(desk.prompts(LONGER, PROMPT, rows=12))
    assert head.verdict == "not enough data"
    assert head.samples_needed is not None
    assert head.samples_needed > 12


def test_a_wordy_head_of_equal_quality_is_dearer(desk: Desk) -> None:
    head = named(desk.prompts(LONGER, PROMPT.replace("Name the", "[wordy] Name the")))
    assert head.verdict == "holds"
    assert head.delta is not None
    assert head.delta.input_tokens is not None
    assert head.delta.input_tokens < 0
    assert head.delta.usd_per_1k is not None
    assert head.delta.usd_per_1k > 1


def test_an_added_prompt_is_its_own_baseline_with_a_quality_of_its_own(desk: Desk) -> None:
    found = desk.prompts(None, wrong(4))
    assert [v.name for v in found.variants] == ["baseline", "empty-variables"]
    base = named(found, "baseline")
    assert base.verdict == "baseline"
    assert base.delta is None
    assert base.quality is not None
    assert (base.quality.mean, base.quality.n) == (pytest.approx(0.75), ROWS)
    assert base.harm_seen
    assert base.cost.evidence == "measured"
    assert said(found, "the quality is the prompt's own")


def test_settings_are_part_of_a_version(desk: Desk) -> None:
    found = desk.prompts(PROMPT, PROMPT.replace("64", "8"), rows=40)
    limits = [one["limit"] for one in desk.asked() if "Ticket" in one["text"]]
    assert (limits.count(64), limits.count(8)) == (40, 40)
    assert named(found, "baseline").settings.max_output_tokens == 64
    assert named(found).settings.max_output_tokens == 8
    assert named(found).quality is not None


def test_both_targets_judge_on_the_same_rows(desk: Desk) -> None:
    found = desk.prompts(
        LONGER, PROMPT.replace("Name the", "[odd] Name the"), targets=("strong", "weak")
    )
    assert named(found).verdict == "holds"
    assert named(found, target="weak").verdict == "worse"
    texts: dict[str, set[str]] = {"strong": set(), "weak": set()}
    for one in desk.asked():
        texts[one["model"]].add(one["text"])
    assert texts["strong"] == texts["weak"]


def test_versions_that_ask_for_the_same_do_not_differ_on_however_few_rows(desk: Desk) -> None:
    found = desk.prompts(PROMPT, PROMPT.replace("calls_per_month: 1000", "margin: 0"), rows=6)
    head = named(found)
    assert len(desk.asked()) == 7
    assert head.verdict == "holds"
    assert head.delta is not None
    assert head.delta.quality is not None
    assert (head.delta.quality.low, head.delta.quality.high) == (0.0, 0.0)
    assert said(found, "asks for exactly what the base asks for")


def test_rows_that_fail_are_named_and_let_nothing_hold(desk: Desk) -> None:
    head = named(desk.prompts(LONGER, PROMPT.replace("Name the", "[fails 3] Name the")))
    assert head.verdict == "not enough data"
    assert head.quality is not None
    assert (head.quality.n, head.quality.failures) == (53, 27)
    assert any("27 rows without a score" in note for note in head.notes)


def test_the_findings_are_those_of_the_head(desk: Desk) -> None:
    clean, wordy = (
        {f.name for f in desk.prompts(base, head, depth="static").findings}
        for base, head in ((LONGER, PROMPT), (PROMPT, LONGER))
    )
    assert "filler" in wordy
    assert "filler" not in clean


# -- what is judged by whose rules -----------------------------------------------------------


def test_metric_margin_and_calls_are_the_bases(desk: Desk) -> None:
    head = wrong(4).replace(
        "metric: contains\ncalls_per_month: 1000",
        "metric: token_f1\nmargin: 0.9\ncalls_per_month: 1",
    )
    found = desk.prompts(PROMPT, head)
    judged = named(found)
    assert judged.verdict == "worse"
    assert judged.quality is not None
    assert judged.quality.metric == "contains"
    assert judged.delta is not None
    assert judged.delta.quality is not None
    assert judged.delta.quality.margin == 0.05
    assert found.calls_per_month == 1000
    assert said(found, "the head sets metric to token_f1, which does not count before it is merged")
    assert said(found, "the head sets margin to 0.9, which does not count before it is merged")


def test_a_variable_that_the_rows_lack_keeps_only_that_prompt_from_being_measured(
    desk: Desk,
) -> None:
    lacking = desk.versions(PROMPT, PROMPT.replace("Name the", "Be {{ tone }}. Name the"))
    other = replace(
        lacking,
        base=desk.prompt("base", LONGER, "other.md"),
        head=desk.prompt("head", PROMPT, "other.md"),
    )
    first, second = desk.check(lacking, other).prompts
    assert named(first).verdict == "not measured"
    assert said(first, "the head's version asks for {tone}, which 80 of 80 rows")
    assert first.eval_set is None
    base, head = named(first, "baseline"), named(first)
    assert head.tokens.template > base.tokens.template
    assert head.tokens.input_mean is None
    assert head.cost.usd_per_1k is not None
    assert head.delta is not None
    assert head.delta.input_tokens is not None
    assert head.delta.input_tokens > 0
    assert named(second).verdict == "holds"


def test_a_default_stands_in_for_what_the_rows_lack(desk: Desk) -> None:
    versions = desk.versions(PROMPT, PROMPT.replace("Name the", "Be {{ tone }}. Name the"))
    template = replace(versions.head.template, defaults={"tone": "kind"})
    filled = replace(versions, head=replace(versions.head, template=template))
    assert named(desk.check(filled).prompts[0]).verdict == "holds"


def test_a_variable_that_the_head_no_longer_needs_is_no_obstacle(desk: Desk) -> None:
    base = PROMPT.replace("Name the", "Be {{ tone }}. Name the")
    versions = desk.versions(base, PROMPT)
    versions = replace(versions, eval_set=desk.rows(ROWS, tone="kind"))
    assert named(desk.check(versions).prompts[0]).verdict == "holds"


def test_without_rows_there_are_tokens_and_the_reason(desk: Desk) -> None:
    found = desk.prompts(LONGER, PROMPT, rows=None)
    assert named(found).verdict == "not measured"
    assert said(found, "not measured: there are no eval rows")
    assert desk.asked() == []


def test_rows_that_cannot_be_read_are_said_and_nobody_is_asked(desk: Desk) -> None:
    versions = desk.versions(LONGER, PROMPT)
    (desk.folder / "evals.jsonl").write_text('{"ticket": ', "utf-8")
    (found,) = desk.check(versions).prompts
    assert named(found).verdict == "not measured"
    assert said(found, "not measured: its eval rows cannot be read: tickets/evals.jsonl:1")
    assert desk.asked() == []


def test_rows_of_a_new_prompt_that_cannot_be_read_end_the_run_before_anything_is_asked(
    desk: Desk,
) -> None:
    versions = desk.versions(None, PROMPT)
    (desk.folder / "evals.jsonl").write_text('{"ticket": ', "utf-8")
    with pytest.raises(CostoptError) as caught:
        desk.check(versions)
    assert str(caught.value.where).startswith("tickets/evals.jsonl:1")
    assert desk.asked() == []


def test_rows_of_a_promptfoo_file_are_the_bases(desk: Desk) -> None:
    def config(text: str, tickets: int) -> LoadedPrompt:
        tests = [
            {
                "vars": {"ticket": f"Ticket {i} ({LABELS[i % 3]})"},
                "assert": [{"type": "contains", "value": LABELS[i % 3]}],
            }
            for i in range(tickets)
        ]
        written = json.dumps({"prompts": [text], "tests": tests})
        return desk.prompt("head" if tickets == 7 else "base", written, "promptfooconfig.yaml")

    versions = Versions(
        head=config("Label it: {{ticket}}", 7),
        base=config("Please label it: {{ticket}}", 9),
        eval_set=None,
        shown_eval_set=None,
    )
    (found,) = desk.check(versions).prompts
    assert found.eval_set is not None
    assert found.eval_set.rows == 9
    assert named(found).quality is not None


# -- what is asked ---------------------------------------------------------------------------


def test_a_second_run_asks_nothing_and_says_the_same(desk: Desk) -> None:
    first = desk.check(desk.versions(LONGER, PROMPT))
    assert first.spent.requests == len(desk.asked()) == 2 * ROWS + 1  # One for the emptied control.
    again = desk.check(desk.versions(LONGER, PROMPT))
    assert desk.asked() == []
    assert again.spent.requests == 0
    assert again.prompts == first.prompts


def test_after_an_edit_only_the_heads_rows_are_asked_for(desk: Desk) -> None:
    desk.prompts(LONGER, PROMPT)
    desk.asked()
    desk.prompts(LONGER, PROMPT.replace("Name the", "Write the"))
    texts = [one["text"] for one in desk.asked()]
    assert len(texts) == ROWS
    assert all("Write the" in text for text in texts)


def test_what_analyze_stored_of_the_base_is_not_asked_for_again(desk: Desk) -> None:
    from costopt.evals.analysis import analyze

    loaded = desk.prompt("base", PROMPT)
    (desk.folder / "base" / "prompt.evals.jsonl").write_text(desk.rows(30).read_text(), "utf-8")
    analyze(
        AnalyzeOptions(
            paths=(desk.folder / "base" / "prompt.md",), config=desk.config, targets=("strong",),
            run_dir=desk.folder / "run", strategies=("filler",),
            eval_set=str(desk.folder / "evals.jsonl"),
        ),
        Silent(),
    )  # fmt: skip
    desk.asked()
    versions = replace(desk.versions(None, PROMPT, rows=30), head=loaded)
    desk.check(versions)
    assert desk.asked() == []


def test_a_cap_leaves_as_many_rows_of_the_one_as_of_the_other(desk: Desk) -> None:
    report = desk.check(desk.versions(LONGER, PROMPT), max_requests=48, concurrency=1)
    assert len(desk.asked()) == report.spent.requests == 48
    assert report.partial
    base, head = named(report.prompts[0], "baseline"), named(report.prompts[0])
    assert base.quality is not None
    assert head.quality is not None
    assert (base.quality.n, head.quality.n) == (24, 24)
    assert head.verdict == "not enough data"


class Stopping(Silent):
    """Ctrl-C after so many rows."""

    def __init__(self, after: int) -> None:
        self.after = after

    def update(self, snapshot: Snapshot) -> None:
        if snapshot.done == self.after:
            signal.raise_signal(signal.SIGINT)


def test_ctrl_c_keeps_what_was_done_and_decides_nothing(desk: Desk) -> None:
    with pytest.raises(Interrupted) as stopped:
        desk.check(desk.versions(LONGER, wrong(4)), progress=Stopping(80))
    report = stopped.value.report
    assert report.partial
    head = named(report.prompts[0])
    assert head.verdict == "not measured"
    assert head.quality is not None
    assert head.quality.n >= 24
    desk.asked()
    assert named(desk.check(desk.versions(LONGER, wrong(4))).prompts[0]).verdict == "worse"
    assert len(desk.asked()) <= 2 * ROWS + 1 - 70


def test_batches_are_refused(desk: Desk) -> None:
    with pytest.raises(CostoptError, match="in batches"):
        desk.check(desk.versions(LONGER, PROMPT), batch=True)
    assert desk.asked() == []


def test_repeats_show_the_noise_of_the_measurement(desk: Desk) -> None:
    warm = [text.replace("64}", "64, temperature: 1}") for text in (LONGER, PROMPT)]
    report = desk.check(desk.versions(*warm, rows=20), repeats=2)
    (noise,) = report.prompts[0].noise
    assert (noise.repeats, noise.n, noise.mean) == (2, 20, 0.0)
    # Two draws of three texts for each row; the emptied control is one text for all rows.
    assert len(desk.asked()) == 20 * 2 * 3 + 2


# -- static and replay -----------------------------------------------------------------------


def test_static_opens_no_target_and_counts(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VERSIONS_TEST_SECRET")
    report = desk.check(desk.versions(LONGER, PROMPT), depth="static")
    head = named(report.prompts[0])
    assert report.static
    assert head.verdict == "not measured"
    assert head.cost.evidence == "list"
    assert head.tokens.input_mean is not None
    assert head.delta is not None
    assert head.delta.input_tokens is not None
    assert head.delta.input_tokens < 0
    assert desk.asked() == []
    assert not (desk.folder / "run").exists()


def test_a_replay_says_what_the_measurement_said_and_needs_no_key(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = desk.versions(LONGER, PROMPT)
    measured = desk.check(versions)
    desk.asked()
    monkeypatch.delenv("VERSIONS_TEST_SECRET")
    replayed = desk.check(versions, depth="replay")
    assert desk.asked() == []
    assert replayed.spent.requests == 0
    for name in ("baseline", "head", "empty-variables"):
        was, now = named(measured.prompts[0], name), named(replayed.prompts[0], name)
        assert now == replace(was, cost=replace(was.cost, evidence="replayed"))
    assert said(
        replayed.prompts[0],
        "replayed: the store holds answers of strong to both versions on 80 of 80 rows",
    )


def test_a_replay_leaves_the_store_as_it_is(desk: Desk) -> None:
    desk.prompts(LONGER, PROMPT, rows=4)
    store = desk.folder / "run" / "answers.sqlite3"
    before = store.read_bytes()
    desk.prompts(LONGER, PROMPT, rows=8, depth="replay")
    assert store.read_bytes() == before


def test_a_replay_without_a_store_measures_nothing_and_makes_none(desk: Desk) -> None:
    found = desk.prompts(LONGER, PROMPT, depth="replay")
    assert named(found).verdict == "not measured"
    assert said(found, "not measured: the store holds no answers of strong to these rows")
    assert not (desk.folder / "run").exists()


def test_a_replay_of_the_base_alone_measures_the_base(desk: Desk) -> None:
    desk.prompts(None, LONGER)
    found = desk.prompts(LONGER, PROMPT, depth="replay")
    base, head = named(found, "baseline"), named(found)
    assert head.verdict == "not measured"
    assert head.quality is None
    assert head.delta is not None
    assert head.delta.usd_per_1k is not None
    assert head.cost.evidence == "estimated"
    assert base.quality is not None
    assert base.quality.n == ROWS
    assert said(found, "on 0 of 80 rows: 80 to the base's version and 0 to the head's")


def test_a_replay_of_half_the_head_does_not_decide(desk: Desk) -> None:
    desk.prompts(LONGER, PROMPT, samples=40)
    desk.prompts(None, LONGER)
    found = desk.prompts(LONGER, PROMPT, depth="replay")
    head = named(found)
    assert head.verdict == "not enough data"
    assert head.quality is not None
    assert (head.quality.n, head.quality.failures) == (40, 40)
    assert said(found, "on 40 of 80 rows; 40 rows with one of two count as lost")


def test_rows_that_nobody_answered_are_no_part_of_a_replay(desk: Desk) -> None:
    desk.prompts(LONGER, PROMPT, samples=60)
    head = named(desk.prompts(LONGER, PROMPT, depth="replay"))
    assert head.verdict == "holds"
    assert head.quality is not None
    assert (head.quality.n, head.quality.failures) == (60, 0)


def test_answers_of_another_address_are_none_of_this_target(desk: Desk) -> None:
    desk.prompts(LONGER, PROMPT)
    text = CONFIG.format(port=1)
    (desk.folder / "costopt.toml").write_text(text, "utf-8")
    moved = replace(desk, config=load_config(desk.folder / "costopt.toml", desk.folder))
    assert named(moved.prompts(LONGER, PROMPT, depth="replay")).verdict == "not measured"


# -- a report like any other -----------------------------------------------------------------


@pytest.mark.parametrize("base", [LONGER, None])
@pytest.mark.parametrize("depth", ["static", "measured"])
def test_the_report_can_be_written_read_and_shown(
    desk: Desk, base: str | None, depth: Depth
) -> None:
    report = desk.check(desk.versions(base, PROMPT), depth=depth)
    assert from_json(to_json(report)).prompts == report.prompts
    for text in (render(report, 100, False), to_markdown(report)):
        assert "tickets" in text
        assert "recommended:" not in text
