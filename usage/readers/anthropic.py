"""Anthropic-style responses: ``message`` objects with their ``usage``.

``input_tokens`` leaves out what was read from and written to the cache; here it is added. A line is
the message itself, or holds it under ``response`` or (a batch's result) ``result.message``; the
request may stand beside it under ``request``.
"""

from collections.abc import Mapping
from typing import Any

from .spec import JsonFormat, labelled


def _recognise(record: Mapping[str, Any]) -> bool:
    result = record.get("result")
    places = (record, record.get("response"), result and _mapping(result).get("message"))
    return any(_is_message(_mapping(place)) for place in places)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_message(value: Mapping[str, Any]) -> bool:
    usage = _mapping(value.get("usage"))
    cached = {"cache_creation_input_tokens", "cache_read_input_tokens"} & usage.keys()
    return "input_tokens" in usage and bool(cached or value.get("type") == "message")


FORMAT = JsonFormat(
    name="anthropic",
    recognise=_recognise,
    documents={
        "answer": ("$.result.message", "$.response.body", "$.response", "$"),
        "request": ("$.request.body", "$.request", "$.body", "$"),
    },
    fields={
        **labelled("$", "$.metadata", "request:$.metadata"),
        "endpoint": ("$.endpoint", "$.url", "$.path", "$.metadata.endpoint"),
        "request_id": ("answer:$.id", "$.request_id", "$.id"),
        "at": ("$.timestamp", "$.time", "$.created_at", "answer:$.created_at"),
        "given_provider": ("$.provider", "$.metadata.provider"),
        "model": ("answer:$.model", "request:$.model"),
        "type": ("answer:$.type",),
        "fresh": ("answer:$.usage.input_tokens",),
        "cache_read_tokens": ("answer:$.usage.cache_read_input_tokens",),
        "cache_write_tokens": ("answer:$.usage.cache_creation_input_tokens",),
        "cache_write_1h_tokens": ("answer:$.usage.cache_creation.ephemeral_1h_input_tokens",),
        "output_tokens": ("answer:$.usage.output_tokens",),
        "reasoning_tokens": ("answer:$.usage.output_tokens_details.thinking_tokens",),
        "latency_s": ("$.latency_s", "$.duration_s", "$.latency", "$.duration"),
        "latency_ms": ("$.latency_ms", "$.duration_ms"),
        "error": (
            "$.error.message",
            "$.error",
            "answer:$.error.message",
            "$.result.error.error.message",
            "$.result.error",
        ),
        "logged_usd": ("$.cost", "$.cost_usd"),
        "result": ("$.result.type",),
        "tier": ("answer:$.usage.service_tier",),
        "system": ("request:$.system",),
        "messages": ("request:$.messages",),
        "temperature": ("request:$.temperature",),
        "tools": ("request:$.tools",),
    },
    columns={
        "provider": "coalesce({given_provider}, 'anthropic')",
        "input_tokens": "as_count({fresh}) + coalesce(as_count({cache_read_tokens}), 0) "
        "+ coalesce(as_count({cache_write_tokens}), 0)",
        "latency_s": "coalesce(as_number({latency_s}), as_number({latency_ms}) / 1000)",
        "batch": "coalesce({result} IS NOT NULL OR {tier} = 'batch', false)",
        "request_key": "CASE WHEN {messages} IS NOT NULL THEN md5(concat_ws(chr(31), {model}, "
        "{system}, {messages}, {temperature}, {tools})) END",
        "text": "request_text({system}, {messages})",
        "answer": "answer_text({content})",
    },
    texts={"content": ("answer:$.content",)},
    is_request="({fresh} IS NOT NULL AND ({type} = 'message' OR {cache_read_tokens} IS NOT NULL OR "
    "{cache_write_tokens} IS NOT NULL)) OR {error} IS NOT NULL",
)
