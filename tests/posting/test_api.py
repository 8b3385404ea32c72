"""Calls: retries that end, errors that say what to do, and a token that goes nowhere else."""

import json
from collections.abc import Callable

import pytest
from github_server import ANNA_TOKEN, BOT_TOKEN, READ_ONLY, REPOSITORY, Fault, GitHub

from costopt.core.errors import CostoptError
from costopt.reports.posting.address import Address
from costopt.reports.posting.answers import RefusedError
from costopt.reports.posting.api import Api

PULL = "/pulls/7"


def get(api: Api) -> object:
    return api.call("GET", PULL, doing="looking").data()


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
def test_a_broken_host_is_asked_again(
    api: Api, github: GitHub, waits: list[float], status: int
) -> None:
    github.faults = [Fault("GET", PULL, status=status)]
    assert get(api) == github.pulls[7]
    assert len(waits) == 1


def test_it_stops_asking_after_four_times(api: Api, github: GitHub, waits: list[float]) -> None:
    github.faults = [Fault("GET", PULL) for _ in range(9)]
    with pytest.raises(RefusedError, match="the host answers 500"):
        get(api)
    assert (len(github.asked), len(waits)) == (4, 3)


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (429, {"Retry-After": "7"}, b""),
        (403, {"Retry-After": "7"}, b'{"message": "You have exceeded a secondary rate limit"}'),
        (403, {"Retry-After": "7"}, b"<html>"),
    ],
)
def test_a_rate_limit_is_waited_for_as_long_as_it_asks(
    api: Api, github: GitHub, waits: list[float], status: int, headers: dict[str, str], body: bytes
) -> None:
    github.faults = [Fault("GET", PULL, status=status, headers=headers, body=body)]
    assert get(api) == github.pulls[7]
    assert waits == [7.0]


def test_a_secondary_limit_without_a_time_is_a_minute(
    api: Api, github: GitHub, waits: list[float]
) -> None:
    body = b'{"message": "You have exceeded a secondary rate limit."}'
    github.faults = [Fault("GET", PULL, status=403, body=body)]
    get(api)
    assert waits == [60.0]


def test_a_wait_of_more_than_a_minute_is_an_error(
    api: Api, github: GitHub, waits: list[float]
) -> None:
    github.faults = [Fault("GET", PULL, status=429, headers={"Retry-After": "3600"})]
    with pytest.raises(RefusedError, match="rate limit of the host; it asks to wait 3,600 s"):
        get(api)
    assert waits == []


def test_a_spent_limit_waits_for_its_reset(api: Api, github: GitHub, waits: list[float]) -> None:
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}
    github.faults = [Fault("GET", PULL, status=403, headers=headers)]
    get(api)
    assert waits == [1.0]


def test_what_may_have_been_done_is_not_done_again(api: Api, github: GitHub) -> None:
    github.faults = [Fault("POST", "/comments", status=502)]
    with pytest.raises(RefusedError) as caught:
        api.call("POST", "/issues/7/comments", body={"body": "x"}, doing="x", twice=False)
    assert caught.value.maybe_done
    assert len(github.asked) == 1


@pytest.mark.parametrize(
    ("token", "repository", "status", "help_"),
    [
        ("wrong0token0of0some0length", REPOSITORY, 401, "--token-env"),
        (READ_ONLY, REPOSITORY, 403, "pull-requests: write"),
        (BOT_TOKEN, "acme/other", 404, "--repo and --pull"),
    ],
)
def test_refusals_say_what_to_do(
    connect: Callable[..., Api], token: str, repository: str, status: int, help_: str
) -> None:
    api, path = connect(token, repository), "/issues/7/comments"
    with pytest.raises(RefusedError, match=f"writing: the host answers {status}") as caught:
        api.call("POST", path, body={"body": "x"}, doing="writing")
    assert help_ in (caught.value.hint or "")
    assert token not in str(caught.value)


def test_a_refused_text_is_told_with_the_details(api: Api, github: GitHub) -> None:
    with pytest.raises(RefusedError, match="Validation Failed; Body is too long") as caught:
        api.call("POST", "/issues/7/comments", body={"body": "x" * 65_537}, doing="writing")
    assert caught.value.status == 422


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "location", ["https://evil.example/x", "//evil.example/x", "http://127.0.0.1:1/x", "http://["]
)
def test_the_token_follows_no_redirect_to_another_host(
    api: Api, github: GitHub, status: int, location: str
) -> None:
    github.faults = [Fault("GET", PULL, status=status, headers={"Location": location})]
    with pytest.raises(CostoptError, match="points to another one, which gets no token"):
        get(api)
    assert len(github.asked) == 1


