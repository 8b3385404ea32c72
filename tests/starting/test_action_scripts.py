"""The scripts of the action and of the workflows, run by bash in real repositories."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from costopt.reports.starting.texts import workflow_text

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PROMPT = "Classify the ticket. Answer with one word.\n\nTicket: {{ ticket }}\n"
LONGER = PROMPT + "\nPlease take great care to be careful, and note that care matters. " * 9 + "\n"
LIMIT = '[prompts."prompts/"]\nmax_growth = 0.10\n'


@dataclass
class Job:
    """A job's folders, as a runner makes them."""

    folder: Path
    repository: Path
    defaults: Mapping[str, str]
    summary: str = ""
    outputs: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def temporary(self) -> Path:
        return self.folder / "runner"

    def run(self, script: str, env: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
        """Run a step as `shell: bash` does, and read what it left for the runner."""
        file, summary = self.folder / "output", self.folder / "summary"
        file.write_text("", encoding="utf-8")
        kept = {name: value for name, value in os.environ.items() if "GITHUB_" not in name}
        job = {
            "RUNNER_TEMP": str(self.temporary),
            "GITHUB_OUTPUT": str(file),
            "GITHUB_STEP_SUMMARY": str(summary),
            "GITHUB_ACTIONS": "true",
            "GITHUB_BASE_REF": "main",
        }
        (self.folder / "step.sh").write_text(script, encoding="utf-8")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(self.folder / "step.sh")],
            cwd=self.repository,
            env={**kept, **job, **self.defaults, **env},
            capture_output=True,
            text=True,
            timeout=120,
        )
        self.summary = summary.read_text(encoding="utf-8") if summary.exists() else ""
        lines = file.read_text(encoding="utf-8").splitlines()
        self.outputs = dict(line.split("=", 1) for line in lines)
        return done


def git(folder: Path, *args: str) -> None:
    name = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *name, *args], cwd=folder, check=True, capture_output=True)


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A clone whose origin/main has a prompt with a limit; costopt is where Install puts it."""
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    write(origin / "prompts/triage/prompt.md", PROMPT)
    write(origin / "prompts/other folder/prompt.md", PROMPT.replace("ticket", "mail"))
    write(origin / "costopt.toml", LIMIT)
    git(origin, "init", "-q", "-b", "main")
    git(origin, "add", ".")
    git(origin, "commit", "-qm", "base")
    git(tmp_path, "clone", "-q", str(origin), str(clone))
    (tmp_path / "runner/costopt-venv/bin").mkdir(parents=True)
    (tmp_path / "runner/costopt-venv/bin/costopt").symlink_to(BIN / "costopt")
    return Job(tmp_path, clone, {})


def step(steps: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(step for step in steps if step["name"] == name)


def action() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))


@pytest.fixture
def check(job: Job) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Return what runs the action's check with inputs, the others at their defaults."""
    found = action()
    asked = step(found["runs"]["steps"], "Check the prompts")

    def run(**inputs: str) -> "subprocess.CompletedProcess[str]":
        values = {name: one["default"] for name, one in found["inputs"].items()} | inputs
        env = {
            name: values[expression.removeprefix("${{ inputs.").removesuffix(" }}")]
            for name, expression in asked["env"].items()
        }
        return job.run(asked["run"], env)

    return run


Check = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def asked(job: Job) -> Callable[[], list[list[str]]]:
    """Put a costopt there that only writes down what it is asked, and return what reads that."""
    log, saved = job.folder / "asked", job.temporary / "costopt/check.json"
    stub = job.temporary / "costopt-venv/bin/costopt"
    stub.unlink()
    script = f'printf "%s\\n" "$@" "" >> "{log}"; if [ $1 = check ]; then echo {{}} > "{saved}"; fi'
    write(stub, f"#!/bin/sh\n{script}\nexit 0\n")
    stub.chmod(0o755)

    def read() -> list[list[str]]:
        calls = log.read_text(encoding="utf-8").removesuffix("\n\n").split("\n\n")
        log.unlink()
        return [call.splitlines() for call in calls]

    return read


Asked = Callable[[], list[list[str]]]


