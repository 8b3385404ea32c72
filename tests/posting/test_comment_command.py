"""``costopt comment`` as a process, against a server that plays GitHub."""

import base64
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from github_server import ANNA_TOKEN, BOT_TOKEN, HEAD, READ_ONLY, REPOSITORY, Fault, GitHub
from sample_check import nothing_changed, passing_check, sample_check

from costopt.cli import main as cli
from costopt.core.checked import CheckReport
from costopt.reports.checks.json import check_to_json

COSTOPT = str(Path(sys.executable).parent / "costopt")
MARK = "<!-- costopt:check -->"
FORK = "mallory/prompts"


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def job(github: GitHub, folder: Path, event: dict[str, Any] | None) -> dict[str, str | None]:
    """Return the variables of a job."""
    file = folder / "event.json"
    file.write_text(json.dumps(event), encoding="utf-8")
    return {
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_API_URL": github.url,
        "GITHUB_TOKEN": BOT_TOKEN,
        "GITHUB_EVENT_PATH": None if event is None else str(file),
    }


@pytest.fixture
def run(
    github: GitHub,
    in_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., Done]:
    """Return what runs the command in a job's environment; ``None`` takes a variable away."""

    def start(*args: str, event: dict[str, Any] | None = None, **changes: str | None) -> Done:
        for name, value in {**job(github, in_folder, event), **changes}.items():
            monkeypatch.delenv(name, raising=False)
            if value is not None:
                monkeypatch.setenv(name, value)
        status = cli.main(["comment", *args])
        out, err = capsys.readouterr()
        return Done(status, out, err)

    return start


@pytest.fixture
def check(tmp_path: Path) -> Path:
    return save(tmp_path, sample_check())


def save(folder: Path, found: Any) -> Path:
    file = folder / "check.json"
    file.write_text(check_to_json(found), encoding="utf-8")
    return file


def pull_event() -> dict[str, Any]:
    pull = {"number": 7, "head": {"sha": HEAD}}
    return {"repository": {"full_name": REPOSITORY}, "pull_request": pull}


def run_event(repository: str = REPOSITORY, sha: str = HEAD, **changes: Any) -> dict[str, Any]:
    run = {
        "event": "pull_request",
        "head_sha": sha,
        "head_branch": "topic",
        "head_repository": {"full_name": repository},
        "html_url": f"https://github.com/{REPOSITORY}/actions/runs/1",
        "conclusion": "failure",
    }
    return {"repository": {"full_name": REPOSITORY}, "workflow_run": {**run, **changes}}


def test_a_check_becomes_a_comment_and_then_is_updated(
    run: Callable[..., Done], github: GitHub, check: Path
) -> None:
    first = run(str(check), "--github", "--pull", "7")
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout == f"Pull request 7 of {REPOSITORY}: Wrote a new comment.\n"
    (body,) = github.bodies()
    assert body.startswith(f"{MARK}\n")
    assert body.count(MARK) == 1
    save(check.parent, passing_check())
    assert "Updated comment 35000" in run(str(check), "--github", "--pull", "7").stdout
    assert len(github.bodies()) == 1
    assert github.bodies() != [body]


def test_the_events_pull_request_is_taken(
    run: Callable[..., Done], github: GitHub, check: Path
) -> None:
    done = run(str(check), "--github", event=pull_event())
    assert done.returncode == 0
    assert f"For commit {HEAD[:12]}." in github.bodies()[0]


def test_a_run_of_a_fork_is_posted_on_its_own_pull_request(
    run: Callable[..., Done], github: GitHub, check: Path
) -> None:
    github.add_pull(9, "b2" * 20, repository=FORK)
    done = run(str(check), "--github", event=run_event(FORK, "b2" * 20))
    assert done.stdout.startswith(f"Pull request 9 of {REPOSITORY}")
    (body,) = github.bodies(9)
    assert github.bodies(7) == []
    assert f"from [this run](https://github.com/{REPOSITORY}/actions/runs/1)" in body
    assert "It ran on a fork" in body


def test_a_file_of_a_fork_cannot_choose_another_pull_request(
    run: Callable[..., Done], github: GitHub, check: Path
) -> None:
    data = json.loads(check.read_text(encoding="utf-8"))
    data |= {"pull": 7, "number": 7, "pull_request": {"number": 7}, "repository": REPOSITORY}
    check.write_text(json.dumps(data), encoding="utf-8")
    github.add_pull(9, "b2" * 20, repository=FORK)
    event = run_event(FORK, "b2" * 20)
    assert run(str(check), "--github", event=event).returncode == 0
    refused = run(str(check), "--github", "--pull", "7", event=event)
    assert refused.returncode == 2
    assert "pull request 7 is not the one whose head was checked" in refused.stderr
    assert github.bodies(7) == []


