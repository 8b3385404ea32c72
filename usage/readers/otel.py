"""OpenTelemetry: spans of generative AI clients, as OTLP JSON (``resourceSpans``), a batch a line.

The semantic conventions have renamed their attributes: both names are read. ``input_tokens`` is
inclusive there. Spans of agents and tools are not requests: the spans of the models that they call
are.
"""

from collections.abc import Mapping
from typing import Any

from .spec import LABELS, JsonFormat


def _recognise(record: Mapping[str, Any]) -> bool:
    return "resourceSpans" in record or "resource_spans" in record


def _value(*names: str) -> str:
    """The first attribute of any of these names."""
    found = [f"vals[list_position(keys, '{name}')]" for name in names]
    return f"coalesce({', '.join(found)}, NULL)"


_ANY = (
    '{"stringValue":"VARCHAR","intValue":"VARCHAR","doubleValue":"VARCHAR","boolValue":"VARCHAR",'
    '"arrayValue":"JSON"}'
)
_ATTRIBUTES = f'[{{"key":"VARCHAR","value":{_ANY}}}]'
_PLAIN = (
    "coalesce(p.value.stringValue, p.value.intValue, p.value.doubleValue, p.value.boolValue, "
    "CAST(p.value.arrayValue AS VARCHAR))"
)


def _listed(path: str) -> str:
    return f"coalesce(from_json(json_extract(s, '{path}'), '{_ATTRIBUTES}'), [])"


_ATTRIBUTE_FIELDS: Mapping[str, tuple[str, ...]] = {
    "operation": ("gen_ai.operation.name",),
    "request_id": ("gen_ai.response.id",),
    "provider": ("gen_ai.provider.name", "gen_ai.system"),
    "model": ("gen_ai.response.model", "gen_ai.request.model"),
    "input_tokens": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
    "output_tokens": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
    "cache_read_tokens": (
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "gen_ai.usage.input_tokens.cached",
        "gen_ai.usage.details.cache_read_tokens",
    ),
    "cache_write_tokens": (
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "gen_ai.usage.details.cache_write_tokens",
    ),
    "reasoning_tokens": (
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.usage.reasoning_tokens",
        "gen_ai.usage.details.reasoning_tokens",
    ),
    "error_type": ("error.type",),
    "logged_usd": ("gen_ai.usage.cost", "operation.cost"),
    "tier": ("gen_ai.openai.response.service_tier", "openai.response.service_tier"),
    "messages": ("gen_ai.input.messages", "gen_ai.prompt"),
    "said": ("gen_ai.output.messages", "gen_ai.completion"),
    "system": ("gen_ai.system_instructions",),
    "temperature": ("gen_ai.request.temperature",),
    "tools": ("gen_ai.tool.definitions",),
    "feature": (*LABELS["feature"], "gen_ai.workflow.name", "gen_ai.agent.name", "service.name"),
    "endpoint": (*LABELS["endpoint"], "http.route", "url.path"),
    "prompt": ("gen_ai.prompt.name", *LABELS["prompt"]),
    "revision": (*LABELS["revision"], "vcs.ref.head.revision"),
    "customer": (*LABELS["customer"], "enduser.id", "user.id"),
    "retry": LABELS["retry"],
}

# A line holds many spans, under resources that say which service they are from. They become rows
# with the attributes as one flat object each. A line without any stays one row: it is no request.
_RECORDS = (
    "SELECT line, CASE WHEN s IS NOT NULL THEN to_json({{"
    + ", ".join(f"'{name}': {_value(*names)}" for name, names in _ATTRIBUTE_FIELDS.items())
    + ", 'span': json_extract_string(s, '$.spanId')"
    + ", 'start': json_extract_string(s, '$.startTimeUnixNano')"
    + ", 'end': json_extract_string(s, '$.endTimeUnixNano')"
    + ", 'state': json_extract_string(s, '$.status.code')"
    + ", 'message': json_extract_string(s, '$.status.message')"
    + "}})::VARCHAR WHEN j IS NOT NULL THEN '{{}}' END AS j FROM ("
    + "SELECT line, j, s, list_transform(a, lambda x: x.key) AS keys, "
    + f"list_transform(a, lambda p: {_PLAIN}) AS vals FROM ("
    + f"SELECT line, j, s, list_concat({_listed('$.attributes')}, "
    + f"coalesce(from_json(json_extract(r, '$.resource.attributes'), '{_ATTRIBUTES}'), [])) AS a "
    + "FROM (SELECT line, j, r, unnest(CASE WHEN len(spans) > 0 THEN spans ELSE [NULL] END) AS s "
    + "FROM (SELECT line, j, r, list_concat(json_extract(r, '$.scopeSpans[*].spans[*]'), "
    + "json_extract(r, '$.instrumentationLibrarySpans[*].spans[*]')) AS spans "
    + "FROM (SELECT line, j, unnest(CASE WHEN len(rs) > 0 THEN rs ELSE [NULL] END) AS r "
    + "FROM (SELECT line, j, json_extract(j, '$.resourceSpans[*]') AS rs FROM ({base})))))))"
).replace(_ATTRIBUTES, _ATTRIBUTES.replace("{", "{{").replace("}", "}}"))

FORMAT = JsonFormat(
    name="otel",
    recognise=_recognise,
    records=_RECORDS,
    fields={
        **{name: (f"$.{name}",) for name in _ATTRIBUTE_FIELDS},
        "request_id": ("$.request_id", "$.span"),
        "at": ("$.start",),
        "end": ("$.end",),
        "state": ("$.state",),
        "message": ("$.message",),
    },
    columns={
        "latency_s": "(as_number({end}) - as_number({at})) / 1e9",
        "error": "CASE WHEN {state} IN ('2', 'STATUS_CODE_ERROR') OR {error_type} IS NOT NULL "
        "THEN coalesce({error_type}, {message}, 'error') END",
        "batch": "coalesce({tier} = 'batch', false)",
        "request_key": "CASE WHEN {messages} IS NOT NULL THEN md5(concat_ws(chr(31), {model}, "
        "{system}, {messages}, {temperature}, {tools})) END",
        "text": "request_text({system}, {messages})",
        "answer": "answer_text({said})",
    },
    is_request="coalesce({operation}, 'chat') NOT IN ('execute_tool', 'invoke_agent', "
    "'create_agent', 'invoke_workflow') AND "
    "({model} IS NOT NULL OR {input_tokens} IS NOT NULL)",
)
