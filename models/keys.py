"""The name under which an answer is stored: a hash of all that can change it."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from ..core.types import GenerationSettings, Request

_VERSION = 1


def request_key(identity: Mapping[str, Any], request: Request) -> str:
    """Return the SHA-256 of what the target is and what it is asked, as 64 hex digits.

    Whatever can change the answer is part of it, the replicate too, and nothing else is: the
    order of the identity's keys is not; the order of a response schema's or a tool's keys is,
    since a provider puts them before the model in that order. A log-likelihood is of a fixed
    text, so how a text would be drawn (temperature, seed, stop, limits) has no part in its key.

    Args:
        identity: `Target.identity`; JSON.
        request: What is asked.

    Example:
        >>> from costopt.core.types import Message
        >>> ask = Request(messages=(Message("user", "Hi"),), settings=GenerationSettings())
        >>> request_key({"a": 1, "b": 2}, ask) == request_key({"b": 2, "a": 1}, ask)
        True
    """
    parts = {
        "version": _VERSION,
        "identity": identity,
        "messages": [[message.role, message.content] for message in request.messages],
        "settings": _settings(request.settings, request.continuation is not None),
        "continuation": request.continuation,
        "replicate": request.replicate,
    }
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def _settings(settings: GenerationSettings, forced: bool) -> dict[str, Any]:
    # Dumped here, so that the sorting above does not touch their order.
    tools = [json.dumps(tool) for tool in settings.tools]
    if forced:
        return {"tools": tools}
    return {
        "max_output_tokens": settings.max_output_tokens,
        "temperature": float(settings.temperature),
        "stop": list(settings.stop),
        "seed": settings.seed,
        "effort": settings.effort,
        "response_schema": None
        if settings.response_schema is None
        else json.dumps(settings.response_schema),
        "tools": tools,
    }
