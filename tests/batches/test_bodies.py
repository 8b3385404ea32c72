"""A batch's request is the one that an ordinary call sends; its answer is read the same way."""

import asyncio
import json
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.core.protocols import TargetError
from costopt.core.types import GenerationSettings, Message, Request, Usage
from costopt.models.batches.answers import chat_reply, messages_reply
from costopt.models.batches.bodies import chat_body, grouped, messages_body
from costopt.models.compatible import CompatibleTarget

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))

from fault_server import Fault, FaultServer, completion

TOOL = {
    "type": "function",
    "function": {"name": "look_up", "description": "Looks up.", "parameters": {"type": "object"}},
}
SCHEMA = {"type": "object", "properties": {"b": {"type": "string"}, "a": {"type": "string"}}}
TALK = (
    Message("system", "Be brief."),
    Message("developer", "Be kind."),
    Message("user", "Hi"),
    Message("assistant", "Hello"),
    Message("user", ""),
)
SETTINGS = [
    GenerationSettings(),
    GenerationSettings(max_output_tokens=5, temperature=0.7, stop=("a", "b"), seed=3, effort="low"),
    GenerationSettings(effort="none", response_schema=SCHEMA, tools=(TOOL,)),
]
MODELS = ["llama3.2", "gpt-4o-mini", "gpt-5-mini", "o3", "gpt-5.4-mini", "gpt-5.5"]


@pytest.fixture
def faults() -> Any:
    with FaultServer() as server:
        yield server


@pytest.mark.parametrize("model", MODELS)
def test_the_body_is_that_of_an_ordinary_call(model: str, faults: FaultServer) -> None:
    target = CompatibleTarget(name="x", model=model, base_url=faults.url)
    for settings in SETTINGS:
        request = Request(messages=TALK, settings=settings)
        asyncio.run(target.answer(request))
        assert chat_body(request, model, openai=False) == faults.seen[-1].body


CALL = {"id": "1", "type": "function", "function": {"name": "look_up", "arguments": '{"a": 1}'}}
COMPLETIONS = [
    completion(),
    completion("", choices=[
        {"index": 0, "message": {"role": "assistant", "content": None, "tool_calls": [CALL]},
         "finish_reason": "tool_calls"}
    ]),
    completion("cut", usage={
        "prompt_tokens": 100, "completion_tokens": 30, "total_tokens": 130,
        "prompt_tokens_details": {"cached_tokens": 64},
        "completion_tokens_details": {"reasoning_tokens": 20},
    }),
]  # fmt: skip


@pytest.mark.parametrize("body", COMPLETIONS)
def test_an_answer_is_read_as_that_of_an_ordinary_call(body: bytes, faults: FaultServer) -> None:
    faults.script = [Fault(body=body)]
    target = CompatibleTarget(name="x", model="m", base_url=faults.url, cache_reads=True)
    answer = asyncio.run(target.answer(Request(messages=TALK, settings=SETTINGS[0])))
    reply = chat_reply(json.loads(body), cache_reads=True)
    assert (reply.text, reply.finish_reason) == (answer.text, answer.finish_reason)
    assert (reply.usage, reply.model) == (answer.usage, answer.model)


def test_an_answer_without_usage_says_so() -> None:
    body = json.loads(completion())
    for usage in (None, {}, {"prompt_tokens": 0, "completion_tokens": 0}):
        assert chat_reply({**body, "usage": usage}, cache_reads=True).usage is None


def test_local_prefix_hits_are_no_cache_reads() -> None:
    found = chat_reply(json.loads(COMPLETIONS[2]), cache_reads=False).usage
    assert found == Usage(100, 30, reasoning=20)


def test_a_message_for_anthropic() -> None:
    body = messages_body(Request(messages=TALK, settings=SETTINGS[1]), "claude")
    assert body == {
        "model": "claude", "max_tokens": 5, "temperature": 0.7, "stop_sequences": ["a", "b"],
        "system": "Be brief.\n\nBe kind.", "output_config": {"effort": "low"},
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello"},
            {"role": "user", "content": ""},
        ],
    }  # fmt: skip
    tools = GenerationSettings(response_schema=SCHEMA, tools=(TOOL, {"name": "own"}))
    body = messages_body(Request(messages=TALK[2:3], settings=tools), "claude")
    own = {"name": "look_up", "description": "Looks up.", "input_schema": {"type": "object"}}
    assert body["tools"] == [own, {"name": "own"}]
    assert body["output_config"] == {"format": {"type": "json_schema", "schema": SCHEMA}}
    assert "system" not in body


def test_an_answer_of_anthropics() -> None:
    reply = messages_reply({
        "model": "claude", "stop_reason": "tool_use",
        "content": [
            {"type": "thinking", "thinking": "Hm."},
            {"type": "text", "text": "I look. "},
            {"type": "tool_use", "name": "look_up", "input": {"a": 1}},
        ],
        "usage": {
            "input_tokens": 100, "cache_read_input_tokens": 600, "cache_creation_input_tokens": 300,
            "output_tokens": 50, "output_tokens_details": {"thinking_tokens": 20},
        },
    })  # fmt: skip
    called = '{"tool_calls": [{"name": "look_up", "arguments": "{\\"a\\": 1}"}]}'
    assert reply.text == f"I look. \n{called}"
    assert reply.finish_reason == "tool_calls"
    # Anthropic's input leaves out what the cache gave and took; ours is the whole.
    assert reply.usage == Usage(1000, 50, cache_read=600, cache_write=300, reasoning=20)


KEYS = st.sampled_from(
    ["choices", "message", "content", "usage", "tool_calls", "function", "type", "text", "input",
     "prompt_tokens", "output_tokens", "finish_reason", "stop_reason", "model"]
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(body=st.dictionaries(KEYS, JSON, max_size=6))
def test_whatever_comes_is_an_answer_or_one_kind_of_error(body: dict[str, Any]) -> None:
    for read in (messages_reply, lambda found: chat_reply(found, cache_reads=True)):
        found: list[TargetError] = []
        try:
            reply = read(body)
        except TargetError as error:
            found.append(error)
        else:
            assert isinstance(reply.text, str)
            assert isinstance(reply.finish_reason, str)
        assert all(error.possibly_paid for error in found)


@given(
    sizes=st.lists(st.integers(1, 30), max_size=40),
    most=st.integers(1, 10),
    limit=st.integers(1, 60),
)
def test_groups_hold_everything_in_order_within_the_limits(
    sizes: list[int], most: int, limit: int
) -> None:
    groups = grouped(sizes, most=most, bytes=limit)
    assert [index for group in groups for index in group] == list(range(len(sizes)))
    for group in groups:
        assert 1 <= len(group) <= most
        assert len(group) == 1 or sum(sizes[index] for index in group) <= limit
    # No group could have taken the next request.
    for group, after in pairwise(groups):
        total = sum(sizes[index] for index in group) + sizes[after[0]]
        assert len(group) == most or total > limit


def test_a_role_that_cannot_be_sent_is_rejected() -> None:
    request = Request(messages=(Message("tool", "x"),), settings=SETTINGS[0])
    for build in (messages_body, lambda r, m: chat_body(r, m, openai=False)):
        with pytest.raises(TargetError) as caught:
            build(request, "m")
        assert caught.value.kind == "rejected"
