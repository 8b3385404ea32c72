"""Chat completions as JSON: what is sent, and what is read strictly."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.core.protocols import TargetError
from costopt.core.types import GenerationSettings, Message
from costopt.models.chat import Dialect, chat_body, read_completion
from costopt.models.openai_models import takes_effort, takes_temperature


def sent(settings: GenerationSettings, dialect: Dialect | None = None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        chat_body("m", (Message("user", "Hi"),), settings, dialect or Dialect())
    )
    return found


def answer(**choice: Any) -> bytes:
    message = {"message": {"content": "Hi"}, "finish_reason": "stop"}
    return json.dumps({"choices": [{**message, **choice}]}).encode()


def test_nothing_is_sent_that_was_not_asked_for() -> None:
    assert sent(GenerationSettings()) == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "max_tokens": 512,
        "temperature": 0.0,
    }


def test_a_model_that_reasons() -> None:
    dialect = Dialect(limit="max_completion_tokens", temperature=False)
    body = sent(GenerationSettings(effort="low", max_output_tokens=9), dialect)
    assert body["max_completion_tokens"] == 9
    assert body["reasoning_effort"] == "low"
    assert "temperature" not in body
    assert "max_tokens" not in body


@pytest.mark.parametrize(
    ("model", "effort", "takes"),
    [
        ("gpt-4o-mini", None, True),
        ("gpt-5", None, False),
        ("gpt-5", "low", False),
        ("o3", None, False),
        ("gpt-5-chat-latest", None, True),
        ("gpt-5.4-mini", None, True),
        ("gpt-5.4-mini", "low", False),
        ("gpt-5.5", None, False),
        ("gpt-5.5", "none", True),
    ],
)
def test_which_of_openai_s_models_take_a_temperature(
    model: str, effort: str | None, takes: bool
) -> None:
    assert takes_temperature(model, effort) == takes


def test_which_of_openai_s_models_take_an_effort() -> None:
    assert [takes_effort(name) for name in ("gpt-4.1", "gpt-5-mini", "o4-mini")] == [
        False,
        True,
        True,
    ]


@given(st.text(), st.text())
def test_texts_go_as_they_are(system: str, user: str) -> None:
    messages = (Message("system", system), Message("user", user))
    body = json.loads(chat_body("m", messages, GenerationSettings(), Dialect()))
    assert [message["content"] for message in body["messages"]] == [system, user]


def test_half_a_character_is_refused() -> None:
    with pytest.raises(TargetError, match="half a character") as caught:
        chat_body("m", (Message("user", "\ud800"),), GenerationSettings(), Dialect())
    assert caught.value.kind == "rejected"
    assert not caught.value.possibly_paid


@pytest.mark.parametrize(
    "body",
    [
        b"NaN",
        b'{"choices": [{"message": {"content": "Hi"}, "x": NaN}]}',
        b"[" * 100_000,
        b'{"choices": {}}',
        b'{"choices": [null]}',
        b'{"choices": [{"message": "Hi"}]}',
        answer(message={"content": 5}),
        answer(message={}, finish_reason=None),
        answer(message={"content": None, "tool_calls": ["f"]}),
        answer(message={"content": None, "tool_calls": [{"function": None}]}),
        b'{"error": {"message": "upstream failed"}, "choices": []}',
    ],
)
def test_what_is_no_answer(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_completion(body)


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("stop", "stop"),
        ("eos", "stop"),
        ("length", "length"),
        ("function_call", "tool_calls"),
        ("content_filter", "content_filter"),
        ("something new", "unknown"),
        (None, "unknown"),
    ],
)
def test_endings(reason: str | None, expected: str) -> None:
    assert read_completion(answer(finish_reason=reason)).finish_reason == expected


def test_an_empty_answer_that_was_cut() -> None:
    found = read_completion(answer(message={"content": None}, finish_reason="length"))
    assert (found.text, found.finish_reason) == ("", "length")


def test_a_refusal_is_withheld() -> None:
    found = read_completion(answer(message={"content": None, "refusal": "I cannot."}))
    assert (found.text, found.finish_reason) == ("I cannot.", "content_filter")


def test_an_answer_in_parts_without_its_thoughts() -> None:
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "text", "text": "Hel"},
        {"type": "text", "text": "lo"},
    ]
    assert read_completion(answer(message={"content": parts})).text == "Hello"


@given(
    st.binary()
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["choices", "message", "content", "error", "usage"]), inner
            )
        ),
    ).map(lambda value: json.dumps(value).encode())
)
def test_any_body_is_an_answer_or_a_named_error(body: bytes) -> None:
    try:
        found = read_completion(body)
    except ValueError:
        return
    assert isinstance(found.text, str)
    assert found.finish_reason
