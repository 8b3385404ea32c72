"""Answers as text and back: JSON with a checksum, no pickle."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..core.types import Answer, Request, Usage

_MEMBERS = ("text", "finish_reason", "latency_s", "model", "created")


def to_json(answer: Answer) -> str:
    """Return an answer as canonical JSON; whether it came from the store is left out."""
    parts: dict[str, Any] = {name: getattr(answer, name) for name in _MEMBERS}
    usage = answer.usage
    parts["usage"] = {
        "input": usage.input,
        "output": usage.output,
        "cache_read": usage.cache_read,
        "cache_write": usage.cache_write,
        "reasoning": usage.reasoning,
    }
    parts["logprobs"] = None if answer.logprobs is None else list(answer.logprobs)
    segments = answer.logprob_segments
    parts["logprob_segments"] = None if segments is None else list(segments)
    return json.dumps(parts, sort_keys=True, separators=(",", ":"))


def from_json(text: str) -> Answer:
    """Return the answer that `to_json` wrote.

    Raises:
        ValueError: it is not one.
    """
    try:
        parts = json.loads(text)
        logprobs, segments = parts["logprobs"], parts["logprob_segments"]
        return Answer(
            usage=Usage(**parts["usage"]),
            logprobs=None if logprobs is None else tuple(float(value) for value in logprobs),
            logprob_segments=None if segments is None else tuple(segments),
            **{name: parts[name] for name in _MEMBERS},
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not an answer: {error}") from error


def summarise(request: Request) -> dict[str, Any]:
    """Return what the store notes about a request: no content, only its kind and size."""
    return {
        "mode": "generate" if request.continuation is None else "loglikelihood",
        "messages": len(request.messages),
        "characters": sum(len(message.content) for message in request.messages),
        "max_output_tokens": request.settings.max_output_tokens,
        "replicate": request.replicate,
    }


def checksum(*parts: str) -> str:
    """Return a SHA-256 over strings and the borders between them."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def summary_json(summary: Mapping[str, Any]) -> str:
    """Return a request's summary as canonical JSON."""
    return json.dumps(summary, sort_keys=True, separators=(",", ":"))


def fresh(answer: Answer) -> Answer:
    """Return the answer marked as one that came from the store."""
    return replace(answer, cached=True)
