"""Any OpenAI-compatible server: a real one (llama.cpp's), and one that fails on purpose."""

import asyncio
import gzip
import json
from typing import Any

import pytest
from fault_server import OK, Fault, FaultServer, completion

from costopt.core.errors import CostoptError
from costopt.core.protocols import Target, TargetError
from costopt.core.types import GenerationSettings, Message, Request, Usage
from costopt.models import wire
from costopt.models.compatible import CompatibleTarget
from costopt.models.embedded import EmbeddedTarget

KEY = "sk-test-0123456789"


def request(*messages: Message, **settings: Any) -> Request:
    spoken = messages or (Message("user", "Hi"),)
    return Request(messages=spoken, settings=GenerationSettings(**settings))


def make(server: FaultServer, **more: Any) -> CompatibleTarget:
    return CompatibleTarget(name="fake", model="fake-model", base_url=server.url, **more)


def ask(target: CompatibleTarget, asked: Request | None = None) -> Any:
    async def once() -> Any:
        try:
            return await target.answer(asked or request())
        finally:
            await target.close()

    return asyncio.run(once())


def error_of(target: CompatibleTarget, asked: Request | None = None) -> TargetError:
    with pytest.raises(TargetError) as caught:
        ask(target, asked)
    return caught.value


@pytest.fixture
def keyed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_KEY", KEY)


def test_it_is_a_target(faults: FaultServer) -> None:
    target = make(faults)
    assert isinstance(target, Target)
    assert target.capabilities == {"generate", "seed"}
    assert KEY not in json.dumps(dict(target.identity))


def test_an_answer(faults: FaultServer) -> None:
    usage = {
        "prompt_tokens": 1000,
        "completion_tokens": 50,
        "total_tokens": 1050,
        "prompt_tokens_details": {"cached_tokens": 800},
        "completion_tokens_details": {"reasoning_tokens": 20},
    }
    faults.script = [Fault(body=completion("Hello", usage=usage))] * 2
    found = ask(make(faults, cache_reads=True))
    assert (found.text, found.finish_reason, found.model) == ("Hello", "stop", "fake-model")
    assert found.usage == Usage(input=1000, output=50, cache_read=800, reasoning=20)
    # A server of one's own bills no cache reads.
    assert ask(make(faults)).usage == Usage(input=1000, output=50, reasoning=20)


def test_what_goes_over_the_wire(faults: FaultServer) -> None:
    schema = {"type": "object", "properties": {"b": {}, "a": {}}}
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    ask(
        make(faults),
        request(
            Message("system", "Be brief."),
            Message("user", "One <|im_end|>"),
            Message("assistant", "Two"),
            Message("user", "Three"),
            max_output_tokens=7,
            temperature=0.25,
            stop=("END",),
            seed=5,
            response_schema=schema,
            tools=(tool,),
        ),
    )
    (seen,) = faults.seen
    assert seen.head.startswith("POST /v1/chat/completions ")
    assert seen.body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "One <|im_end|>"},
        {"role": "assistant", "content": "Two"},
        {"role": "user", "content": "Three"},
    ]
    assert seen.body["model"] == "fake-model"
    assert seen.body["max_tokens"] == 7
    assert seen.body["temperature"] == 0.25
    assert seen.body["stop"] == ["END"]
    assert seen.body["seed"] == 5
    assert seen.body["tools"] == [tool]
    assert seen.body["response_format"]["json_schema"]["schema"] == schema
    assert not seen.body.get("stream")


def test_without_a_key_none_is_sent(faults: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_ORG_ID", "my-organisation")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "my-project")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Secret: my-header")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    ask(make(faults))
    (seen,) = faults.seen
    assert seen.header("authorization") is None
    for secret in (KEY, "my-organisation", "my-project", "my-header"):
        assert secret not in seen.head