def test_markdown_in_the_file_is_not_taken(
    run: Callable[..., Done], github: GitHub, check: Path
) -> None:
    data = json.loads(check.read_text(encoding="utf-8"))
    data |= {"body": "# Approved", "markdown": "# Approved", "comment": "# Approved"}
    check.write_text(json.dumps(data), encoding="utf-8")
    run(str(check), "--github", "--pull", "7")
    assert "Approved" not in github.bodies()[0]


def allowed_to_lack_data() -> CheckReport:
    """Return a check that passes though it is not decided, as --allow-inconclusive has it."""
    found = passing_check()
    first, *others = found.gates
    return replace(found, gates=(replace(first, outcome="inconclusive"), *others))


@pytest.mark.parametrize("found", [passing_check(), allowed_to_lack_data()])
@pytest.mark.parametrize(
    ("conclusion", "how"),
    [("failure", "a failure"), ("cancelled", "cancelled"), ("timed_out", "timed out")],
)
def test_a_check_that_passed_in_a_run_that_did_not_is_told(
    run: Callable[..., Done],
    github: GitHub,
    tmp_path: Path,
    found: CheckReport,
    conclusion: str,
    how: str,
) -> None:
    run(str(save(tmp_path, found)), "--github", event=run_event(conclusion=conclusion))
    (body,) = github.bodies()
    assert "✓ Passed" in body
    assert f"The run ended as {how}, though this check says that it passed." in body


@pytest.mark.parametrize("conclusion", ["success", None, "![x](y)"])
def test_a_run_that_ended_well_or_unknown_is_told_of_nothing(
    run: Callable[..., Done], github: GitHub, tmp_path: Path, conclusion: str | None
) -> None:
    run(str(save(tmp_path, passing_check())), "--github", event=run_event(conclusion=conclusion))
    assert "The run ended" not in github.bodies()[0]


def test_a_stale_check_posts_nothing(run: Callable[..., Done], github: GitHub, check: Path) -> None:
    github.add_pull(7, "c3" * 20)
    done = run(str(check), "--github", event=run_event())
    assert (done.returncode, github.bodies()) == (0, [])
    assert done.stdout.startswith("Nothing to post: pull request 7 has a newer head")


def test_silence_where_nothing_changed(
    run: Callable[..., Done], github: GitHub, tmp_path: Path
) -> None:
    file = str(save(tmp_path, nothing_changed()))
    done = run(file, "--github", "--pull", "7", "--skip-unchanged")
    assert (done.returncode, github.bodies()) == (0, [])
    github.add_comment(7, f"{MARK}\nIt is dearer.")
    run(file, "--github", "--pull", "7", "--skip-unchanged")
    assert "It is dearer." not in github.bodies()[0]


@pytest.mark.parametrize("tag", ["nightly", "a.b_c-1"])
def test_a_tag_has_a_comment_of_its_own(
    run: Callable[..., Done], github: GitHub, check: Path, tag: str
) -> None:
    run(str(check), "--github", "--pull", "7")
    run(str(check), "--github", "--pull", "7", "--tag", tag)
    assert [body.splitlines()[0] for body in github.bodies()] == [
        MARK,
        f"<!-- costopt:check:{tag} -->",
    ]
    assert MARK not in github.bodies()[1]


def test_a_dry_run_shows_the_comment_and_writes_nothing(
    run: Callable[..., Done], github: GitHub, check: Path
) -> None:
    number = github.add_comment(7, f"{MARK}\nold")
    github.asked.clear()
    done = run(str(check), "--github", "--pull", "7", "--dry-run")
    assert done.returncode == 0
    assert done.stdout.startswith(MARK)
    assert done.stderr == f"Pull request 7 of {REPOSITORY}: Would update comment {number}.\n"
    assert github.done() == ["POST /graphql"]
    assert "mutation" not in github.asked[-1].body["query"]
    assert github.bodies() == [f"{MARK}\nold"]


def test_a_dry_run_needs_no_token(run: Callable[..., Done], github: GitHub, check: Path) -> None:
    done = run(str(check), "--github", "--dry-run", GITHUB_TOKEN=None)
    assert done.returncode == 0
    assert done.stdout.startswith(MARK)
    assert "Without a token in GITHUB_TOKEN" in done.stderr
    assert github.asked == []


