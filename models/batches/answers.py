"""Reads a provider's answer out of the body that came with a batch's results."""

import json
from collections.abc import Mapping
from typing import Any

from ...core.protocols import TargetError
from ...core.types import Usage
from .base import Reply

_CHAT_FINISH = {"function_call": "tool_calls", None: "unknown"}
_MESSAGES_FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
    None: "unknown",
}


def chat_reply(body: Mapping[str, Any], *, cache_reads: bool) -> Reply:
    """Return the answer of a ``chat/completions`` body.

    Args:
        body: JSON, as it came.
        cache_reads: Whether the server's cache hits are billed as such.

    Raises:
        TargetError: it is none, though it may have been paid.
    """
    try:
        choice = body["choices"][0]
        message = choice["message"]
        calls = [
            {"name": call["function"]["name"], "arguments": call["function"]["arguments"]}
            for call in message.get("tool_calls") or ()
        ]
        finish = choice.get("finish_reason")
        return Reply(
            text=_with_calls(_text(message.get("content")), calls),
            usage=_chat_usage(body.get("usage"), cache_reads),
            finish_reason=_word(_CHAT_FINISH.get(finish, finish)),
            model=_word(body.get("model"), ""),
        )
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        raise _no_answer(error) from error


def messages_reply(body: Mapping[str, Any]) -> Reply:
    """Return the answer of a body of Anthropic's ``messages``.

    Raises:
        TargetError: it is none, though it may have been paid.
    """
    try:
        blocks = body["content"]
        said = "".join(_text(block["text"]) for block in blocks if block["type"] == "text")
        calls = [
            {"name": block["name"], "arguments": json.dumps(block["input"])}
            for block in blocks
            if block["type"] == "tool_use"
        ]
        finish = body.get("stop_reason")
        return Reply(
            text=_with_calls(said, calls),
            usage=_messages_usage(body.get("usage")),
            finish_reason=_word(_MESSAGES_FINISH.get(finish, finish)),
            model=_word(body.get("model"), ""),
        )
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        raise _no_answer(error) from error


def _no_answer(error: Exception) -> TargetError:
    message = f"the batch's result is no answer: {type(error).__name__}"
    return TargetError(message, kind="server", possibly_paid=True)


def _text(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _word(value: object, otherwise: str = "unknown") -> str:
    return value if isinstance(value, str) and value else otherwise


def _with_calls(said: str, calls: list[dict[str, Any]]) -> str:
    """Return the text, and tool calls as JSON behind it: as ordinary calls have it."""
    if not calls:
        return said
    called = json.dumps({"tool_calls": calls}, ensure_ascii=False)
    return f"{said}\n{called}" if said else called


def _chat_usage(found: Any, cache_reads: bool) -> Usage | None:  # noqa: ANN401 - JSON
    """Return the tokens; OpenAI's totals include what was cached and reasoned."""
    if not found:
        return None
    read_in, written = _count(found, "prompt_tokens"), _count(found, "completion_tokens")
    if read_in == 0 and written == 0:
        return None
    cached = _count(found.get("prompt_tokens_details") or {}, "cached_tokens")
    reasoning = _count(found.get("completion_tokens_details") or {}, "reasoning_tokens")
    return Usage(
        input=read_in,
        output=written,
        cache_read=min(cached, read_in) if cache_reads else 0,
        reasoning=min(reasoning, written),
    )


def _messages_usage(found: Any) -> Usage | None:  # noqa: ANN401 - JSON
    """Return the tokens; Anthropic's input leaves out what the cache gave or took."""
    if not found:
        return None
    read, written = _count(found, "cache_read_input_tokens"), _count(found, "output_tokens")
    stored = _count(found, "cache_creation_input_tokens")
    thought = _count(found.get("output_tokens_details") or {}, "thinking_tokens")
    return Usage(
        input=_count(found, "input_tokens") + read + stored,
        output=written,
        cache_read=read,
        cache_write=stored,
        reasoning=min(thought, written),
    )


def _count(found: Mapping[str, Any], name: str) -> int:
    value = found.get(name) or 0
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"no count: {name}")
    return value