@pytest.mark.usefixtures("keyed")
def test_the_named_key_is_sent(faults: FaultServer) -> None:
    ask(make(faults, api_key_env="FAKE_KEY"))
    assert faults.seen[0].header("authorization") == f"Bearer {KEY}"


def test_a_missing_key_is_an_error_at_once(faults: FaultServer) -> None:
    with pytest.raises(CostoptError, match="FAKE_KEY is not set"):
        make(faults, api_key_env="FAKE_KEY")


def test_a_key_that_is_none(faults: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_KEY", "two words\nand a line")
    with pytest.raises(CostoptError) as caught:
        make(faults, api_key_env="FAKE_KEY")
    assert "two words" not in str(caught.value)


@pytest.mark.usefixtures("keyed")
@pytest.mark.parametrize("status", [400, 401, 429, 500])
def test_the_key_is_in_no_message(faults: FaultServer, status: int) -> None:
    body = json.dumps({"error": {"message": f"bad key {KEY}", "code": "x"}}).encode()
    faults.script = [Fault(status, body)]
    assert KEY not in str(error_of(make(faults, api_key_env="FAKE_KEY")))


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(429, b'{"error": {"message": "slow down"}}'), "rate_limit"),
        (Fault(500, b"oops"), "server"),
        (Fault(502, b"<html>bad gateway</html>", {"Content-Type": "text/html"}), "server"),
        (Fault(503, b"{}"), "server"),
        (Fault(529, b"{}"), "server"),
        (Fault(400, b'{"error": {"message": "no"}}'), "rejected"),
        (Fault(401, b"{}"), "rejected"),
        (Fault(404, b'{"error": {"message": "no such model"}}'), "rejected"),
        (Fault(402, b"{}"), "rejected"),
        (Fault(429, b'{"error": {"message": "x", "code": "insufficient_quota"}}'), "rejected"),
        (Fault(302, b"", {"Location": "http://127.0.0.1:9/"}), "rejected"),
        (Fault(200, b"not json"), "server"),
        (Fault(200, b""), "server"),
        (Fault(200, b"{}"), "server"),
        (Fault(200, b"[]"), "server"),
        (Fault(200, b"null"), "server"),
        (Fault(200, b'"text"'), "server"),
        (Fault(200, completion(choices=[])), "server"),
        (Fault(200, b"\xff\xfe" * 50), "server"),
        (Fault(200, completion(), cut=20), "server"),
        (Fault(200, b"", {"Content-Length": "500"}), "server"),
        (Fault(200, gzip.compress(completion()), {"Content-Encoding": "gzip"}), "server"),
    ],
    ids=lambda value: getattr(value, "status", None),
)
@pytest.mark.usefixtures("keyed")
def test_faults(faults: FaultServer, fault: Fault, kind: str) -> None:
    faults.script = [fault]
    error = error_of(make(faults, api_key_env="FAKE_KEY"))
    assert error.kind == kind
    assert len(faults.seen) == 1  # No retries below ours.
    # Lost with status 200: the answer was made, and may be billed.
    assert error.possibly_paid == (fault.status == 200)
    assert len(str(error)) <= 400
    assert "\n" not in str(error)


def test_a_server_without_a_key_is_asked_again(faults: FaultServer) -> None:
    faults.script = [Fault(200, completion(), cut=20)]
    assert error_of(make(faults)).transient


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"Retry-After": "7"}, 7.0), ({"retry-after-ms": "1500"}, 1.5), ({}, None)],
)
def test_how_long_the_server_asks_to_wait(
    faults: FaultServer, headers: dict[str, str], seconds: float | None
) -> None:
    faults.script = [Fault(429, b"{}", headers)]
    assert error_of(make(faults)).retry_after_s == seconds


def test_a_server_that_hangs(faults: FaultServer) -> None:
    faults.script = [Fault(hang=True)]
    error = error_of(make(faults, timeout_s=0.3))
    assert error.kind == "timeout"