@pytest.mark.parametrize(
    ("args", "changes", "what", "help_"),
    [
        (["--pull", "7"], {}, "nothing says where to post it", "--github"),
        (["--github", "--pull", "0"], {}, "Invalid value for '--pull'", "--help"),
        (["--github", "--behavior", "replace"], {}, 'unknown behavior "replace"', "known: "),
        (["--github", "--behavior", "hide"], {}, 'unknown behavior "hide"', "hide-and-new"),
        (["--github", "--tag", "a b"], {}, '"a b" is no tag', "--tag nightly"),
        (["--github"], {"GITHUB_REPOSITORY": None}, "nothing says which repository", "--repo"),
        (["--github"], {"GITHUB_TOKEN": None}, "GITHUB_TOKEN holds no token", "github.token"),
        (["--github", "--token-env", "MINE"], {}, "MINE holds no token", "MINE"),
        (["--github"], {}, "nothing says which pull request", "--pull NUMBER"),
        (["--github", "--api-url", "http://example.com"], {}, "the address of the", "--api-url"),
        (["--github", "--pull", "8"], {}, "listing the comments: the host answers 404", "--pull"),
        (["--github", "--pull", "7"], {"GITHUB_TOKEN": READ_ONLY}, "writing the comment", "write"),
        (["--github", "--pull", "7"], {"GITHUB_TOKEN": "x" * 30}, "listing the", "--token-env"),
    ],
)
def test_what_cannot_be_done_is_one_block(
    run: Callable[..., Done], check: Path, args: list[str], changes: dict[str, Any],
    what: str, help_: str,
) -> None:  # fmt: skip
    done = run(str(check), *args, **changes)
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert lines[0].startswith(f"error: {what}")
    assert help_ in lines[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("content", ["", "[]", "{", '{"schema": "costopt.report/1"}', "\x00"])
def test_a_file_that_is_no_check_is_named_and_nothing_is_asked(
    run: Callable[..., Done], github: GitHub, check: Path, content: str
) -> None:
    check.write_text(content, encoding="utf-8")
    done = run(str(check), "--github", "--pull", "7")
    assert done.returncode == 2
    assert str(check) in done.stderr
    assert github.asked == []


def test_a_link_is_not_followed(run: Callable[..., Done], github: GitHub, tmp_path: Path) -> None:
    """What unpacks an artifact may make links to files of the job's own."""
    secret = tmp_path / "secret.json"
    secret.write_text('{"schema": "s3cr3t"}', encoding="utf-8")
    (tmp_path / "check.json").symlink_to(secret)
    done = run("check.json", "--github", "--pull", "7")
    assert done.returncode == 2
    assert "this is a link" in done.stderr
    assert "s3cr3t" not in done.stderr


@pytest.mark.parametrize("base", ["$(touch pwned)", "main; id", "a b", "`id`", "main\n# x", "'x"])
def test_a_base_is_one_word_of_the_command_to_copy(
    run: Callable[..., Done], github: GitHub, check: Path, base: str
) -> None:
    data = json.loads(check.read_text(encoding="utf-8"))
    check.write_text(json.dumps({**data, "base": base}), encoding="utf-8")
    run(str(check), "--github", "--pull", "7")
    lines = github.bodies()[0].splitlines()
    (command,) = [line for line in lines if line.startswith("costopt check --base")]
    assert shlex.split(command)[2:] == ["--base", base.replace("\n", " ")]


def _forms(token: str) -> list[str]:
    encoded = base64.b64encode(token.encode()).decode().rstrip("=")
    return [token, token[:8], encoded, encoded[:12], token.encode().hex(), repr(token)[1:-1]]


@pytest.mark.parametrize("debug", [(), ("--debug",)])
@pytest.mark.parametrize(
    "fault",
    [
        Fault("GET", ".", status=401),
        Fault("GET", ".", status=200, body=b"no json"),
        Fault("GET", ".", status=302, headers={"Location": "https://evil.example/"}),
        Fault("POST", "graphql", status=200, body=b'{"errors": [{"message": "TOKEN"}]}'),
        Fault("POST", "comments", status=422),
        Fault("POST", "comments", status=403),
        Fault("GET", ".", status=404, headers={"X-Echo": "TOKEN"}),
    ],
)
def test_a_token_is_in_nothing_that_is_written(
    run: Callable[..., Done], github: GitHub, check: Path, fault: Fault, debug: tuple[str, ...]
) -> None:
    said = json.dumps({"message": f"got {ANNA_TOKEN} and {_forms(ANNA_TOKEN)[2]}"}).encode()
    body = fault.body.replace(b"TOKEN", ANNA_TOKEN.encode()) if b"TOKEN" in fault.body else said
    github.add_comment(7, f"{MARK}\nold", "anna")
    headers = {name: value.replace("TOKEN", ANNA_TOKEN) for name, value in fault.headers.items()}
    github.faults = [
        Fault(fault.method, fault.path, status=fault.status, body=body, headers=headers)
    ]
    args = (str(check), "--github", "--pull", "7", "--behavior", "new", *debug)
    done = run(*args, GITHUB_TOKEN=ANNA_TOKEN)
    assert done.returncode == 2
    written = done.stdout + done.stderr
    assert [form for form in _forms(ANNA_TOKEN) if form in written] == []
    assert all(ANNA_TOKEN not in one.path for one in github.asked)


def test_it_is_a_command_of_its_own(github: GitHub, tmp_path: Path, check: Path) -> None:
    variables = {**os.environ, **job(github, tmp_path, pull_event())}
    done = subprocess.run(
        [COSTOPT, "comment", "check.json", "--github"],
        cwd=tmp_path,
        env={name: value for name, value in variables.items() if value is not None},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"Pull request 7 of {REPOSITORY}: Wrote a new comment.\n"
