"""Helicone: requests as its API and its export tool write them, in snake case or camel case.

Labels are custom properties. Helicone passes Anthropic's prompt tokens on as they come, without the
cached ones; for that provider they are added here.
"""

from collections.abc import Mapping
from typing import Any

from .spec import LABELS, JsonFormat

_MARKS = ("request_created_at", "requestCreatedAt", "response_status", "delay_ms", "helicone_user")


def _recognise(record: Mapping[str, Any]) -> bool:
    return sum(mark in record for mark in _MARKS) >= 2


def _property(label: str) -> tuple[str, ...]:
    """Where a custom property stands; people write them with capitals too."""
    names = [written for name in LABELS[label] for written in (name, name.capitalize())]
    return tuple(f'properties:$."{name}"' for name in dict.fromkeys(names))


FORMAT = JsonFormat(
    name="helicone",
    recognise=_recognise,
    documents={
        "properties": ("$.request_properties", "$.properties", "$.requestProperties"),
        "body": ("$.request_body", "$.requestBody"),
    },
    fields={
        **{label: _property(label) for label in LABELS},
        "customer": ("$.request_user_id", "$.requestUserId", "$.user_id", *_property("customer")),
        "endpoint": (*_property("endpoint"), "$.request_path", "$.requestPath"),
        "prompt": ("$.prompt_id", "$.promptId", *_property("prompt")),
        "request_id": ("$.request_id", "$.requestId"),
        "at": ("$.request_created_at", "$.requestCreatedAt"),
        "provider": ("$.provider",),
        "model": (
            "$.model_override",
            "$.response_model",
            "$.responseModel",
            "$.model",
            "$.request_model",
            "$.requestModel",
        ),
        "prompt_tokens": ("$.prompt_tokens", "$.promptTokens"),
        "output_tokens": ("$.completion_tokens", "$.completionTokens"),
        "cache_read_tokens": ("$.prompt_cache_read_tokens", "$.promptCacheReadTokens"),
        "cache_write_tokens": ("$.prompt_cache_write_tokens", "$.promptCacheWriteTokens"),
        "reasoning_tokens": ("$.reasoning_tokens", "$.reasoningTokens"),
        "milliseconds": ("$.delay_ms", "$.delayMs", "$.latency"),
        "status": ("$.response_status", "$.responseStatus"),
        "logged_usd": ("$.cost", "$.costUSD", "$.cost_usd"),
        "messages": ("body:$.messages", "body:$.input"),
        "system": ("body:$.system", "body:$.instructions"),
        "temperature": ("body:$.temperature",),
        "tools": ("body:$.tools",),
    },
    columns={
        "input_tokens": "as_count({prompt_tokens}) + CASE WHEN lower({provider}) = 'anthropic' "
        "THEN coalesce(as_count({cache_read_tokens}), 0) "
        "+ coalesce(as_count({cache_write_tokens}), 0) ELSE 0 END",
        "latency_s": "as_number({milliseconds}) / 1000",
        # Helicone writes negative states for requests that never got an answer.
        "error": "CASE WHEN as_count({status}) NOT BETWEEN 200 AND 299 "
        "THEN 'status ' || {status} END",
        "request_key": "CASE WHEN {messages} IS NOT NULL THEN md5(concat_ws(chr(31), {model}, "
        "{system}, {messages}, {temperature}, {tools})) END",
        "text": "request_text({system}, {messages})",
        "answer": "coalesce({said}, answer_text({items}))",
    },
    texts={
        "said": (
            "$.response_body.choices[0].message.content",
            "$.responseBody.choices[0].message.content",
        ),
        "items": (
            "$.response_body.content",
            "$.response_body.output",
            "$.responseBody.content",
            "$.responseBody.output",
        ),
    },
    is_request="{at} IS NOT NULL",
)
