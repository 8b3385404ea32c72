"""``costopt init``: what it writes, what it leaves, and that it is safe to run again."""

import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from costopt import __version__
from costopt.cli import main as cli
from costopt.core.config import load_config

GITHUB = (
    "costopt.toml",
    ".github/workflows/costopt.yml",
    ".github/workflows/costopt-comment.yml",
    ".pre-commit-config.yaml",
)
PROMPT = "Say {{ x }}."


@pytest.fixture
def project(in_folder: Path) -> Path:
    """A repository with a prompt."""
    subprocess.run(["git", "init", "-q"], cwd=in_folder, check=True)
    write(in_folder / "prompts/greet/prompt.md", PROMPT)
    return in_folder


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def init(capsys: pytest.CaptureFixture[str], *args: str) -> list[str]:
    status = cli.main(["init", *args])
    out, err = capsys.readouterr()
    assert (status, err) == (0, "")
    return out.splitlines()


def tree(folder: Path) -> dict[str, bytes]:
    files = (file for file in folder.rglob("*") if file.is_file())
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in files
        if ".git" not in file.relative_to(folder).parts
    }


def test_it_writes_and_says_what_is_next(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = init(capsys)
    assert [line.split() for line in lines[:4]] == [["wrote", name] for name in GITHUB]
    assert "Prompts: prompts/" in lines
    assert set(tree(project)) == {*GITHUB, "prompts/greet/prompt.md"}
    assert f"costopt=={__version__}" in (project / GITHUB[1]).read_text(encoding="utf-8")


def test_again_it_changes_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    init(capsys)
    before = tree(project)
    lines = init(capsys)
    assert [line.split()[:2] for line in lines[:4]] == [["kept", name] for name in GITHUB]
    init(capsys, "--force")
    assert tree(project) == before


def test_what_is_there_is_kept_without_force(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in GITHUB[:3]:
        write(project / name, "mine\n")
    lines = init(capsys)
    assert all("there is one; --force writes over it" in line for line in lines[:3])
    assert all((project / name).read_text(encoding="utf-8") == "mine\n" for name in GITHUB[:3])
    assert [line.split()[0] for line in init(capsys, "--force")[:3]] == ["replaced"] * 3
    assert "mine\n" not in {(project / name).read_text(encoding="utf-8") for name in GITHUB[:3]}


def test_from_a_folder_below_it_writes_at_the_root(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project / "prompts")
    init(capsys)
    assert (project / "costopt.toml").is_file()


def test_hooks_that_are_there_stay_and_bytes_that_are_no_text_are_left(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hooks, own = project / ".pre-commit-config.yaml", "repos:\n- repo: a\n  hooks: [{id: b}]  # b\n"
    write(hooks, own)
    assert "added to  .pre-commit-config.yaml" in init(capsys)
    assert hooks.read_text(encoding="utf-8").startswith(own)
    assert "kept  .pre-commit-config.yaml (it has the hook)" in init(capsys)
    hooks.write_bytes(own.encode() + b"# \xff\n")
    kept = next(line for line in init(capsys) if "pre-commit" in line)
    assert "add the hook by hand" in kept
    assert hooks.read_bytes().endswith(b"\xff\n")


def test_pyproject_with_a_table_of_ours_needs_no_other_file(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(project / "pyproject.toml", "[tool.costopt]\nseed = 1\n")
    assert "kept   costopt.toml (pyproject.toml has [tool.costopt])" in init(capsys)
    assert not (project / "costopt.toml").exists()


def test_no_ci_is_no_workflow(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    init(capsys, "--ci", "none")
    assert set(tree(project)) == {"costopt.toml", ".pre-commit-config.yaml", *PROMPTS}


PROMPTS = ("prompts/greet/prompt.md",)


def test_gitlab_gets_a_job_that_is_included(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    init(capsys, "--ci", "gitlab")
    included = yaml.safe_load((project / ".gitlab-ci.yml").read_text(encoding="utf-8"))
    (one,) = included["include"]
    job = yaml.safe_load((project / one["local"]).read_text(encoding="utf-8"))["costopt"]
    assert job["variables"]["PATHS"] == "prompts"


def test_a_gitlab_pipeline_that_is_there_is_found_and_left(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(project / ".gitlab-ci.yml", "test:\n  script: [make]\n")
    lines = init(capsys)
    kept = next(line for line in lines if ".gitlab-ci.yml" in line)
    assert "add to its include: - local: .gitlab/costopt.yml" in kept
    assert not (project / ".github").exists()


def test_a_dry_run_writes_nothing(
    project: Path, capsys: pytest.CaptureFixture[str], golden: Callable[[str, str], None]
) -> None:
    assert cli.main(["init", "--dry-run"]) == 0
    out, err = capsys.readouterr()
    assert set(tree(project)) == set(PROMPTS)
    golden("init-dry-run.txt", f"{err}\n{out}".replace(__version__, "VERSION"))


def test_a_dry_run_for_gitlab(
    project: Path, capsys: pytest.CaptureFixture[str], golden: Callable[[str, str], None]
) -> None:
    assert cli.main(["init", "--dry-run", "--ci", "gitlab"]) == 0
    out, err = capsys.readouterr()
    golden("init-dry-run-gitlab.txt", f"{err}\n{out}".replace(__version__, "VERSION"))


def test_an_unknown_host_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["init", "--ci", "gitub"]) == 2
    assert 'unknown host "gitub"' in (err := capsys.readouterr().err)
    assert 'did you mean "github"?' in err


@pytest.mark.parametrize("name", GITHUB)
def test_a_link_that_leads_outside_is_not_written_through(
    project: Path,
    capsys: pytest.CaptureFixture[str],
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "file"
    (project / name).parent.mkdir(parents=True, exist_ok=True)
    (project / name).symlink_to(outside)
    assert cli.main(["init", "--force"]) == 2
    assert "link that leads outside" in capsys.readouterr().err
    assert not outside.exists()
    assert set(tree(project)) == set(PROMPTS)


def test_a_file_in_the_place_of_a_folder_is_said(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(project / ".github", "not a folder")
    assert cli.main(["init"]) == 2
    assert capsys.readouterr().err.startswith("error: cannot")


def test_the_configuration_is_valid_as_it_is_and_with_every_suggestion(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    init(capsys)
    file = project / "costopt.toml"
    assert load_config(file, project).rule_for("prompts/greet/prompt.md").glob == "prompts/"
    lines = file.read_text(encoding="utf-8").splitlines()
    taken = [line.removeprefix("# ") if _suggests(line) else line for line in lines]
    assert len([line for line in lines if _suggests(line)]) > 10
    write(file, "\n".join(taken))
    found = load_config(file, project)
    assert found.targets["my-server"].priced_as == "openai:gpt-4.1-mini"
    assert found.rule_for("prompts/greet/prompt.md").calls_per_month == 100_000


def _suggests(line: str) -> bool:
    """Return whether a comment is TOML: a key, or the head of a table."""
    if not line.startswith("# "):
        return False
    try:
        return bool(tomllib.loads(line[2:]))
    except tomllib.TOMLDecodeError:
        return False


def test_without_prompts_it_says_so(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = init(capsys)
    assert any(line.startswith("No folder of prompts was found") for line in lines)
    assert "No folder of prompts was found" in (in_folder / "costopt.toml").read_text(
        encoding="utf-8"
    )
    load_config(in_folder / "costopt.toml", in_folder)
    assert "  1. Put your prompts into prompts/, or your folder's name in its place." in lines
    assert max(map(len, lines)) <= 80


def test_what_it_says_of_a_project_without_prompts_is_so(
    in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def git(*args: str) -> None:
        who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        subprocess.run(["git", *who, *args], cwd=in_folder, check=True, capture_output=True)

    git("init", "-q")
    init(capsys, "--ci", "none")
    git("add", "-A")
    git("commit", "-q", "-m", "first")
    assert cli.main(["check", "--static", "--base", "HEAD", "--", "prompts"]) == 2
    (in_folder / "prompts").mkdir()
    (in_folder / "prompts" / "hello.md").write_text("Hi {{ name }}.", encoding="utf-8")
    assert cli.main(["check", "--static", "--base", "HEAD", "--", "prompts"]) == 0
