"""What a base has to be, and what is said where it is not."""

from pathlib import Path

import pytest
from git_repository import PROMPT, GitRepository

PATH = "prompts/tickets/prompt.md"


def test_no_repository(repository: GitRepository) -> None:
    ran = repository.run()
    assert ran.status == 2
    assert "no working tree of git" in ran.err
    assert "help:" in ran.err


def test_an_unknown_base(repository: GitRepository) -> None:
    repository.start()
    ran = repository.run(base="origin/main")
    assert ran.status == 2
    assert 'git knows no revision "origin/main"' in ran.err
    assert "git fetch origin main" in ran.err


@pytest.mark.parametrize("format", ["sha1", "sha256"])
def test_before_the_first_commit_all_is_new(repository: GitRepository, format: str) -> None:
    repository.git("init", "-q", "-b", "main", f"--object-format={format}")
    repository.write(PATH, PROMPT)
    repository.git("add", "-A")
    ran = repository.run("--static", base="HEAD")
    assert ran.status == 0
    assert [(one["path"], one["status"]) for one in ran.check["changes"]] == [(PATH, "added")]
    assert ran.check["head"] == "working tree"
    other = repository.run("--static", base="main")
    assert other.status == 2
    assert 'git knows no revision "main"' in other.err


def test_a_base_beyond_the_first_commit(repository: GitRepository) -> None:
    repository.start()
    ran = repository.run(base="HEAD~9")
    assert ran.status == 2
    assert "git fetch" not in ran.err


@pytest.mark.parametrize(
    "ref", ["--output=/tmp/x", "-h", "", "a b", "main:prompts", "main..change", "^main"]
)
def test_what_is_no_name_of_a_revision(repository: GitRepository, ref: str) -> None:
    repository.start()
    ran = repository.run(base=ref)
    assert ran.status == 2
    assert "error:" in ran.err


def shallow(repository: GitRepository, folder: Path, *args: str) -> None:
    repository.git("clone", "-q", *args, f"file://{repository.folder}", str(folder))


def test_a_shallow_clone_without_the_base(
    repository: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.start()
    repository.replace(PATH, "Route the", "Do route the")
    repository.commit()
    shallow(repository, tmp_path / "clone", "--depth=1", "--branch=change")
    monkeypatch.chdir(tmp_path / "clone")
    ran = repository.run(base="origin/main")
    assert ran.status == 2
    assert "shallow clone" in ran.err
    assert "fetch-depth: 0" in ran.err


def test_a_shallow_clone_without_the_merge_base(
    repository: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.start()
    repository.replace(PATH, "Route the", "Do route the")
    repository.commit()
    repository.git("checkout", "-q", "main")
    repository.commit("later")
    shallow(repository, tmp_path / "clone", "--depth=1", "--no-single-branch", "--branch=change")
    monkeypatch.chdir(tmp_path / "clone")
    ran = repository.run(base="origin/main")
    assert ran.status == 2
    assert 'where HEAD left "origin/main" is not in it' in ran.err
    assert "git fetch --unshallow" in ran.err
    repository.git("fetch", "-q", "--unshallow", folder=tmp_path / "clone")
    assert repository.run(base="origin/main").status == 0


def test_histories_without_a_common_commit(repository: GitRepository) -> None:
    repository.start()
    repository.git("checkout", "-q", "--orphan", "other")
    repository.commit()
    ran = repository.run()
    assert ran.status == 2
    assert "no commit in common" in ran.err


def test_git_is_not_installed(repository: GitRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    repository.start()
    monkeypatch.setenv("PATH", "/nonexistent")
    ran = repository.run()
    assert ran.status == 2
    assert "git is not installed" in ran.err


def test_a_clone_that_lacks_the_files_fetches_nothing(
    repository: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.start()
    repository.git("config", "uploadpack.allowFilter", "true")
    repository.replace(PATH, "Route the", "Do route the")
    repository.commit()
    clone = tmp_path / "clone"
    shallow(repository, clone, "--filter=blob:none", "--branch=change")
    monkeypatch.chdir(clone)
    ran = repository.run(base="origin/main")
    assert ran.status == 2
    assert "a check fetches nothing" in ran.err
    assert f"--> {PATH}" in ran.err


def test_a_broken_configuration_of_the_base_is_named_as_the_repository_does(
    repository: GitRepository,
) -> None:
    repository.start("[costopt]\ntarget = 3\n")
    ran = repository.run()
    assert ran.status == 2
    assert "costopt.toml (of the base):2" in ran.err
