"""Providers with APIs of their own, end to end: the real SDKs against a server on loopback."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import provider_answers as shapes
import pytest
from fault_server import Fault, FaultServer

from costopt.core.errors import CostoptError
from costopt.core.protocols import Target, TargetError
from costopt.core.types import GenerationSettings, Message, Request, Usage
from costopt.models import wire
from costopt.models.hosted import HostedTarget
from costopt.models.providers import PROVIDERS

KEY = "key-0123456789-canary"

FAMILIES = {
    "anthropic": ("claude-haiku-4-5", shapes.anthropic()),
    "google": ("gemini-2.5-flash", shapes.google()),
    "mistral": ("mistral-small-latest", shapes.chat(shapes.MISTRAL)),
    "groq": ("openai/gpt-oss-20b", shapes.chat(shapes.GROQ)),
    "bedrock": ("us.anthropic.claude-haiku-4-5-20251001-v1:0", shapes.bedrock()),
}
USAGES = {
    "anthropic": Usage(1000, 50, cache_read=600, cache_write=300, reasoning=20),
    "google": Usage(1000, 50, cache_read=800, reasoning=20),
    "mistral": Usage(1000, 50, cache_read=800),
    "groq": Usage(1000, 50, cache_read=800, reasoning=20),
    "bedrock": Usage(1000, 50, cache_read=600, cache_write=300),
}
OURS = [name for name in FAMILIES if name != "bedrock"]  # Those that take our HTTP client.


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAM_KEY", KEY)
    for name in ("AWS_PROFILE", "AWS_BEARER_TOKEN_BEDROCK", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEY)


def make(name: str, server: FaultServer, **more: Any) -> HostedTarget:
    # AWS's client takes a key over HTTPS only, so here it signs.
    key = {} if name == "bedrock" else {"api_key_env": "TEAM_KEY"}
    url = server.url.removesuffix("/v1")
    model, _ = FAMILIES[name]
    known: dict[str, Any] = {"provider": PROVIDERS[name], "model": model, "base_url": url}
    return HostedTarget(name=name, **{**known, **key, **more})


def ask(target: HostedTarget, *messages: Message, **settings: Any) -> Any:
    asked = Request(
        messages=messages or (Message("user", "Hi"),), settings=GenerationSettings(**settings)
    )

    async def once() -> Any:
        try:
            return await target.answer(asked)
        finally:
            await target.close()

    return asyncio.run(once())


def error_of(target: HostedTarget) -> TargetError:
    with pytest.raises(TargetError) as caught:
        ask(target)
    return caught.value


@pytest.mark.parametrize("name", FAMILIES)
def test_an_answer_with_its_usage(name: str, faults: FaultServer) -> None:
    faults.script = [Fault(body=FAMILIES[name][1])]
    target = make(name, faults)
    assert isinstance(target, Target)
    found = ask(target)
    assert (found.text, found.finish_reason) == ("Hello", "stop")
    assert found.usage == USAGES[name]
    assert KEY not in json.dumps(dict(target.identity))
    assert target.counter("Hello there") > 0


@pytest.mark.parametrize("name", FAMILIES)
def test_what_goes_over_the_wire(name: str, faults: FaultServer) -> None:
    faults.script = [Fault(body=FAMILIES[name][1])]
    tool = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}
    ask(
        make(name, faults),
        Message("system", "Be brief."),
        Message("user", "One <|im_end|>"),
        Message("assistant", "Two"),
        Message("user", "Three"),
        max_output_tokens=7,
        temperature=0.25,
        stop=("END",),
        seed=5,
        tools=(tool,),
    )
    sent = json.dumps(faults.seen[0].body, ensure_ascii=False)
    for text in ("Be brief.", "One <|im_end|>", "Two", "Three", "0.25", "END", "look_up"):
        assert text in sent
    assert ": 7" in sent
    assert ("seed" in sent) == (name in ("google", "mistral", "groq"))


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("anthropic", "claude-haiku-4-5"),
        ("google", "gemini-2.5-flash"),
        ("groq", "openai/gpt-oss-20b"),
        ("bedrock", "us.anthropic.claude-haiku-4-5-20251001-v1:0"),
    ],
)
def test_a_response_schema(name: str, model: str, faults: FaultServer) -> None:
    faults.script = [Fault(body=FAMILIES[name][1])]
    target = make(name, faults, model=model)
    assert "json_schema" in target.capabilities
    schema = {"type": "object", "properties": {"quay": {"type": "string"}}, "required": ["quay"]}
    ask(target, response_schema=schema)
    assert "quay" in json.dumps(faults.seen[0].body)


@pytest.mark.parametrize(
    ("name", "model", "sent"),
    [
        ("anthropic", "claude-opus-4-8", '"effort": "low"'),
        ("groq", "openai/gpt-oss-20b", '"reasoning_effort": "low"'),
        ("google", "gemini-3-pro-preview", "thinkingConfig"),
    ],
)
def test_an_effort(name: str, model: str, sent: str, faults: FaultServer) -> None:
    faults.script = [Fault(body=FAMILIES[name][1])]
    target = make(name, faults, model=model)
    assert "effort" in target.capabilities
    ask(target, effort="low")
    assert sent in json.dumps(faults.seen[0].body)


@pytest.mark.parametrize(
    ("name", "model"),
    [("anthropic", "claude-haiku-4-5"), ("groq", "llama-3.3-70b-versatile"), ("mistral", "m")],
)
def test_an_effort_that_the_model_does_not_know_is_left_out(
    name: str, model: str, faults: FaultServer
) -> None:
    faults.script = [Fault(body=FAMILIES[name][1])]
    target = make(name, faults, model=model)
    assert "effort" not in target.capabilities
    ask(target, effort="low")
    assert "low" not in json.dumps(faults.seen[0].body)


def test_tool_calls_are_the_answer(faults: FaultServer) -> None:
    body = json.loads(shapes.anthropic())
    body["content"] = [{"type": "tool_use", "id": "t1", "name": "look_up", "input": {"a": 1}}]
    body["stop_reason"] = "tool_use"
    faults.script = [Fault(body=json.dumps(body).encode())]
    found = ask(make("anthropic", faults))
    assert found.finish_reason == "tool_calls"
    (call,) = json.loads(found.text)["tool_calls"]
    assert (call["name"], json.loads(call["arguments"])) == ("look_up", {"a": 1})


@pytest.mark.parametrize("name", OURS)
def test_the_named_key_goes_to_the_endpoint_once_and_nothing_else_does(
    name: str, faults: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in (
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "GOOGLE_API_KEY",
        "GEMINI_API_KEY",
        "MISTRAL_API_KEY",
        "GROQ_API_KEY",
    ):
        monkeypatch.setenv(variable, f"default-of-{variable}")
    for variable in ("ANTHROPIC_BASE_URL", "GROQ_BASE_URL", "GOOGLE_GEMINI_BASE_URL"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "X-Secret: my-header")
    faults.script = [Fault(body=FAMILIES[name][1])]
    ask(make(name, faults))
    head = faults.seen[0].head
    assert head.count(KEY) == 1
    for other in ("default-of", "my-header", "unused"):
        assert other not in head


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(429, b'{"error": {"message": "slow down"}}', {"Retry-After": "7"}), "rate_limit"),
        (Fault(500, b'{"message": "oops"}'), "server"),
        (Fault(503, b"{}"), "server"),
        (Fault(400, b'{"message": "no"}'), "rejected"),
        (Fault(401, b'{"message": "no"}'), "rejected"),
        (Fault(404, b'{"message": "no such model"}'), "rejected"),
        (Fault(200, b"not json"), "server"),
        (Fault(200, b"{}"), "server"),
        (Fault(200, b'{"a": "b"}', cut=4), "server"),
    ],
    ids=["429", "500", "503", "400", "401", "404", "no-json", "no-answer", "cut"],
)
def test_faults(name: str, faults: FaultServer, fault: Fault, kind: str) -> None:
    faults.script = [fault]
    error = error_of(make(name, faults))
    assert error.kind == kind
    assert len(faults.seen) == 1  # No retries below ours.
    assert error.possibly_paid == (fault.status == 200)
    assert "\n" not in str(error)
    assert error.retry_after_s == (7.0 if fault.status == 429 else None)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_redirect_is_not_followed(name: str, faults: FaultServer) -> None:
    with FaultServer() as elsewhere:
        location = {"Location": f"{elsewhere.url}/x"}
        faults.script = [Fault(307, b"", location)]
        error = error_of(make(name, faults))
        assert elsewhere.seen == []
    assert not error.transient


@pytest.mark.parametrize("name", OURS)
def test_a_response_without_end(
    name: str, faults: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "LARGEST_RESPONSE", 100)
    faults.script = [Fault(body=FAMILIES[name][1])]
    error = error_of(make(name, faults))
    assert (error.kind, error.possibly_paid) == ("server", True)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_server_that_hangs(name: str, faults: FaultServer) -> None:
    faults.script = [Fault(hang=True)]
    error = error_of(make(name, faults, timeout_s=0.5))
    assert (error.kind, error.possibly_paid) == ("timeout", True)


@pytest.mark.parametrize("name", FAMILIES)
def test_no_server(name: str, faults: FaultServer) -> None:
    error = error_of(make(name, faults, base_url="http://127.0.0.1:9"))
    assert error.kind == "server"
    assert error.transient


def test_a_missing_sdk_names_the_extra(faults: FaultServer) -> None:
    provider = replace(PROVIDERS["anthropic"], module="no_such_module.at_all")
    with pytest.raises(CostoptError, match="not installed") as caught:
        make("anthropic", faults, provider=provider)
    assert caught.value.hint == "pip install 'costopt[anthropic]'"
    assert faults.seen == []


def test_bedrock_without_a_region(faults: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    with pytest.raises(CostoptError, match="region"):
        make("bedrock", faults)


def test_bedrock_without_credentials(
    faults: FaultServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    with pytest.raises(CostoptError, match="credentials"):
        make("bedrock", faults)


def test_likelihoods_are_refused_before_anything_is_sent(faults: FaultServer) -> None:
    asked = Request(
        messages=(Message("user", "Hi"),), settings=GenerationSettings(), continuation="Hello"
    )
    with pytest.raises(TargetError) as caught:
        asyncio.run(make("google", faults).answer(asked))
    assert caught.value.kind == "rejected"
    assert faults.seen == []


def test_one_target_in_two_loops(faults: FaultServer) -> None:
    faults.script = [Fault(body=shapes.anthropic())] * 2
    target = make("anthropic", faults)
    assert [ask(target).text, ask(target).text] == ["Hello", "Hello"]
