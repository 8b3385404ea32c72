"""OpenAI's chat completions as JSON: what is asked, and what came back."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from ..core.protocols import TargetError
from ..core.types import GenerationSettings, Message

_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
_ENDINGS = {
    "stop": "stop",
    "eos": "stop",
    "end_turn": "stop",
    "length": "length",
    "max_tokens": "length",
    "content_filter": "content_filter",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
}


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How a server's chat completions differ from the common ones.

    Servers other than OpenAI's often know ``max_tokens`` only, and OpenAI's models that reason
    know ``max_completion_tokens`` only.
    """

    limit: str = "max_tokens"
    temperature: bool = True
    """Whether the model takes one; those that are reasoning refuse it."""


@dataclass(frozen=True, kw_only=True)
class Completion:
    """What came back: the text with its tool calls, how it ended, and the usage as it stands."""

    text: str
    finish_reason: str
    model: str | None
    usage: Mapping[str, object]


def chat_body(
    model: str, messages: Sequence[Message], settings: GenerationSettings, dialect: Dialect
) -> bytes:
    """Return the body of ``POST chat/completions``; texts, schemas and tools go as they are.

    Raises:
        TargetError: a message has a role that cannot be sent, or text that is no Unicode.
    """
    body: dict[str, Any] = {
        "model": model,
        "messages": [_message(message) for message in messages],
        **_settings(settings, dialect),
    }
    try:
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        raise TargetError("the prompt holds half a character", kind="rejected") from None


def _message(message: Message) -> dict[str, str]:
    role = _ROLES.get(message.role)
    if role is None:
        raise TargetError(f'messages of role "{message.role}" cannot be sent', kind="rejected")
    return {"role": role, "content": message.content}


def _settings(settings: GenerationSettings, dialect: Dialect) -> dict[str, Any]:
    wanted: dict[str, Any] = {dialect.limit: settings.max_output_tokens}
    if dialect.temperature:
        wanted["temperature"] = settings.temperature
    if settings.stop:
        wanted["stop"] = list(settings.stop)
    if settings.seed is not None:
        wanted["seed"] = settings.seed
    if settings.effort is not None:
        wanted["reasoning_effort"] = settings.effort
    if settings.tools:
        wanted["tools"] = [dict(tool) for tool in settings.tools]
    if settings.response_schema is not None:
        schema = {"name": "answer", "schema": dict(settings.response_schema)}
        wanted["response_format"] = {"type": "json_schema", "json_schema": schema}
    return wanted


def read_completion(body: bytes) -> Completion:
    """Return what the body of a response with status 200 says.

    Raises:
        ValueError: it is no chat completion; says what is wrong, in the server's words nothing
            but an error of its own.
    """
    found = _object(_json(body), "the body")
    if isinstance(found.get("error"), dict):  # Gateways pass a maker's error on with status 200.
        raise ValueError(f"the server says {found['error'].get('message') or 'that it failed'}")
    choices = found.get("choices")
    if not isinstance(choices, list) or not choices:
        raise ValueError("the body has no choices")
    choice = _object(choices[0], "the choice")
    message = _object(choice.get("message"), "the message")
    ending = _ENDINGS.get(str(choice.get("finish_reason")), "unknown")
    text, refusal = _text(message), message.get("refusal")
    if isinstance(refusal, str) and refusal and not text:
        text, ending = refusal, "content_filter"
    if not text and ending == "unknown":
        raise ValueError("the answer is empty")
    model, usage = found.get("model"), found.get("usage")
    return Completion(
        text=text,
        finish_reason=ending,
        model=model if isinstance(model, str) and model else None,
        usage=usage if isinstance(usage, dict) else {},
    )


def called(calls: list[dict[str, Any]], said: str) -> str:
    """Return an answer's text with its tool calls as JSON."""
    if not calls:
        return said
    lines = json.dumps({"tool_calls": calls}, ensure_ascii=False)
    return f"{said}\n{lines}" if said else lines


def _json(body: bytes) -> object:
    try:
        return json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise ValueError("the body is no JSON") from None


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _object(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} is no JSON object")
    return value


def _text(message: dict[str, Any]) -> str:
    """Return what was said, and the tool calls; thoughts are left out."""
    content = message.get("content")
    if isinstance(content, list):
        parts = (part for part in content if isinstance(part, dict))
        content = "".join(str(p.get("text", "")) for p in parts if p.get("type") == "text")
    if content is not None and not isinstance(content, str):
        raise ValueError("the content is no text")
    calls = [_object(call, "a tool call") for call in message.get("tool_calls") or ()]
    functions = [_object(call.get("function"), "a tool call") for call in calls]
    named = [{"name": f.get("name"), "arguments": f.get("arguments")} for f in functions]
    return called(named, content or "")
