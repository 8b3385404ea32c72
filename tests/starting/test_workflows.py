"""The workflows that `costopt init` writes, the action, and what linters say of them."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from costopt.reports.starting.texts import workflow_text

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
CHECK, COMMENT = "costopt.yml", "costopt-comment.yml"
PINNED = re.compile(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+\n")


def text(name: str) -> str:
    if name == "action.yml":
        return (ROOT / name).read_text(encoding="utf-8")
    return workflow_text(name, ["prompts/", "a b/"], "1.2.3")


def load(name: str) -> dict[str, Any]:
    # YAML 1.1 reads the key "on" as true.
    return {
        "on" if key is True else key: value for key, value in yaml.safe_load(text(name)).items()
    }


def steps(name: str) -> list[dict[str, Any]]:
    found = load(name)
    if name == "action.yml":
        return found["runs"]["steps"]
    return [step for job in found["jobs"].values() for step in job["steps"]]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the workflows and the action."""
    folder = tmp_path_factory.mktemp("written")
    (folder / ".github/workflows").mkdir(parents=True)
    for name in (CHECK, COMMENT):
        (folder / ".github/workflows" / name).write_text(text(name), encoding="utf-8")
    (folder / "action.yml").write_text(text("action.yml"), encoding="utf-8")
    return folder


@pytest.mark.parametrize("persona", ["regular", "pedantic", "auditor"])
def test_zizmor_finds_nothing(written: Path, persona: str) -> None:
    command = [
        BIN / "zizmor",
        "--offline",
        "--no-progress",
        "--color=never",
        "--persona",
        persona,
        written,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    # The one that is ignored is the trigger of the comment's job, whose line says why.
    assert "No findings to report. Good job! (1 ignored)" in done.stdout
    assert text(COMMENT).count("zizmor: ignore") == 1


# SC2153 takes variables that a step's "env" sets for misspelt ones of its script.
@pytest.mark.parametrize("name", [CHECK, COMMENT, "action.yml"])
def test_shellcheck_finds_nothing(name: str) -> None:
    for script in (step["run"] for step in steps(name) if "run" in step):
        command = [BIN / "shellcheck", "--shell=bash", "--severity=style", "--exclude=SC2153", "-"]
        done = subprocess.run(command, input=script, capture_output=True, text=True, timeout=60)
        assert done.stdout == ""


def test_shellcheck_finds_nothing_in_gitlabs_script() -> None:
    job = load("gitlab.yml")["costopt"]
    for script in (*job["before_script"], *job["script"]):
        command = [BIN / "shellcheck", "--shell=sh", "--severity=style", "--exclude=SC2153", "-"]
        done = subprocess.run(command, input=script, capture_output=True, text=True, timeout=60)
        assert done.stdout == ""


@pytest.mark.parametrize("name", [CHECK, COMMENT, "action.yml"])
def test_no_expression_is_put_into_a_script(name: str) -> None:
    scripts = [step["run"] for step in steps(name) if "run" in step]
    assert scripts
    assert not [script for script in scripts if "${{" in script]


@pytest.mark.parametrize("name", [CHECK, COMMENT])
def test_actions_are_pinned_and_jobs_end(name: str) -> None:
    assert text(name).count("uses: ") == len(PINNED.findall(text(name))) > 0
    for job in load(name)["jobs"].values():
        assert job["timeout-minutes"] <= 15
    assert load(name)["concurrency"]["group"]


def test_the_check_may_only_read() -> None:
    found = load(CHECK)
    assert found["on"] == {"pull_request": None}
    assert found["permissions"] == {"contents": "read"}
    assert "permissions" not in found["jobs"]["check"]
    checkout = next(step for step in steps(CHECK) if "checkout" in step.get("uses", ""))
    assert checkout["with"] == {"fetch-depth": 0, "persist-credentials": False}
    assert "secrets." not in re.sub(r"#.*", "", text(CHECK))


def test_the_comment_may_write_and_has_nothing_of_the_pull_request() -> None:
    found = load(COMMENT)
    assert found["on"] == {
        "workflow_run": {"workflows": [load(CHECK)["name"]], "types": ["completed"]}
    }
    assert found["permissions"] == {}
    (job,) = found["jobs"].values()
    assert job["permissions"] == {"actions": "read", "pull-requests": "write"}
    assert job["if"] == "github.event.workflow_run.event == 'pull_request'"
    assert "checkout" not in re.sub(r"#.*", "", text(COMMENT))
    fetch = next(step for step in steps(COMMENT) if "download" in step.get("uses", ""))
    assert fetch["with"]["path"].startswith("${{ runner.temp }}/")
    # The token is in the environment of the step that posts, not of the one that installs.
    holders = [step["name"] for step in steps(COMMENT) if "GITHUB_TOKEN" in step.get("env", {})]
    assert holders == ["Comment"]


@pytest.mark.parametrize("name", [CHECK, COMMENT, "action.yml", "gitlab.yml"])
def test_python_never_imports_from_the_checked_tree(name: str) -> None:
    lines = [line for line in re.sub(r"#.*", "", text(name)).splitlines() if " -m " in line]
    assert len(lines) == 2
    assert all(" -I -m " in line for line in lines)


def test_paths_with_spaces_stay_whole() -> None:
    check = next(step for step in steps(CHECK) if step["name"] == "Check the prompts")
    assert check["env"]["PATHS"] == "prompts\na b"


def test_the_gitlab_example_is_what_init_writes() -> None:
    example = (ROOT / "docs/examples/gitlab-ci.yml").read_text(encoding="utf-8")
    version = re.search(r"costopt==([\d.]+)", example)
    assert version is not None
    assert example == workflow_text("gitlab.yml", ["prompts/"], version[1])


def test_the_hook_for_pre_commit_is_what_init_writes() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    template = ROOT / "reports/starting/templates/pre-commit.yaml"
    (repo,) = yaml.safe_load(template.read_text(encoding="utf-8").replace("@FILES@", "x"))
    (own,) = repo["hooks"]
    same = ("id", "name", "entry", "language", "pass_filenames")
    assert {key: hook[key] for key in same} == {key: own[key] for key in same}