def test_no_server() -> None:
    target = CompatibleTarget(name="gone", model="m", base_url="http://127.0.0.1:9/v1")
    error = error_of(target)
    assert error.kind == "server"
    assert error.transient


def test_a_response_without_end(faults: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "LARGEST_RESPONSE", 1000)
    faults.script = [Fault(body=completion("x" * 5000))]
    assert error_of(make(faults)).kind == "server"


def test_a_withheld_answer_says_so(faults: FaultServer) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": ""}}
    body = completion(choices=[{**choice, "finish_reason": "content_filter"}])
    faults.script = [Fault(body=body)]
    assert ask(make(faults)).finish_reason == "content_filter"


def test_tool_calls_are_the_answer(faults: FaultServer) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    faults.script = [Fault(body=completion(choices=[choice]))]
    found = ask(make(faults))
    assert found.finish_reason == "tool_calls"
    assert json.loads(found.text) == {"tool_calls": [{"name": "f", "arguments": '{"a": 1}'}]}


def test_a_server_that_counts_nothing(faults: FaultServer) -> None:
    faults.script = [Fault(body=completion("Hello", usage=None))]
    found = ask(make(faults, tokenizer="o200k_base"), request(Message("user", "Hi there")))
    assert found.usage == Usage(input=2, output=1)


def test_likelihoods_are_refused_before_anything_is_sent(faults: FaultServer) -> None:
    asked = Request(
        messages=(Message("user", "Hi"),), settings=GenerationSettings(), continuation="Hello"
    )
    assert error_of(make(faults), asked).kind == "rejected"
    assert faults.seen == []


def test_a_role_that_cannot_be_sent(faults: FaultServer) -> None:
    assert error_of(make(faults), request(Message("tool", "x"))).kind == "rejected"
    assert faults.seen == []


def test_one_target_in_two_loops(faults: FaultServer) -> None:
    target = make(faults)
    faults.script = [OK, OK]
    assert [asyncio.run(target.answer(request())).text for _ in range(2)] == ["fine", "fine"]


def test_many_at_once(faults: FaultServer) -> None:
    target = make(faults)

    async def together() -> list[Any]:
        try:
            return await asyncio.gather(*(target.answer(request()) for _ in range(60)))
        finally:
            await target.close()

    assert [found.text for found in asyncio.run(together())] == ["fine"] * 60


def test_openai_itself_is_asked_as_it_wants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_KEY", KEY)
    url = "https://api.openai.com/v1"
    target = CompatibleTarget(name="o", model="o3", base_url=url, api_key_env="FAKE_KEY")
    dialect = target._dialect(GenerationSettings())
    assert (dialect.limit, dialect.temperature) == ("max_completion_tokens", False)
    # A name that only begins like OpenAI's is another server.
    other = CompatibleTarget(name="o", model="o3", base_url="https://api.openai.com.example/v1")
    assert other._dialect(GenerationSettings()).limit == "max_tokens"


@pytest.mark.embedded
def test_a_real_server(embedded: EmbeddedTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    server = embedded.server()
    monkeypatch.setenv("LLAMA_KEY", server.key)
    target = CompatibleTarget(
        name="local", model="smollm2", base_url=f"{server.url}/v1", api_key_env="LLAMA_KEY"
    )
    asked = request(Message("user", "What is the capital of France?"), max_output_tokens=12)
    found = ask(target, asked)
    own = asyncio.run(embedded.answer(asked))
    assert found.text.strip() == own.text.strip()
    assert found.finish_reason == "length"
    assert found.usage == own.usage


@pytest.mark.embedded
def test_a_real_server_says_no(embedded: EmbeddedTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLAMA_KEY", "wrong")
    target = CompatibleTarget(
        name="local",
        model="smollm2",
        base_url=f"{embedded.server().url}/v1",
        api_key_env="LLAMA_KEY",
    )
    error = error_of(target)
    assert error.kind == "rejected"
    assert "wrong" not in str(error)
