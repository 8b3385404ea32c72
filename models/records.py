"""Answers as text and back: JSON with a checksum, no pickle."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from sys import intern
from typing import Any

from ..core.types import Answer, Request, Usage

_SIGNED = "hmac:"
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
            text=parts["text"],
            # A run holds many answers, and few models and reasons among them.
            finish_reason=intern(parts["finish_reason"]),
            latency_s=parts["latency_s"],
            model=intern(parts["model"]),
            created=parts["created"],
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not an answer: {error}") from error


def summarise(request: Request, identity: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return what the store notes about a request: no content, only what tells it from others.

    Texts are there as the first digits of their SHA-256, so that a request that was not found can
    be held against those that are there, part by part.

    Args:
        request: What was asked.
        identity: `Target.identity`.
    """
    settings = request.settings
    return {
        "mode": "generate" if request.continuation is None else "loglikelihood",
        "characters": sum(len(message.content) for message in request.messages),
        "target": dict(identity or {}),
        "messages": [[message.role, _digest(message.content)] for message in request.messages],
        "max_output_tokens": settings.max_output_tokens,
        "temperature": settings.temperature,
        "stop": [_digest(text) for text in settings.stop],
        "seed": settings.seed,
        "effort": settings.effort,
        "response_schema": _digest(json.dumps(settings.response_schema)),
        "tools": [_digest(json.dumps(tool)) for tool in settings.tools],
        "continuation": None if request.continuation is None else _digest(request.continuation),
        "replicate": request.replicate,
    }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


class Seal:
    """Tells a row that was written here from any other: a checksum, or with a key a signature.

    Args:
        key: The secret; empty for a checksum that sees damage only.
    """

    def __init__(self, key: bytes = b"") -> None:
        self._key = key

    def checksum(self, *parts: str) -> str:
        """Return a SHA-256 over strings and the borders between them; with a key its HMAC."""
        digest = hmac.new(self._key, digestmod="sha256") if self._key else hashlib.sha256()
        for part in parts:
            data = part.encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8, "big") + data)
        return f"{_SIGNED}{digest.hexdigest()}" if self._key else digest.hexdigest()

    def ours(self, checksum: object) -> bool:
        """Say whether a checksum is of this kind: rows of the other kind are left alone."""
        return isinstance(checksum, str) and checksum.startswith(_SIGNED) == bool(self._key)


def summary_json(summary: Mapping[str, Any]) -> str:
    """Return a request's summary as canonical JSON."""
    return json.dumps(summary, sort_keys=True, separators=(",", ":"))


def fresh(answer: Answer) -> Answer:
    """Return the answer marked as one that came from the store."""
    return replace(answer, cached=True)
