"""Which pull request is posted on: what an artifact says about it is never asked."""

import json
from pathlib import Path
from typing import Any

import pytest
from github_server import HEAD, REPOSITORY, GitHub

from costopt.core.errors import CostoptError
from costopt.reports.posting.api import Api
from costopt.reports.posting.origin import Origin, origin_of, read_event
from costopt.reports.posting.pulls import NoPull, Pull, find_pull

OTHER = "b2" * 20
FORK = "mallory/prompts"


def run_event(**changes: Any) -> dict[str, Any]:
    run = {
        "event": "pull_request",
        "head_sha": HEAD,
        "head_branch": "topic",
        "head_repository": {"full_name": REPOSITORY},
        "html_url": f"https://github.com/{REPOSITORY}/actions/runs/123",
        "conclusion": "success",
        "pull_requests": [],
    }
    return {"repository": {"full_name": REPOSITORY}, "workflow_run": {**run, **changes}}


def pull_event(number: Any = 7, sha: Any = HEAD) -> dict[str, Any]:
    pull = {"number": number, "head": {"sha": sha}}
    return {"repository": {"full_name": REPOSITORY}, "pull_request": pull}


def of_run(**changes: Any) -> Origin:
    found = origin_of(run_event(**changes), REPOSITORY)
    assert found is not None
    return found


def test_an_event_of_a_pull_request_names_it(api: Api, github: GitHub) -> None:
    assert find_pull(api, None, origin_of(pull_event(), REPOSITORY)) == Pull(7)
    assert find_pull(api, 7, origin_of(pull_event(), REPOSITORY)) == Pull(7)
    assert github.asked == []


def test_another_number_than_the_events_is_refused(api: Api) -> None:
    with pytest.raises(CostoptError, match="the event is of pull request 7, not of 8"):
        find_pull(api, 8, origin_of(pull_event(), REPOSITORY))


def test_without_an_event_the_number_is_taken(api: Api) -> None:
    assert find_pull(api, 8, None) == Pull(8)
    with pytest.raises(CostoptError, match="nothing says which pull request") as caught:
        find_pull(api, None, None)
    assert "--pull NUMBER" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "event", [{}, {"repository": {"full_name": REPOSITORY}}, {**pull_event(), "repository": None}]
)
def test_an_event_that_is_about_something_else_tells_nothing(event: dict[str, Any]) -> None:
    assert origin_of(event, REPOSITORY) is None


def test_an_event_of_another_repository_tells_nothing() -> None:
    assert origin_of(pull_event(), "acme/other") is None
    assert origin_of(pull_event(), REPOSITORY.upper()) is not None


def test_a_run_of_another_repository_is_refused() -> None:
    """Nothing would tell whose pull request a number is."""
    with pytest.raises(CostoptError, match="posts in its own repository only"):
        origin_of(run_event(), "acme/other")


def test_a_run_finds_its_pull_request_by_the_head(api: Api, github: GitHub) -> None:
    github.add_pull(8, OTHER, branch="other")
    assert find_pull(api, None, of_run()) == Pull(7)


def test_a_forks_pull_request_is_found_too(api: Api, github: GitHub) -> None:
    github.add_pull(9, OTHER, repository=FORK, branch="topic")
    fork = of_run(head_sha=OTHER, head_repository={"full_name": FORK})
    assert find_pull(api, None, fork) == Pull(9)


def test_a_run_of_a_fork_cannot_reach_another_pull_request(api: Api, github: GitHub) -> None:
    """The known attack: the artifact of a fork's run names somebody else's pull request."""
    github.add_pull(9, OTHER, repository=FORK, branch="topic")
    fork = of_run(head_sha=OTHER, head_repository={"full_name": FORK})
    with pytest.raises(CostoptError, match="pull request 7 is not the one whose head was checked"):
        find_pull(api, 7, fork)


def test_a_fork_with_the_same_commit_is_another_head(api: Api, github: GitHub) -> None:
    """A branch of the same name and commit, in a fork, is not the pull request's head."""
    fork = of_run(head_repository={"full_name": FORK})
    assert find_pull(api, None, fork) == NoPull("no open pull request has this head")
    with pytest.raises(CostoptError, match="is not the one whose head was checked"):
        find_pull(api, 7, fork)


