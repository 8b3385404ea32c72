"""OpenAI-style responses: ``chat.completion`` and ``response`` objects with their ``usage``.

A line is the response itself, or holds it under ``response`` (a batch's output: under
``response.body``); the request may stand beside it under ``request``, ``body`` or ``input``.
Labels are read from the line, its ``metadata``, and the metadata of request and response.
"""

from collections.abc import Mapping
from typing import Any

from .spec import JsonFormat, labelled


def _recognise(record: Mapping[str, Any]) -> bool:
    usage = _usage(record)
    return "prompt_tokens" in usage or "input_tokens" in usage


def _usage(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """The usage of a response, wherever in the record it stands."""
    inner = record.get("response")
    body = inner.get("body") if isinstance(inner, dict) else None
    for place in (record, inner, body):
        usage = place.get("usage") if isinstance(place, dict) else None
        if isinstance(usage, dict):
            return usage
    return {}


FORMAT = JsonFormat(
    name="openai",
    recognise=_recognise,
    documents={
        "answer": ("$.response.body", "$.response", "$"),
        "request": ("$.request.body", "$.request", "$.body", "$"),
    },
    fields={
        **labelled("$", "$.metadata", "request:$.metadata", "answer:$.metadata"),
        "customer": (
            *labelled("$", "$.metadata", "request:$.metadata")["customer"],
            "request:$.safety_identifier",
            "request:$.user",
        ),
        "endpoint": ("$.endpoint", "$.url", "$.path", "$.metadata.endpoint"),
        "request_id": ("answer:$.id", "$.response.request_id", "$.request_id", "$.id"),
        "at": (
            "$.timestamp",
            "$.time",
            "$.created_at",
            "answer:$.created_at",
            "answer:$.created",
        ),
        "provider": ("$.provider", "$.metadata.provider"),
        "model": ("answer:$.model", "request:$.model"),
        "input_tokens": ("answer:$.usage.prompt_tokens", "answer:$.usage.input_tokens"),
        "cache_read_tokens": (
            "answer:$.usage.prompt_tokens_details.cached_tokens",
            "answer:$.usage.input_tokens_details.cached_tokens",
        ),
        "cache_write_tokens": (
            "answer:$.usage.prompt_tokens_details.cache_write_tokens",
            "answer:$.usage.input_tokens_details.cache_write_tokens",
        ),
        "output_tokens": ("answer:$.usage.completion_tokens", "answer:$.usage.output_tokens"),
        "reasoning_tokens": (
            "answer:$.usage.completion_tokens_details.reasoning_tokens",
            "answer:$.usage.output_tokens_details.reasoning_tokens",
        ),
        "latency_s": ("$.latency_s", "$.duration_s", "$.latency", "$.duration"),
        "latency_ms": ("$.latency_ms", "$.duration_ms"),
        "error": ("$.error.message", "$.error", "answer:$.error.message", "answer:$.error"),
        "logged_usd": ("$.cost", "$.cost_usd", "answer:$.usage.cost"),
        "custom_id": ("$.custom_id",),
        "foreign": (
            "answer:$.usage.cache_read_input_tokens",
            "answer:$.usage.cache_creation_input_tokens",
        ),
        "type": ("answer:$.type",),
        "tier": ("answer:$.service_tier", "request:$.service_tier"),
        "messages": ("request:$.messages", "request:$.input"),
        "temperature": ("request:$.temperature",),
        "tools": ("request:$.tools",),
        "instructions": ("request:$.instructions",),
    },
    columns={
        "latency_s": "coalesce(as_number({latency_s}), as_number({latency_ms}) / 1000)",
        "batch": "coalesce({custom_id} IS NOT NULL OR {tier} = 'batch', false)",
        "request_key": "CASE WHEN {messages} IS NOT NULL THEN md5(concat_ws(chr(31), {model}, "
        "{instructions}, {messages}, {temperature}, {tools})) END",
        "text": "request_text({instructions}, {messages})",
        "answer": "coalesce({said}, answer_text({items}))",
    },
    texts={
        "said": ("answer:$.choices[0].message.content", "answer:$.output_text"),
        "items": ("answer:$.output",),
    },
    # Anthropic's counts have other meanings under some of the same names.
    is_request="({input_tokens} IS NOT NULL OR {output_tokens} IS NOT NULL OR {error} IS NOT NULL) "
    "AND {foreign} IS NULL AND {type} IS DISTINCT FROM 'message'",
)
