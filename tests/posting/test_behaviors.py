"""What becomes of earlier comments, at a server that has them."""

import json
from collections.abc import Callable, Sequence

import pytest
from github_server import ANNA_TOKEN, BOT, Fault, GitHub
from hypothesis import given
from hypothesis import strategies as st

from costopt.core.errors import CostoptError
from costopt.reports.posting.answers import RefusedError
from costopt.reports.posting.api import Api
from costopt.reports.posting.behaviors import BEHAVIORS, Behavior, carry_out, describe, plan
from costopt.reports.posting.comments import Comment, Comments, marker

MARK = marker(None)
OLD, NEW = f"{MARK}\nold\n", f"{MARK}\nnew\n"


def post(api: Api, behavior: Behavior, body: str = NEW, *, silent: bool = False) -> str:
    comments = Comments(api, 7)
    own = comments.own(MARK)
    what = plan(behavior, own, body, silent=silent)
    return carry_out(what, comments, own, body, MARK)


@pytest.mark.parametrize("behavior", BEHAVIORS)
def test_the_first_comment_is_new(api: Api, github: GitHub, behavior: Behavior) -> None:
    assert post(api, behavior) == "Wrote a new comment."
    assert github.bodies() == [NEW]


def test_an_earlier_comment_is_updated_in_place(api: Api, github: GitHub) -> None:
    github.add_comment(7, "Looks good to me.", "anna")
    number = github.add_comment(7, OLD)
    assert post(api, "update") == f"Updated comment {number}."
    assert github.bodies() == ["Looks good to me.", NEW]


def test_posting_twice_writes_once(api: Api, github: GitHub) -> None:
    post(api, "update")
    github.asked.clear()
    assert post(api, "update") == "Nothing to post: the comment says so already."
    assert github.done("POST", "PATCH") == ["POST /graphql"]


def test_the_newest_of_several_is_updated(api: Api, github: GitHub) -> None:
    github.add_comment(7, OLD)
    github.add_comment(7, OLD)
    post(api, "update")
    assert github.bodies() == [OLD, NEW]


def test_new_leaves_the_earlier_ones(api: Api, github: GitHub) -> None:
    github.add_comment(7, OLD)
    assert post(api, "new") == "Wrote a new comment."
    assert github.bodies() == [OLD, NEW]


def test_earlier_comments_are_hidden_after_the_new_one(api: Api, github: GitHub) -> None:
    first, second = github.add_comment(7, OLD), github.add_comment(7, OLD)
    github.hidden.add(f"IC_{first}")
    github.asked.clear()
    assert post(api, "hide-and-new") == "Wrote a new comment and hid 1 earlier one."
    assert github.hidden == {f"IC_{first}", f"IC_{second}"}
    assert [one.split("/")[-1] for one in github.done()] == ["graphql", "comments", "graphql"]


def test_earlier_comments_are_deleted_after_the_new_one(api: Api, github: GitHub) -> None:
    github.add_comment(7, OLD)
    github.add_comment(7, OLD)
    assert post(api, "delete-and-new") == "Wrote a new comment and deleted 2 earlier ones."
    assert github.bodies() == [NEW]


@pytest.mark.parametrize("behavior", ["hide-and-new", "delete-and-new"])
def test_where_the_new_one_cannot_be_written_the_earlier_ones_stay(
    api: Api, github: GitHub, behavior: Behavior
) -> None:
    github.add_comment(7, OLD)
    github.faults = [Fault("POST", "/comments", status=422)]
    with pytest.raises(RefusedError):
        post(api, behavior)
    assert github.bodies() == [OLD]
    assert not github.hidden


def test_a_comment_that_was_deleted_meanwhile_is_no_error(api: Api, github: GitHub) -> None:
    number = github.add_comment(7, OLD)
    github.faults = [Fault("DELETE", str(number), status=404)]
    assert post(api, "delete-and-new") == "Wrote a new comment and deleted 1 earlier one."
    github.faults = [Fault("PATCH", "/comments", status=404)]
    assert post(api, "update", OLD) == "Wrote a new comment."


def test_a_comment_that_is_deleted_while_it_is_asked_for_is_no_error(
    api: Api, github: GitHub
) -> None:
    github.add_comment(7, OLD)
    gone = {"type": "NOT_FOUND", "message": "Could not resolve to a node"}
    data = {"viewer": {"login": BOT}, "nodes": [None]}
    body = json.dumps({"data": data, "errors": [gone]}).encode()
    github.faults = [Fault("POST", "/graphql", status=200, body=body)]
    assert post(api, "update").startswith("Updated comment")