def test_another_fork_of_the_same_owner_is_another_head(api: Api, github: GitHub) -> None:
    github.add_pull(9, HEAD, repository="acme/prompts-2", branch="topic")
    assert find_pull(api, None, of_run()) == Pull(7)


def test_a_newer_head_is_not_commented_with_an_older_check(api: Api, github: GitHub) -> None:
    github.add_pull(7, OTHER)
    stale = NoPull("pull request 7 has a newer head than the one that was checked")
    assert find_pull(api, None, of_run()) == stale
    assert find_pull(api, 7, of_run()) == stale


def test_a_pull_request_that_is_closed_gets_nothing(api: Api, github: GitHub) -> None:
    github.pulls[7]["state"] = "closed"
    assert find_pull(api, None, of_run()) == NoPull("no open pull request has this head")


def test_two_pull_requests_of_one_head_have_to_be_told_apart(api: Api, github: GitHub) -> None:
    github.add_pull(8, HEAD)
    with pytest.raises(CostoptError, match="2 pull requests have the head that was checked: 7, 8"):
        find_pull(api, None, of_run())
    assert find_pull(api, 8, of_run()) == Pull(8)


@pytest.mark.parametrize(
    "gone", [{"head_repository": None}, {"head_branch": None}, {"head_repository": {}}]
)
def test_a_head_that_is_gone_is_said(api: Api, gone: dict[str, Any]) -> None:
    found = find_pull(api, None, of_run(**gone))
    assert found == NoPull("the repository or the branch of the head is gone")


def test_a_pull_request_whose_fork_is_gone_matches_nothing(api: Api, github: GitHub) -> None:
    github.pulls[7]["head"]["repo"] = None
    assert find_pull(api, None, of_run()) == NoPull("no open pull request has this head")


@pytest.mark.parametrize("event", ["push", "pull_request_target", "workflow_dispatch", None])
def test_only_runs_of_pull_requests_are_posted(event: str | None) -> None:
    with pytest.raises(CostoptError, match="not started by a pull request"):
        of_run(event=event)


def test_a_branch_name_is_data_in_an_address(api: Api, github: GitHub) -> None:
    branch = "x&state=all&head=acme:main?#/../$(id)"
    github.add_pull(9, OTHER, branch=branch)
    assert find_pull(api, None, of_run(head_sha=OTHER, head_branch=branch)) == Pull(9)


@pytest.mark.parametrize("sha", [None, 7, "", "HEAD", "a" * 39, f"{'a' * 40}\n"])
def test_a_commit_is_a_full_hash(sha: Any) -> None:
    with pytest.raises(CostoptError, match="names no commit"):
        of_run(head_sha=sha)
    with pytest.raises(CostoptError, match="names no commit"):
        origin_of(pull_event(sha=sha), REPOSITORY)


@pytest.mark.parametrize("number", [None, "7", True, 0, -1])
def test_a_number_is_one(number: Any) -> None:
    with pytest.raises(CostoptError, match="no pull request's number"):
        origin_of(pull_event(number), REPOSITORY)


@pytest.mark.parametrize(
    "page",
    [
        "javascript:alert(1)",
        "https://github.com/a/b/actions/runs/1)\n# Passed",
        "https://github.com/a/b/actions/runs/1?x=<b>",
        "http://github.com/a/b/actions/runs/1",
        None,
    ],
)
def test_only_the_page_of_a_run_becomes_a_link(page: str | None) -> None:
    assert of_run(html_url=page).page is None
    assert of_run().page == f"https://github.com/{REPOSITORY}/actions/runs/123"


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_a_broken_event_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "event.json"
    file.write_bytes(content)
    with pytest.raises(CostoptError, match="the event is no JSON") as caught:
        read_event(file)
    assert str(caught.value.where) == file.as_posix()


def test_a_missing_event_is_named(tmp_path: Path) -> None:
    with pytest.raises(CostoptError, match="No such file"):
        read_event(tmp_path / "event.json")
    (tmp_path / "event.json").write_text(json.dumps(run_event()), encoding="utf-8")
    assert read_event(tmp_path / "event.json") == run_event()