def test_a_redirect_to_the_same_host_is_followed(api: Api, github: GitHub) -> None:
    here = f"/repos/{REPOSITORY}{PULL}"
    github.faults = [Fault("GET", PULL, status=301, headers={"Location": here})]
    assert get(api) == github.pulls[7]


def test_what_writes_is_not_repeated_elsewhere(api: Api, github: GitHub) -> None:
    here = f"/repos/{REPOSITORY}/issues/7/comments"
    github.faults = [Fault("POST", "/comments", status=301, headers={"Location": here})]
    with pytest.raises(CostoptError, match="has moved") as caught:
        api.call("POST", "/issues/7/comments", body={"body": "x"}, doing="writing")
    assert "renamed" in (caught.value.hint or "")


def test_redirects_in_a_circle_end(api: Api, github: GitHub) -> None:
    here = f"/repos/{REPOSITORY}{PULL}"
    github.faults = [Fault("GET", PULL, status=307, headers={"Location": here}) for _ in range(9)]
    with pytest.raises(CostoptError, match="has moved"):
        get(api)
    assert len(github.asked) == 4


def test_no_connection_is_said(waits: list[float]) -> None:
    api = Api(Address("http://127.0.0.1:9", REPOSITORY), BOT_TOKEN, sleep=waits.append)
    with pytest.raises(RefusedError, match="no connection") as caught:
        get(api)
    api.close()
    assert not caught.value.maybe_done
    assert len(waits) == 3


def test_a_connection_that_is_cut_is_tried_again(api: Api, github: GitHub) -> None:
    github.faults = [Fault("GET", PULL, cut=True)]
    assert get(api) == github.pulls[7]


def test_an_answer_that_is_no_json_is_said(api: Api, github: GitHub) -> None:
    github.faults = [Fault("GET", PULL, status=200, body=b"<html>sign in</html>")]
    with pytest.raises(CostoptError, match="no JSON") as caught:
        get(api)
    assert "--api-url" in (caught.value.hint or "")


def test_a_compressed_answer_is_refused(api: Api, github: GitHub) -> None:
    headers = {"Content-Encoding": "gzip"}
    github.faults = [Fault("GET", PULL, status=200, body=b"x", headers=headers) for _ in range(4)]
    with pytest.raises(RefusedError, match="compressed"):
        get(api)


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "schlüssel", "\x1b[31m"])
def test_a_token_that_no_header_takes_is_not_shown(github: GitHub, token: str) -> None:
    with pytest.raises(CostoptError) as caught:
        Api(Address(github.url, REPOSITORY), token)
    assert token not in f"{caught.value} {caught.value.hint}"


def test_all_pages_are_read_and_no_address_of_a_response_is_asked(api: Api, github: GitHub) -> None:
    github.page_size = 3
    for number in range(8):
        github.add_comment(7, f"comment {number}")
    found = list(api.pages("/issues/7/comments", doing="listing"))
    assert [one["body"] for one in found] == [f"comment {number}" for number in range(8)]
    assert len(github.asked) == 3


def test_a_list_without_an_end_ends(api: Api, github: GitHub) -> None:
    body, headers = json.dumps([1]).encode(), {"Link": '<x>; rel="next"'}
    fault = Fault("GET", "/comments", status=200, body=body, headers=headers)
    github.faults = [fault] * 200
    with pytest.raises(CostoptError, match="more than 100 pages"):
        list(api.pages("/issues/7/comments", doing="listing"))


def test_graphql_errors_are_errors(api: Api, github: GitHub) -> None:
    body = b'{"data": null, "errors": [{"type": "FORBIDDEN", "message": "not for you"}]}'
    github.faults = [Fault("POST", "/graphql", status=200, body=body)]
    with pytest.raises(RefusedError, match="not for you") as caught:
        api.graphql("query { viewer { login } }", {}, doing="asking")
    assert "pull-requests: write" in (caught.value.hint or "")


def test_a_host_that_repeats_the_token_does_not_get_it_printed(
    connect: Callable[..., Api], github: GitHub
) -> None:
    github.faults = [
        Fault("GET", PULL, status=422, body=json.dumps({"message": f"bad {ANNA_TOKEN}"}).encode())
    ]
    with pytest.raises(RefusedError) as caught:
        get(connect(ANNA_TOKEN))
    assert "bad ***" in str(caught.value)
