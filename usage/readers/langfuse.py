"""Langfuse: observations as its API, its blob storage and its table exports write them.

Only generations and embeddings are requests; spans and events are not. Usage types are exclusive of
one another, so all types with "input" in their name add up to the input, and the same for
"output", as Langfuse itself shows them.
"""

from collections.abc import Mapping
from typing import Any

from .spec import JsonFormat, labelled


def _recognise(record: Mapping[str, Any]) -> bool:
    usage = {"usageDetails", "usage_details", "usage", "promptTokens", "inputUsage"} & record.keys()
    trace = {"traceId", "trace_id", "Trace ID"} & record.keys()
    kind = str(record.get("type", "")).upper()
    return bool(trace) and bool(usage or kind in ("GENERATION", "SPAN", "EVENT", "EMBEDDING"))


def _all(word: str) -> str:
    """All usage types with a word in their name; NULL without any."""
    entries = "map_entries(TRY_CAST(TRY_CAST({usage} AS JSON) AS MAP(VARCHAR, DOUBLE)))"
    kept = f"list_filter({entries}, lambda e: contains(lower(e.key), '{word}'))"
    return f"CAST(list_sum(list_transform({kept}, lambda e: e.value)) AS BIGINT)"


FORMAT = JsonFormat(
    name="langfuse",
    recognise=_recognise,
    documents={
        "usage": ("$.usageDetails", "$.usage_details", "$.usage"),
        "cost": ("$.costDetails", "$.cost_details"),
        "meta": ("$.metadata",),
        "settings": ("$.modelParameters", "$.model_parameters"),
    },
    fields={
        **labelled("$", "meta:", "meta:$.attributes"),
        "feature": (*labelled("meta:")["feature"], "$.traceName", "$.trace_name"),
        "customer": (*labelled("$", "meta:")["customer"], "$.userId"),
        "endpoint": ("meta:$.endpoint", "$.name"),
        "prompt": ("$.promptName", "$.prompt_name", *labelled("meta:")["prompt"]),
        "request_id": ("$.id",),
        "at": ("$.startTime", "$.start_time"),
        "end": ("$.endTime", "$.end_time"),
        "kind": ("$.type",),
        "provider": ("meta:$.provider", "meta:$.ls_provider"),
        "model": ("$.model", "$.providedModelName", "$.provided_model_name"),
        "usage": ("$.usageDetails", "$.usage_details"),
        "old_input": ("usage:$.input", "usage:$.promptTokens", "$.promptTokens"),
        "old_output": ("usage:$.output", "usage:$.completionTokens", "$.completionTokens"),
        "cache_read_tokens": (
            "usage:$.cache_read_input_tokens",
            "usage:$.input_cached_tokens",
            "usage:$.input_cache_read",
            "usage:$.cache_read_tokens",
        ),
        "cache_write_tokens": (
            "usage:$.cache_creation_input_tokens",
            "usage:$.input_cache_creation",
            "usage:$.input_cache_write",
        ),
        "reasoning_tokens": (
            "usage:$.output_reasoning_tokens",
            "usage:$.output_reasoning",
            "usage:$.reasoning_tokens",
        ),
        "seconds": ("$.latency",),
        "level": ("$.level",),
        "message": ("$.statusMessage", "$.status_message"),
        "logged_usd": ("cost:$.total", "$.calculatedTotalCost", "$.totalCost", "$.total_cost"),
        "messages": ("$.input",),
        "settings": ("$.modelParameters", "$.model_parameters"),
    },
    columns={
        "input_tokens": f"coalesce({_all('input')}, as_count({{old_input}}))",
        "output_tokens": f"coalesce({_all('output')}, as_count({{old_output}}))",
        "latency_s": "coalesce(epoch(as_time({end})) - epoch(as_time({at})), as_number({seconds}))",
        "error": "CASE WHEN {level} = 'ERROR' THEN coalesce({message}, 'ERROR') END",
        "request_key": "CASE WHEN {messages} IS NOT NULL THEN md5(concat_ws(chr(31), {model}, "
        "{messages}, {settings})) END",
        "text": "request_text(NULL, {messages})",
        "answer": "coalesce(part({output}, '$.content'), answer_text({output}))",
    },
    texts={"output": ("$.output",)},
    is_request="upper({kind}) IN ('GENERATION', 'EMBEDDING') OR "
    "({kind} IS NULL AND {model} IS NOT NULL)",
)
