"""What a prompt asks for and a target cannot do is said before anything is sent."""

import asyncio
import json
from pathlib import Path

import pytest
from fault_server import OK, FaultServer
from hypothesis import given
from hypothesis import strategies as st

from costopt.cli.main import main
from costopt.core.config import load_config
from costopt.core.errors import CostoptError
from costopt.core.protocols import CAPABILITIES
from costopt.core.types import GenerationSettings, Message, Request
from costopt.models.capabilities import fit
from costopt.models.compatible import CompatibleTarget

SCHEMA = {"type": "object"}
TOOL = {"type": "function", "function": {"name": "f"}}
ALL = GenerationSettings(seed=1, effort="low", response_schema=SCHEMA, tools=(TOOL,))


def test_what_would_change_the_answer_stands_in_the_way() -> None:
    found = fit(ALL, "mine", frozenset({"generate", "seed", "effort"}), declared=True)
    assert found.cannot is not None
    assert "json_schema" in found.cannot
    assert "tools" in found.cannot


def test_what_is_only_less_exact_is_noted() -> None:
    settings = GenerationSettings(seed=1, effort="low")
    found = fit(settings, "mine", frozenset({"generate"}), declared=True)
    assert found.cannot is None
    assert len(found.notes) == 2


def test_a_server_that_declared_nothing_is_asked_all_the_same() -> None:
    found = fit(ALL, "mine", frozenset({"generate", "seed"}), declared=False)
    assert found.cannot is None
    (note,) = found.notes
    assert "json_schema, tools, effort" in note
    assert "capabilities" in note


@given(st.frozensets(st.sampled_from(CAPABILITIES)), st.booleans())
def test_a_prompt_that_asks_for_nothing_fits(can: frozenset[str], declared: bool) -> None:
    found = fit(GenerationSettings(), "mine", can, declared=declared)
    assert found.cannot is None
    assert found.notes == ()


@pytest.mark.parametrize("declared", [True, False])
def test_what_is_not_declared_is_left_out(faults: FaultServer, declared: bool) -> None:
    left_out = frozenset({"effort"}) if declared else frozenset[str]()
    target = CompatibleTarget(name="t", model="m", base_url=faults.url, left_out=left_out)
    settings = GenerationSettings(seed=3, effort="low")
    asked = Request(messages=(Message("user", "Hi"),), settings=settings)
    faults.script = [OK]
    asyncio.run(target.answer(asked))
    assert faults.seen[0].body["seed"] == 3
    assert ("reasoning_effort" in faults.seen[0].body) == (not declared)


def test_an_answer_without_an_effort_is_not_taken_for_one_with_it() -> None:
    mine = {"name": "t", "model": "m", "base_url": "http://127.0.0.1:9/v1"}
    silent = CompatibleTarget(**mine)
    without = CompatibleTarget(**mine, left_out=frozenset({"effort"}))
    assert silent.identity != without.identity
    # Where the effort would be refused, there is no answer that had it.
    refusing = CompatibleTarget(**mine, left_out=frozenset({"effort"}), refuses=True)
    assert silent.identity == refusing.identity


@pytest.mark.parametrize("value", ['["likelihood"]', '["loglikelihood"]', "[]", "3", "[1]"])
def test_a_capability_that_is_none(value: str, tmp_path: Path) -> None:
    (tmp_path / "costopt.toml").write_text(f"[targets.mine]\ncapabilities = {value}\n")
    with pytest.raises(CostoptError, match="capabilities") as caught:
        load_config(None, tmp_path)
    assert str(caught.value.where).endswith("costopt.toml:2")


def folder(root: Path, name: str, settings: str) -> None:
    (root / name).mkdir(parents=True)
    (root / name / "prompt.md").write_text(
        f"---\nmetric: exact_match\nsettings: {settings}\n---\nSay   the word: {{{{ word }}}}\n"
    )
    rows = [{"word": word, "reference": word} for word in ("tea", "oat", "elm")]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (root / name / "evals.jsonl").write_text(lines)


ANALYZE = ["analyze", "prompts", "--target", "mine", "--strategy", "whitespace", "--quiet"]


@pytest.fixture
def server(faults: FaultServer, in_folder: Path, monkeypatch: pytest.MonkeyPatch) -> FaultServer:
    monkeypatch.setenv("XDG_CACHE_HOME", str(in_folder / "cache"))
    (in_folder / "costopt.toml").write_text(
        f'[targets.mine]\nmodel = "m"\nbase_url = "{faults.url}"\ncapabilities = ["seed"]\n'
    )
    return faults


def test_a_target_that_can_do_no_prompt_is_refused_before_anything_is_sent(
    server: FaultServer, in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder(in_folder / "prompts", "a", "{response_schema: {type: object}}")
    assert main(ANALYZE) == 2
    assert "json_schema" in capsys.readouterr().err
    assert server.seen == []


def test_a_prompt_that_the_target_cannot_do_is_not_measured_and_says_why(
    server: FaultServer, in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder(in_folder / "prompts", "a", "{response_schema: {type: object}}")
    folder(in_folder / "prompts", "b", "{effort: low}")
    assert main([*ANALYZE, "--format", "json"]) == 0
    first, second = json.loads(capsys.readouterr().out)["prompts"]
    assert {v["verdict"] for v in first["variants"]} <= {"baseline", "not measured"}
    assert any("json_schema" in note for note in first["notes"])
    assert any("effort" in note for note in second["notes"])
    assert second["variants"][0]["quality"]["n"] == 3
    assert server.seen
    for seen in server.seen:
        assert "response_format" not in seen.body
        assert "reasoning_effort" not in seen.body
