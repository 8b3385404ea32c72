"""The body of a request, as an ordinary call sends it: what a batch's answer is an answer to."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ...core.protocols import TargetError
from ...core.types import GenerationSettings, Message, Request
from .. import chat
from ..openai_models import dialect_of

_SPOKEN = {"user": "user", "assistant": "assistant"}


def chat_body(request: Request, model: str, *, openai: bool) -> dict[str, Any]:
    """Return the body for ``chat/completions``.

    Args:
        request: What is asked.
        model: The model's name at the server.
        openai: Whether it is OpenAI itself, which takes ``max_completion_tokens``; other servers
            often know ``max_tokens`` only.

    Raises:
        TargetError: a message's role cannot be sent.
    """
    dialect = dialect_of(model, request.settings.effort, openai=openai)
    body: dict[str, Any] = json.loads(
        chat.chat_body(model, request.messages, request.settings, dialect)
    )
    return body


def messages_body(request: Request, model: str) -> dict[str, Any]:
    """Return the body for Anthropic's ``messages``.

    System messages go into ``system``, in their order; the API knows no seed.

    Raises:
        TargetError: a message's role cannot be sent.
    """
    settings = request.settings
    system = [m.content for m in request.messages if m.role in ("system", "developer")]
    spoken = [m for m in request.messages if m.role not in ("system", "developer")]
    body: dict[str, Any] = {
        "model": model,
        "max_tokens": settings.max_output_tokens,
        "messages": [
            {"role": _role(message, _SPOKEN), "content": message.content} for message in spoken
        ],
        "temperature": settings.temperature,
    }
    if system:
        body["system"] = "\n\n".join(system)
    if settings.stop:
        body["stop_sequences"] = list(settings.stop)
    if settings.tools:
        body["tools"] = [_anthropic_tool(tool) for tool in settings.tools]
    output = _output_config(settings)
    if output:
        body["output_config"] = output
    return body


def _role(message: Message, known: Mapping[str, str]) -> str:
    if message.role not in known:
        raise TargetError(f'messages of role "{message.role}" cannot be sent', kind="rejected")
    return known[message.role]


def _anthropic_tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    """Return a tool in Anthropic's shape; one that has OpenAI's is taken apart."""
    function = tool.get("function")
    if not isinstance(function, Mapping):
        return dict(tool)
    kept = {key: function[key] for key in ("name", "description") if key in function}
    return {**kept, "input_schema": function.get("parameters", {"type": "object"})}


def _output_config(settings: GenerationSettings) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if settings.effort is not None:
        found["effort"] = settings.effort
    if settings.response_schema is not None:
        found["format"] = {"type": "json_schema", "schema": dict(settings.response_schema)}
    return found


def grouped(sizes: Sequence[int], *, most: int, bytes: int) -> list[range]:
    """Return ranges of consecutive requests that each fit into one batch.

    A request that is larger than ``bytes`` stands alone: the provider will say no to it.

    Example:
        >>> grouped([5, 5, 5, 20], most=10, bytes=10)
        [range(0, 2), range(2, 3), range(3, 4)]
    """
    groups: list[range] = []
    start = total = 0
    for index, size in enumerate(sizes):
        if index > start and (index - start >= most or total + size > bytes):
            groups.append(range(start, index))
            start, total = index, 0
        total += size
    if sizes:
        groups.append(range(start, len(sizes)))
    return groups
