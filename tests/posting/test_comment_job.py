"""The job that posts, as `costopt init` writes it: its script, an event of a fork, and a server."""

import json
import os
import subprocess
import sys
from pathlib import Path

import yaml
from github_server import BOT_TOKEN, HEAD, REPOSITORY, GitHub
from sample_check import sample_check

from costopt.reports.checks.json import check_to_json
from costopt.reports.starting.texts import workflow_text

FORK = "mallory/prompts"


def test_the_jobs_script_posts_on_the_forks_own_pull_request(
    github: GitHub, tmp_path: Path
) -> None:
    job = yaml.safe_load(workflow_text("costopt-comment.yml", [], "1"))["jobs"]["comment"]
    script = next(step["run"] for step in job["steps"] if step["name"] == "Comment")
    commit = "b2" * 20
    github.add_pull(9, commit, repository=FORK)
    run = {
        "event": "pull_request",
        "head_sha": commit,
        "head_branch": "topic",
        "head_repository": {"full_name": FORK},
        "html_url": f"https://github.com/{REPOSITORY}/actions/runs/1",
        "conclusion": "failure",
        "pull_requests": [],
    }
    event = {"repository": {"full_name": REPOSITORY}, "workflow_run": run}
    (tmp_path / "event.json").write_text(json.dumps(event), encoding="utf-8")
    (tmp_path / "costopt-venv/bin").mkdir(parents=True)
    (tmp_path / "costopt-venv/bin/costopt").symlink_to(Path(sys.executable).parent / "costopt")
    (tmp_path / "costopt").mkdir()
    (tmp_path / "costopt/check.json").write_text(check_to_json(sample_check()), encoding="utf-8")
    variables = {
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": github.url,
        "GITHUB_EVENT_NAME": "workflow_run",
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_SHA": HEAD,
        "GITHUB_TOKEN": BOT_TOKEN,
    }
    for expected in ("Wrote a new comment.", "Nothing to post: the comment says so already."):
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=tmp_path,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"Pull request 9 of {REPOSITORY}: {expected}\n"
    (body,) = github.bodies(9)
    assert body.startswith("<!-- costopt:check -->\n")
    assert f"For commit {commit[:12]}, from [this run]" in body
    assert github.bodies(7) == []
