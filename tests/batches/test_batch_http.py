"""The wire of batch APIs: bounded, line by line, no redirects; errors say what they mean."""

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from costopt.core.protocols import TargetError
from costopt.models.batches import http as http_module
from costopt.models.batches.anthropic import AnthropicBatches
from costopt.models.batches.base import BatchState, Reply, Result
from costopt.models.batches.http import Http, HttpError, persistent
from costopt.models.batches.openai import OpenAIBatches

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))

from fault_server import Fault, FaultServer, completion

SECRET = {"Authorization": "Bearer very-secret-key"}


@pytest.fixture
def faults() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_module, "backoff_s", lambda tries, after: 0.0)


def lines(faults: FaultServer) -> list[bytes]:
    async def read() -> list[bytes]:
        return [line async for line in Http(faults.url, lambda: SECRET).lines("files/f/content")]

    return asyncio.run(read())


def get(faults: FaultServer) -> dict[str, Any]:
    return asyncio.run(Http(faults.url, lambda: SECRET).get("batches/b"))


def error_of(action: Callable[[], object]) -> TargetError:
    with pytest.raises(TargetError) as caught:
        action()
    assert "very-secret" not in str(caught.value)
    return caught.value


def test_lines_end_at_newlines_only(faults: FaultServer) -> None:
    # Characters at which `str.splitlines` breaks may stand in JSON as they are.
    text = "a\u2028b\u2029c\x85d\x0ce"
    line = json.dumps({"text": text}, ensure_ascii=False).replace("\\f", "\x0c")
    faults.script = [Fault(body=f"{line}\n\n{line}".encode())]
    found = lines(faults)
    assert [item.decode() for item in found] == [line, "", line]


def test_a_results_file_may_be_longer_than_a_response(
    faults: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from costopt.models import wire

    monkeypatch.setattr(wire, "LARGEST_RESPONSE", 1000)
    faults.script = [Fault(body=(b"x" * 99 + b"\n") * 50)]
    assert len(lines(faults)) == 50
    faults.script = [Fault(body=b'{"a": "' + b"x" * 5000 + b'"}')] * 4
    assert error_of(lambda: get(faults)).kind == "server"


@pytest.mark.parametrize("bound", ["_LARGEST_RESULTS", "_LONGEST_LINE"])
def test_results_are_bounded(
    bound: str, faults: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_module, bound, 1000)
    faults.script = [Fault(body=b"x" * 500_000)]
    assert error_of(lambda: lines(faults)).kind == "server"


def test_results_that_are_cut_off_are_an_error(faults: FaultServer) -> None:
    faults.script = [Fault(body=b'{"a": 1}\n' * 10, cut=30)]
    assert "lost" in str(error_of(lambda: lines(faults)))


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_redirect_is_an_error_and_not_followed(status: int, faults: FaultServer) -> None:
    faults.script = [Fault(status=status, headers={"Location": f"{faults.url}/elsewhere"})]
    assert "redirects" in str(error_of(lambda: lines(faults)))
    assert len(faults.seen) == 1


def test_only_the_key_and_what_is_needed_is_sent(faults: FaultServer) -> None:
    faults.script = [Fault(body=b"{}")]
    get(faults)
    names = {line.partition(":")[0].lower() for line in faults.seen[0].head.split("\r\n")[1:]}
    assert names <= {
        "host", "accept", "connection", "user-agent", "accept-encoding", "authorization",
    }  # fmt: skip
    assert faults.seen[0].header("authorization") == "Bearer very-secret-key"


@pytest.mark.parametrize(
    ("fault", "kind", "tries"),
    [
        (Fault(status=400, body=b'{"error": {"message": "no very-secret-key"}}'), "rejected", 1),
        (Fault(status=429, body=b"slow down", headers={"Retry-After": "3"}), "rate_limit", 4),
        (Fault(status=500, body=b"[" * 100_000), "server", 4),
        (Fault(body=b"<html>"), "server", 4),
        (Fault(body=b"[1]"), "server", 4),
        (Fault(body=b"{}", cut=0, headers={"Content-Length": "2"}), "server", 4),
    ],
    ids=["400", "429", "500", "html", "list", "cut"],
)
def test_what_an_error_means(fault: Fault, kind: str, tries: int, faults: FaultServer) -> None:
    faults.script = [fault] * 4
    error = error_of(lambda: get(faults))
    assert error.kind == kind
    assert len(faults.seen) == tries
    assert isinstance(error, HttpError) == (fault.status != 200)
    assert error.retry_after_s == (3 if kind == "rate_limit" else None)


def test_a_server_that_recovers_is_asked_again(faults: FaultServer) -> None:
    faults.script = [Fault(status=503), Fault(status=503), Fault(body=b'{"a": 1}')]
    assert get(faults) == {"a": 1}


def test_a_wait_that_is_too_long_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_module, "backoff_s", lambda tries, after: after or 0.0)
    asked: list[int] = []

    async def fail() -> None:
        asked.append(1)
        raise HttpError("later", status=429, retry_after_s=1e9)

    error_of(lambda: asyncio.run(persistent(fail)))
    assert len(asked) == 1


def test_no_server_is_not_paid() -> None:
    error = error_of(
        lambda: asyncio.run(Http("http://127.0.0.1:9", lambda: SECRET).call("POST", "batches"))
    )
    assert (error.kind, error.possibly_paid) == ("server", False)


def results(api: Any, faults: FaultServer, text: bytes) -> list[Result]:
    faults.script = [Fault(body=text)]
    state = BatchState(status="ended", said="completed", files=("f",))

    async def read() -> list[Result]:
        return [result async for result in api.results("b", state)]

    return asyncio.run(read())


JUNK = [
    b"null", b"[]", b"7", b'{"custom_id": 7}', b'{"custom_id": "k"}', b"[" * 50_000,
    b'{"custom_id": "k", "response": {"status_code": 200}}',
    b'{"custom_id": "k", "response": {"status_code": "x", "body": []}}',
    b'{"custom_id": "k", "response": {"status_code": 200, "body": {"choices": []}}}',
    b'{"custom_id": "k", "result": {"type": "succeeded"}}',
    b'{"custom_id": "k", "result": {"type": "errored", "error": 7}}',
    b'{"custom_id": "k", "result": {"type": "new"}}', b'{"custom_id": "k", "result": 7}',
]  # fmt: skip


@pytest.mark.parametrize("line", JUNK)
def test_a_line_that_is_no_result_stops_nothing(line: bytes, faults: FaultServer) -> None:
    good = b'{"custom_id": "g", "response": {"status_code": 200, "body": ' + completion() + b"}}"
    chat = OpenAIBatches(faults.url, "m", lambda: SECRET, cache_reads=True)
    first, second = results(chat, faults, line + b"\n" + good)
    assert isinstance(first.outcome, TargetError)
    assert isinstance(second.outcome, Reply)
    messages = AnthropicBatches(faults.url, "m", lambda: SECRET)
    (only,) = results(messages, faults, line)
    assert isinstance(only.outcome, TargetError)


@pytest.mark.parametrize("name", ["../../etc", "a/b", "", None, 7, "a b", "x?y"])
def test_a_name_that_would_lead_elsewhere_is_refused(name: object, faults: FaultServer) -> None:
    faults.script = [
        Fault(body=json.dumps({"status": "completed", "output_file_id": name}).encode())
    ]
    chat = OpenAIBatches(faults.url, "m", lambda: SECRET, cache_reads=True)
    if not name:
        assert asyncio.run(chat.state("b")).files == ()
        return
    error_of(lambda: asyncio.run(chat.state("b")))
