"""The fault server does what its script says, and its ledger says what it did."""

import http.client
import json
from typing import Any

import pytest
from fault_harness import Bench, FaultProcess, settled


def ask(server: FaultProcess, text: str = "[[hello]]") -> tuple[int, bytes, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    body = json.dumps({"max_tokens": 5, "messages": [{"role": "user", "content": text}]})
    try:
        connection.request("POST", "/v1/chat/completions", body, {"Authorization": "Bearer k-1"})
        response = connection.getresponse()
        return response.status, response.read(), dict(response.getheaders())
    finally:
        connection.close()


def test_an_ordinary_answer(server: FaultProcess) -> None:
    status, body, _ = ask(server)
    answer = json.loads(body)
    (entry,) = server.ledger()
    assert status == 200
    assert answer["choices"][0]["message"]["content"] == f"hello #{entry['sha'][:12]}"
    assert entry["billed"] == answer["usage"]
    assert (entry["number"], entry["attempt"], entry["together"]) == (1, 1, 1)
    assert entry["written"]
    assert entry["came"] <= entry["done"]


@pytest.mark.parametrize(
    ("do", "status", "said"),
    [
        ({"kind": "status", "status": 429, "retry_after": 7}, 429, b"429"),
        ({"kind": "status", "status": 429, "retry_after": "date:60"}, 429, b"429"),
        ({"kind": "echo_key"}, 401, b"k-1"),
        ({"kind": "redirect", "location": "http://127.0.0.1:1/"}, 307, b""),
        ({"kind": "no_answer", "body": "html"}, 200, b"<html>"),
        ({"kind": "ok", "usage": "lying"}, 200, b'"completion_tokens": 15'),
    ],
)
def test_a_scripted_reply(
    server: FaultProcess, do: dict[str, Any], status: int, said: bytes
) -> None:
    server.script({"when": {"first": 1}, "do": do})
    found, body, headers = ask(server)
    assert found == status
    assert said in body
    assert ("Retry-After" in headers) == ("retry_after" in do)
    assert ask(server)[0] == 200
    assert [entry["kind"] for entry in server.ledger()] == [do["kind"], "ok"]


@pytest.mark.parametrize("kind", ["close_before_body", "close_after_body", "cut"])
def test_a_closed_connection(server: FaultProcess, kind: str) -> None:
    server.script({"when": {"numbers": [1]}, "do": {"kind": kind}})
    with pytest.raises((OSError, http.client.HTTPException)):
        ask(server)
    (entry,) = server.ledger()
    assert not entry["written"]
    assert (entry["billed"] is not None) == (kind != "close_before_body")


def test_rules_look_at_marker_attempt_and_share(server: FaultProcess) -> None:
    fail = {"kind": "status", "status": 500}
    server.script({"when": {"marker": "odd", "attempts": [1]}, "do": fail})
    assert [ask(server, text)[0] for text in ("even", "odd", "odd")] == [200, 500, 200]
    server.script({"when": {"share": 0.3}, "do": fail}, seed=4)
    first = [ask(server, f"text {n}")[0] for n in range(60)]
    server.script({"when": {"share": 0.3}, "do": fail}, seed=4)
    assert [ask(server, f"text {n}")[0] for n in reversed(range(60))] == first[::-1]
    assert 5 <= first.count(500) <= 35


def test_a_limit_of_requests(server: FaultProcess) -> None:
    server.script(limit={"per_second": 0.001, "burst": 2, "retry_after": "3"})
    assert [ask(server)[0] for _ in range(4)] == [200, 200, 429, 429]


def test_a_script_that_is_none_is_refused(server: FaultProcess) -> None:
    with pytest.raises(AssertionError, match="cannot look at"):
        server.script({"when": {"colour": 1}, "do": {"kind": "ok"}})


def test_the_installed_command_reports_what_the_starters_does(bench: Bench) -> None:
    bench.prompt(6)
    forked = bench.run("--run-dir", "a")
    installed = bench.run("--run-dir", "b", real=True)
    assert settled(forked.report) == settled(installed.report)
    assert bench.server.counts()["requests"] == 2 * forked.report["spent"]["requests"] > 0