def test_a_gate_that_says_no_fails_the_step_after_all_is_written(job: Job, check: Check) -> None:
    """The pull request raises its own limit, and brings modules that nobody may import."""
    write(job.repository / "prompts/triage/prompt.md", LONGER)
    write(job.repository / "costopt.toml", LIMIT.replace("0.10", "99.0"))
    for name in ("venv", "pip", "json", "costopt", "sitecustomize", "yaml"):
        write(job.repository / f"{name}.py", "open('pwned', 'w').close()\n")
    done = check(format="table", paths="prompts/triage\n")
    assert (done.returncode, job.outputs["exit"]) == (1, "1"), done.stderr
    saved = json.loads(Path(job.outputs["json"]).read_text(encoding="utf-8"))
    assert (saved["exit"], saved["depth"], saved["base"]) == (1, "static", "origin/main")
    assert Path(job.outputs["json"]).is_relative_to(job.temporary)
    assert Path(job.outputs["sarif"]).is_file()
    assert "max_growth" in job.summary
    assert "triage" in done.stdout
    assert not (job.repository / "pwned").exists()


def test_a_check_that_could_not_run_leaves_none_of_an_earlier_one(job: Job, check: Check) -> None:
    write(job.temporary / "costopt/check.json", "{}")
    assert check(base="origin/nowhere").returncode == 2
    assert job.outputs == {"exit": "2"}
    assert not list(job.temporary.rglob("check.json"))


def test_by_default_all_prompts_are_checked_against_the_pull_requests_base(
    job: Job, check: Check, asked: Asked
) -> None:
    assert check().returncode == 0
    json_, sarif = job.temporary / "costopt/check.json", job.temporary / "costopt/check.sarif"
    first, *rest = asked()
    assert first == [
        "check", "--base", "origin/main", "--format", "json", "--output", str(json_),
        "--static", "--",
    ]  # fmt: skip
    assert rest == [
        ["report", str(json_), "--format", "sarif", "--output", str(sarif)],
        ["report", str(json_), "--format", "github"],
        ["report", str(json_), "--format", "markdown"],
    ]
    assert job.outputs == {"exit": "0", "json": str(json_), "sarif": str(sarif)}


def test_inputs_become_options(check: Check, asked: Asked) -> None:
    check(
        base="v1", paths="prompts/other folder\n\nprompts/triage\n",
        static="false", summary="false",
        targets="openai:a\n mine ", args="--samples 3\n  --offline", format="table",
    )  # fmt: skip
    first, *rest = asked()
    assert first[1:3] == ["--base", "v1"]
    assert first[7:] == [
        "--target", "openai:a", "--target", "mine", "--samples", "3", "--offline",
        "--", "prompts/other folder", "prompts/triage",
    ]  # fmt: skip
    assert [call[3] for call in rest] == ["sarif", "table"]


@pytest.mark.parametrize("text", ["$(touch pwned)", "`touch pwned`", ";touch pwned", "*", "'\""])
def test_inputs_are_data(job: Job, check: Check, asked: Asked, text: str) -> None:
    done = check(base=text, paths=text, targets=text, args=text, format=text)
    assert done.stderr == ""
    first = asked()[0]
    assert (first[2], first[-1]) == (text, text)
    assert first[8:-2] == [
        *(word for part in text.split() for word in ("--target", part)), *text.split()
    ]  # fmt: skip
    assert not list(job.folder.rglob("pwned"))


@pytest.mark.parametrize("status", [0, 1, 2, 3])
def test_the_step_ends_as_the_check_did(job: Job, check: Check, asked: Asked, status: int) -> None:
    stub = job.temporary / "costopt-venv/bin/costopt"
    exits = f"if [ $1 = check ]; then exit {status}; fi"
    write(stub, stub.read_text(encoding="utf-8").replace("exit 0", exits))
    done = check()
    assert (done.returncode, job.outputs["exit"]) == (status, str(status))
    assert len(asked()) == 4


def test_outside_of_a_pull_request_the_base_is_asked_for(job: Job, check: Check) -> None:
    job.defaults = {"GITHUB_BASE_REF": ""}
    done = check()
    assert done.returncode == 2
    assert done.stdout == "::error title=costopt::this is no pull request: give the input base\n"