@pytest.mark.parametrize("behavior", BEHAVIORS)
def test_nobody_elses_comment_is_touched(api: Api, github: GitHub, behavior: Behavior) -> None:
    # Others wrote the marker; one has the bot's name without being it; one is a deleted account's.
    others = [("anna", OLD), ("github-actions", OLD), (None, OLD), (BOT, f"> {OLD}")]
    for author, body in others:
        github.add_comment(7, body, author)
    post(api, behavior)
    assert github.bodies() == [body for _, body in others] + [NEW]
    assert not github.hidden


def test_a_user_finds_their_own(connect: Callable[..., Api], github: GitHub) -> None:
    github.add_comment(7, OLD)
    number = github.add_comment(7, OLD, "anna")
    assert post(connect(ANNA_TOKEN), "update") == f"Updated comment {number}."


def test_checks_of_several_tags_do_not_meet(api: Api, github: GitHub) -> None:
    for tag in (None, "night", "nightly"):
        github.add_comment(7, f"{marker(tag)}\nold")
    found = Comments(api, 7).own(marker("night"))
    assert [one.body for one in found] == ["<!-- costopt:check:night -->\nold"]


def test_a_comment_on_the_third_page_is_found(api: Api, github: GitHub) -> None:
    github.page_size = 2
    for number in range(4):
        github.add_comment(7, f"chat {number}", "anna")
    number = github.add_comment(7, OLD)
    assert post(api, "update") == f"Updated comment {number}."


def test_more_than_a_hundred_of_ours_are_asked_in_parts(api: Api, github: GitHub) -> None:
    for _ in range(130):
        github.add_comment(7, OLD)
    assert len(Comments(api, 7).own(MARK)) == 130
    assert [len(one.body["variables"]["ids"]) for one in github.asked if one.body] == [100, 30]


def test_a_comment_whose_answer_was_lost_is_not_written_twice(api: Api, github: GitHub) -> None:
    github.faults = [Fault("POST", "/comments", status=502, after=True)]
    assert post(api, "new") == "Wrote a new comment."
    assert github.bodies() == [NEW]
    github.faults = [Fault("POST", "/comments", cut=True, after=True)]
    post(api, "new")
    assert github.bodies() == [NEW, NEW]


def test_a_comment_that_was_lost_is_written_again(api: Api, github: GitHub) -> None:
    github.faults = [Fault("POST", "/comments", status=502)]
    post(api, "new")
    assert github.bodies() == [NEW]


def test_a_host_that_stays_broken_is_an_error(api: Api, github: GitHub) -> None:
    github.faults = [Fault("POST", "/comments", status=502) for _ in range(9)]
    with pytest.raises(RefusedError, match="writing the comment: the host answers 502"):
        post(api, "new")
    assert len(github.faults) == 7


@pytest.mark.parametrize("behavior", BEHAVIORS)
def test_silence_is_kept_where_nothing_was_said(
    api: Api, github: GitHub, behavior: Behavior
) -> None:
    assert post(api, behavior, silent=True).startswith("Nothing to post: nothing changed")
    assert github.done() == []
    github.add_comment(7, OLD)
    post(api, behavior, silent=True)
    assert NEW in github.bodies()


def test_an_answer_without_a_user_is_an_error(api: Api, github: GitHub) -> None:
    github.add_comment(7, OLD)
    github.faults = [Fault("POST", "/graphql", status=200, body=b'{"data": {"viewer": null}}')]
    with pytest.raises(CostoptError, match="whose token"):
        post(api, "update")


@pytest.mark.parametrize("tag", ["", "a b", "a--b", "-a", "a-", "a>b", "x" * 51, "ä", "a\nb"])
def test_a_tag_cannot_end_the_marker(tag: str) -> None:
    with pytest.raises(CostoptError, match="is no tag"):
        marker(tag)


OWN = st.lists(
    st.builds(
        Comment,
        id=st.integers(1, 10**12),
        node=st.text(max_size=5),
        body=st.sampled_from([OLD, NEW]),
        author=st.just(BOT),
        hidden=st.booleans(),
    ),
    max_size=5,
)


@given(own=OWN, behavior=st.sampled_from(BEHAVIORS), silent=st.booleans())
def test_every_plan_leaves_the_new_text_standing(
    own: Sequence[Comment], behavior: Behavior, silent: bool
) -> None:
    what = plan(behavior, own, NEW, silent=silent)
    says_so = bool(own) and own[-1].body == NEW
    assert what.create or what.update is not None or (silent and not own) or says_so
    assert (what.why is not None) == (not what.create and what.update is None)
    assert set(what.hide) | set(what.delete) <= set(own)
    assert describe(what).startswith("Would ")
