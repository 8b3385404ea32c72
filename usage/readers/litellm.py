"""LiteLLM: its proxy's spend logs, and the standard payload that its callbacks log.

``prompt_tokens`` holds the cached ones. The metadata is an object, or a text with one in it (as the
proxy's database exports it).
"""

from collections.abc import Mapping
from typing import Any

from .spec import JsonFormat, labelled

_MARKS = ("spend", "response_cost", "call_type", "model_group", "custom_llm_provider")


def _recognise(record: Mapping[str, Any]) -> bool:
    record = _payload(record)
    marks = sum(mark in record for mark in _MARKS)
    return marks >= 2 and ("startTime" in record or "prompt_tokens" in record)


def _payload(record: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = record.get("standard_logging_object")
    return inner if isinstance(inner, dict) else record


FORMAT = JsonFormat(
    name="litellm",
    recognise=_recognise,
    documents={
        "it": ("$.standard_logging_object", "$"),
        "meta": ("$.standard_logging_object.metadata", "$.metadata"),
        "settings": (
            "$.standard_logging_object.model_parameters",
            "$.model_parameters",
        ),
    },
    fields={
        **labelled(
            "it:$",
            "meta:",
            "meta:$.requester_metadata",
            "meta:$.spend_logs_metadata",
        ),
        "customer": (
            "it:$.end_user",
            "meta:$.user_api_key_end_user_id",
            *labelled("meta:", "meta:$.requester_metadata")["customer"],
            "it:$.user",
        ),
        "endpoint": ("meta:$.user_api_key_request_route", "it:$.call_type"),
        "request_id": ("it:$.request_id", "it:$.id"),
        "at": ("it:$.startTime", "it:$.start_time"),
        "end": ("it:$.endTime", "it:$.end_time"),
        "seconds": ("it:$.response_time",),
        "milliseconds": ("it:$.request_duration_ms",),
        "provider": ("it:$.custom_llm_provider",),
        "model": ("it:$.model",),
        "input_tokens": ("it:$.prompt_tokens",),
        "output_tokens": ("it:$.completion_tokens",),
        "cache_read_tokens": (
            "meta:$.usage_object.prompt_tokens_details.cached_tokens",
            "meta:$.usage_object.cache_read_input_tokens",
            "meta:$.additional_usage_values.cache_read_input_tokens",
            "meta:$.additional_usage_values.prompt_tokens_details.cached_tokens",
        ),
        "cache_write_tokens": (
            "meta:$.usage_object.cache_creation_input_tokens",
            "meta:$.usage_object.prompt_tokens_details.cache_creation_tokens",
            "meta:$.additional_usage_values.cache_creation_input_tokens",
        ),
        "cache_write_1h_tokens": (
            "meta:$.usage_object.cache_creation.ephemeral_1h_input_tokens",
            "meta:$.usage_object.prompt_tokens_details.cache_creation_token_details"
            ".ephemeral_1h_input_tokens",
            "meta:$.additional_usage_values.prompt_tokens_details.cache_creation_token_details"
            ".ephemeral_1h_input_tokens",
        ),
        "reasoning_tokens": (
            "meta:$.usage_object.completion_tokens_details.reasoning_tokens",
            "meta:$.additional_usage_values.completion_tokens_details.reasoning_tokens",
        ),
        "status": ("it:$.status", "meta:$.status"),
        "message": (
            "it:$.error_str",
            "it:$.error_information.error_message",
            "meta:$.error_information.error_message",
        ),
        "logged_usd": ("it:$.response_cost", "it:$.spend"),
        "messages": ("it:$.messages", "it:$.proxy_server_request.messages"),
        "temperature": ("settings:$.temperature",),
        "tools": ("settings:$.tools",),
    },
    columns={
        "latency_s": "coalesce(epoch(as_time({end})) - epoch(as_time({at})), "
        "as_number({milliseconds}) / 1000, as_number({seconds}))",
        "error": "CASE WHEN {status} = 'failure' THEN coalesce({message}, 'failure') END",
        "batch": "coalesce({endpoint} LIKE '%batch%', false)",
        "request_key": "CASE WHEN length({messages}) > 2 THEN md5(concat_ws(chr(31), {model}, "
        "{messages}, {temperature}, {tools})) END",
        "text": "request_text(NULL, {messages})",
    },
    texts={
        "answer": (
            "it:$.response.choices[0].message.content",
            "it:$.response.content[0].text",
        )
    },
    is_request="({model} IS NOT NULL AND ({at} IS NOT NULL OR {input_tokens} IS NOT NULL)) "
    "AND ({logged_usd} IS NOT NULL OR {provider} IS NOT NULL OR {endpoint} IS NOT NULL)",
)