def test_the_installation_imports_nothing_of_the_tree_and_names_an_old_python(job: Job) -> None:
    script = step(action()["runs"]["steps"], "Install costopt")["run"]
    old = job.folder / "python-old"
    write(old, "#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = job.run(script, {"PYTHON": str(old), "VERSION": ""})
    assert done.returncode == 2
    assert done.stdout.startswith("::error title=costopt::it needs Python 3.11 or newer")


def test_the_installation_asks_for_the_actions_own_code_or_a_version(job: Job) -> None:
    """A Python of our own writes down what it is asked for, so that no index is needed."""
    script = step(action()["runs"]["steps"], "Install costopt")["run"]
    log = job.folder / "log"
    made = job.temporary / "costopt-venv/bin/python"
    for file in (job.folder / "python", made):
        write(file, f'#!/bin/sh\nprintf "%s|" "$@" >> "{log}"; echo >> "{log}"\n')
        file.chmod(0o755)
    env = {"PYTHON": str(job.folder / "python"), "GITHUB_ACTION_PATH": "/an action"}
    assert job.run(script, {**env, "VERSION": ""}).returncode == 0
    assert job.run(script, {**env, "VERSION": "1.2.3"}).returncode == 0
    asked = [line.split("|") for line in log.read_text(encoding="utf-8").splitlines()]
    assert [line[:4] for line in asked if "venv" in line] == [["-I", "-m", "venv", "--clear"]] * 2
    assert [line[-2] for line in asked if "pip" in line] == ["/an action", "costopt==1.2.3"]


@pytest.mark.slow
def test_the_action_installs_its_own_code(job: Job) -> None:
    script = step(action()["runs"]["steps"], "Install costopt")["run"]
    (job.temporary / "costopt-venv/bin/costopt").unlink()
    for name in ("venv", "pip", "ensurepip"):
        write(job.repository / f"{name}.py", "raise SystemExit('imported from the tree')\n")
    source = job.folder / "action"  # pip builds in place, and would leave its files in ours
    listed = ["git", "ls-files", "-co", "--exclude-standard"]
    done = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(lambda name: (ROOT / name).is_file(), done.stdout.splitlines()):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes((ROOT / name).read_bytes())
    env = {"PYTHON": sys.executable, "VERSION": "", "GITHUB_ACTION_PATH": str(source)}
    done = job.run(script, {**env, "PIP_NO_DEPS": "1"})
    assert done.returncode == 0, done.stderr
    assert (job.temporary / "costopt-venv/bin/costopt").is_file()


def test_the_workflows_scripts_check_and_show(job: Job) -> None:
    steps = yaml.safe_load(workflow_text("costopt.yml", ["prompts/"], "1.2.3"))["jobs"]["check"][
        "steps"
    ]
    asked, shown = step(steps, "Check the prompts"), step(steps, "Show it")
    env = {"BASE": "origin/main", "PATHS": asked["env"]["PATHS"]}
    write(job.repository / "prompts/triage/prompt.md", LONGER)
    assert job.run(asked["run"], env).returncode == 1
    assert job.run(shown["run"], {}).returncode == 0
    assert "max_growth" in job.summary
    (job.temporary / "costopt/check.json").unlink()
    assert job.run(shown["run"], {}).returncode == 0


def test_gitlabs_script_checks_and_keeps(job: Job) -> None:
    found = yaml.safe_load(workflow_text("gitlab.yml", ["prompts/"], "1.2.3"))["costopt"]
    (script,) = found["script"]
    script = script.replace("/opt/costopt/bin/costopt", str(BIN / "costopt"))
    write(job.repository / "prompts/triage/prompt.md", LONGER)
    env = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": "origin/main", **found["variables"]}
    done = job.run(script, env)
    assert done.returncode == 1, done.stderr
    assert "triage" in done.stdout
    assert (job.repository / "costopt.xml").is_file()
    assert json.loads((job.repository / "costopt-check.json").read_text(encoding="utf-8"))


def test_gitlabs_script_shows_nothing_that_the_tree_brought(job: Job) -> None:
    found = yaml.safe_load(workflow_text("gitlab.yml", ["prompts/"], "1.2.3"))["costopt"]
    (script,) = found["script"]
    script = script.replace("/opt/costopt/bin/costopt", str(BIN / "costopt"))
    write(job.folder / "elsewhere", "kept")
    write(job.repository / "costopt.xml", "<testsuites/>")
    (job.repository / "costopt-check.json").symlink_to(job.folder / "elsewhere")
    env = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": "no-such-revision", **found["variables"]}
    assert job.run(script, env).returncode == 2
    assert not (job.repository / "costopt.xml").exists()
    assert not os.path.lexists(job.repository / "costopt-check.json")
    job.run(script, {**env, "CI_MERGE_REQUEST_DIFF_BASE_SHA": "origin/main"})
    assert (job.folder / "elsewhere").read_text(encoding="utf-8") == "kept"
