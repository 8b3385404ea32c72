"""A hostile head: whatever it brings is data, and changes nothing that decides."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from git_repository import PROMPT, STATIC_TARGET, GitRepository

PATH = "prompts/tickets/prompt.md"
LIMITED = f'[costopt]\n{STATIC_TARGET}\n[prompts."prompts/"]\nmax_input_tokens = 20\n'


class Listener:
    """Counts the bytes that anybody sends it."""

    def __init__(self) -> None:
        self.received = b""
        self.connections = 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.socket.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            connection.settimeout(0.5)
            with connection:
                try:
                    self.received += connection.recv(65536)
                except OSError:
                    continue


@pytest.fixture
def listener() -> Iterator[Listener]:
    found = Listener()
    yield found
    found.socket.close()


def test_a_budget_raised_in_the_head_has_no_effect(repository: GitRepository) -> None:
    repository.start(LIMITED)
    repository.replace("costopt.toml", "max_input_tokens = 20", "max_input_tokens = 9000")
    ran = repository.run()
    assert ran.status == 1
    (gate,) = ran.gates("max_input_tokens")
    assert gate["limit"] == 20
    assert ran.check["changes"][0]["why"] == ["configuration"]
    assert any('[prompts."prompts/"]' in note for note in ran.check["notes"])


@pytest.mark.parametrize("how", ["deleted", "link", "broken", "beside", "named"])
def test_no_way_around_the_bases_configuration(repository: GitRepository, how: str) -> None:
    repository.start(LIMITED)
    file = repository.folder / "costopt.toml"
    args: tuple[str, ...] = ()
    if how in ("deleted", "link"):
        file.unlink()
    if how == "link":
        file.symlink_to("/etc/passwd")
    if how == "broken":
        repository.write("costopt.toml", "max = [")
    if how == "beside":
        repository.write("prompts/costopt.toml", "[costopt]\nseed = 1\n")
    if how == "named":
        repository.write("costopt.toml", f"[costopt]\n{STATIC_TARGET}\n")
        args = ("--config", "costopt.toml")
    repository.replace(PATH, "Route the", "Do route the")
    repository.commit()
    ran = repository.run(*args)
    assert ran.status == 1
    assert ran.outcomes("max_input_tokens") == ["failed"]
    assert "root:" not in ran.out


def test_a_configuration_that_would_hide_the_bases_is_named(
    repository: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = LIMITED.replace("[prompts.", "[tool.costopt.prompts.")
    repository.start("")
    repository.git("checkout", "-q", "main")
    (repository.folder / "costopt.toml").unlink()
    repository.write("pyproject.toml", limits.replace("[costopt]", "[tool.costopt]"))
    repository.commit()
    repository.git("checkout", "-q", "-B", "change")
    repository.write("costopt.toml", f"[costopt]\n{STATIC_TARGET}\n")
    repository.replace(PATH, "Route the", "Do route the")
    ran = repository.run()
    assert ran.outcomes("max_input_tokens") == ["failed"]
    said = " ".join(ran.check["notes"])
    assert "the head brings costopt.toml, which would be read in the place of pyproject" in said
    assert '[prompts."prompts/"]' in said
    (repository.folder / "costopt.toml").unlink()
    (repository.folder / "costopt.toml").symlink_to("/etc/passwd")
    ran = repository.run()
    assert "read in the place of pyproject.toml" in " ".join(ran.check["notes"])
    assert "root:" not in ran.out
    (repository.folder / "costopt.toml").unlink()
    repository.write("prompts/costopt.toml", "[costopt]\n")
    assert repository.run().check["notes"] == []
    monkeypatch.chdir(repository.folder / "prompts")
    assert "the head brings prompts/costopt.toml" in repository.run().check["notes"][0]


def test_a_configuration_that_only_the_head_has_does_not_count(repository: GitRepository) -> None:
    repository.start()
    repository.write("other.toml", LIMITED)
    ran = repository.run("--config", "other.toml")
    assert ran.status == 2
    assert "the head's does not count" in ran.err


def test_a_configuration_of_ones_own_holds_for_the_repositorys_paths(
    repository: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.start()
    (tmp_path / "own.toml").write_text(LIMITED.replace("prompts/", "/prompts/"), "utf-8")
    repository.replace(PATH, "Route the", "Do route the")
    monkeypatch.chdir(repository.folder / "prompts")
    ran = repository.run("--config", str(tmp_path / "own.toml"))
    assert ran.outcomes("max_input_tokens") == ["failed"]


def test_what_the_front_matter_brings_does_not_count(repository: GitRepository) -> None:
    repository.start(
        f'[costopt]\n{STATIC_TARGET}\n[prompts."prompts/"]\nmax_usd_per_month = 0.000001\n'
    )
    repository.replace(PATH, "metric: accuracy", "metric: accuracy\ncalls_per_month: 100000")
    base = repository.commit()
    repository.replace(PATH, "calls_per_month: 100000", "calls_per_month: 0\nmargin: 1.0")
    ran = repository.run(base=base)
    assert ran.status == 1
    assert ran.outcomes("max_usd_per_month") == ["failed"]
    (prompt,) = ran.check["report"]["prompts"]
    assert sum("does not count before it is merged" in note for note in prompt["notes"]) == 2


HOSTILE = """
[costopt]
target = ["stolen", "mini"]
seed = 7
margin = 1.0
run_dir = "planted"
judge = "stolen"
max_cost = 1000
[targets.stolen]
model = "x"
base_url = "http://127.0.0.1:{port}/v1"
api_key_env = "CANARY_KEY"
price = {{ input = 0, output = 0 }}
[targets.mini]
model = "mini-1"
base_url = "http://127.0.0.1:{port}/v1"
api_key_env = "CANARY_KEY"
"""


def test_a_hostile_head_reaches_nobody_and_runs_nothing(
    repository: GitRepository, server: "object", listener: Listener, tmp_path: Path
) -> None:
    """In a process of its own: what lies in the current folder could be imported there."""
    repository.start(server.config, number=4)  # type: ignore[attr-defined]
    canary = tmp_path / "canary"
    run = f"import pathlib; pathlib.Path({str(canary)!r}).write_text('ran')\n"
    for name in ("sitecustomize.py", "conftest.py", "json.py", "rouge/rouge.py", "costopt/cli.py"):
        repository.write(name, run)
    hook = f"#!/bin/sh\ntouch {canary}\n"
    repository.write(".githooks/pre-commit", hook)
    attributes = "*.md diff=evil filter=evil merge=evil\n*.jsonl diff=evil\n"
    repository.write(".gitattributes", attributes)
    repository.write(".env", f"OPENAI_BASE_URL=http://127.0.0.1:{listener.port}\n")
    repository.write("costopt.toml", HOSTILE.format(port=listener.port))
    front = f"metric: accuracy\nbase_url: http://127.0.0.1:{listener.port}\ntargets: [stolen]"
    repository.write(PATH, PROMPT.replace("metric: accuracy", front).replace("Route", "Do route"))
    repository.write("prompts/hub.md", "---\neval_set: hf:attacker/set\n---\nSay {{ x }}.")
    repository.write("prompts/out.md", "---\neval_set: /etc/passwd\n---\nSay {{ x }}.")
    repository.write("prompts/up.md", "---\neval_set: ../../secret.jsonl\n---\nSay {{ x }}.")
    (tmp_path / "secret.jsonl").write_text('{"x": "SECRET-7"}\n', "utf-8")
    (repository.folder / "prompts" / "link.md").symlink_to(tmp_path / "secret.jsonl")
    (repository.folder / "prompts" / "linked").symlink_to(tmp_path)
    repository.commit()
    env = {**os.environ, "CANARY_KEY": "sk-canary", "TICKETS_KEY": "sk-tickets"}
    done = subprocess.run(
        [Path(sys.executable).parent / "costopt", "check", "--base", "main", "--format", "json"],
        cwd=repository.folder, env=env, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr  # four rows decide nothing
    found = json.loads(done.stdout)
    assert (listener.connections, listener.received) == (0, b"")
    assert set(server.requests) == {"Bearer sk-tickets"}  # type: ignore[attr-defined]
    assert not canary.exists()
    assert [target["name"] for target in found["report"]["targets"]] == ["mini"]
    assert found["report"]["seed"] == 0
    paths = {change["path"] for change in found["changes"]}
    assert paths == {PATH, "prompts/hub.md", "prompts/out.md", "prompts/up.md"}
    assert all(
        prompt["eval_set"] is None
        for prompt in found["report"]["prompts"]
        if prompt["path"] != PATH
    )
    assert "SECRET-7" not in done.stdout + done.stderr
    assert "sk-canary" not in done.stdout + done.stderr
    assert "costopt-check-" not in done.stdout  # no name of a temporary folder


def test_drivers_of_git_do_not_run(repository: GitRepository, tmp_path: Path) -> None:
    """Not even where the clone is configured to run some for a name that the head may use."""
    repository.start()
    canary = tmp_path / "canary"
    script = tmp_path / "run.sh"
    script.write_text(f"#!/bin/sh\ntouch {canary}\ncat\n", "utf-8")
    script.chmod(0o755)
    for key in ("diff.evil.textconv", "diff.evil.command", "core.fsmonitor", "diff.external"):
        repository.git("config", key, str(script))
    hooks = repository.folder / ".git" / "hooks"
    for name in ("post-index-change", "pre-auto-gc", "reference-transaction"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {canary}\n", "utf-8")
        (hooks / name).chmod(0o755)
    repository.write(".gitattributes", "*.md diff=evil\n")
    repository.replace(PATH, "Route the", "Do route the")
    repository.write("prompts/new.md", "New {{ x }}.")
    assert repository.run().status == 0
    assert not canary.exists()


def test_a_prompt_that_becomes_a_link_is_not_followed(
    repository: GitRepository, tmp_path: Path
) -> None:
    repository.start()
    (tmp_path / "secret.md").write_text("SECRET-7 {{ ticket }}", "utf-8")
    file = repository.folder / PATH
    file.unlink()
    file.symlink_to(tmp_path / "secret.md")
    ran = repository.run()
    assert "SECRET-7" not in ran.out + ran.err
    assert ran.status == 1
    repository.commit()
    committed = repository.run()
    assert "SECRET-7" not in committed.out
    assert committed.status == 1
    (gate,) = committed.gates("readable")
    assert (gate["path"], gate["outcome"]) == (PATH, "failed")
    assert "is a link" in gate["message"]


def test_a_folder_that_becomes_a_link_is_not_followed(
    repository: GitRepository, tmp_path: Path
) -> None:
    repository.start()
    outside = tmp_path / "outside"
    (repository.folder / "prompts" / "tickets").rename(outside)
    (outside / "prompt.md").write_text("SECRET-7 {{ ticket }}", "utf-8")
    (repository.folder / "prompts" / "tickets").symlink_to(outside)
    ran = repository.run()
    assert "SECRET-7" not in ran.out + ran.err
    assert [c["status"] for c in ran.check["changes"]] == ["deleted"]
    assert ran.outcomes("readable") == ["failed"]


def test_answers_are_not_written_through_a_link(repository: GitRepository, tmp_path: Path) -> None:
    repository.start(f'[costopt]\n{STATIC_TARGET}\nrun_dir = ".answers"\n')
    repository.replace(PATH, "Route the", "Do route the")
    (repository.folder / ".answers").symlink_to(tmp_path)
    ran = repository.run()
    assert ran.status == 2
    assert "is a link" in ran.err
    assert not (tmp_path / "answers.sqlite3").exists()


@pytest.mark.parametrize("run_dir", [".answers", "."])
@pytest.mark.parametrize("name", ["answers.sqlite3", "answers.lock", "answers.sqlite3-journal"])
def test_no_file_of_the_answers_is_written_through_a_link(
    repository: GitRepository, tmp_path: Path, run_dir: str, name: str
) -> None:
    repository.start(f'[costopt]\n{STATIC_TARGET}\nrun_dir = "{run_dir}"\n')
    folder = repository.folder / run_dir
    folder.mkdir(exist_ok=True)
    (folder / name).symlink_to(tmp_path / "elsewhere")
    repository.replace(PATH, "Route the", "Do route the")
    repository.commit()
    ran = repository.run("--replay")
    assert ran.status == 2
    assert "is a link" in ran.err
    assert not (tmp_path / "elsewhere").exists()


def test_the_locks_limits_are_the_bases(repository: GitRepository) -> None:
    repository.start()
    repository.run("--update-lock", "--static")
    base = repository.commit()
    repository.replace(PATH, "Route the", "Please do route, with the greatest of care, the")
    repository.run("--update-lock", "--static", base=base)
    repository.commit()
    ran = repository.run(base=base)
    assert ran.status == 1
    (gate,) = ran.gates("lock")
    assert "input grew from" in gate["message"]
    assert any("its limits count once this is merged" in note for note in ran.check["notes"])
