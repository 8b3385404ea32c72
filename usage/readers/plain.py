"""A log of one's own: CSV, JSON lines or Parquet with a column for each value.

Which column is what stands under ``[usage.columns]`` in the configuration; what does not stand
there is looked for under common names.
"""

from collections.abc import Mapping, Sequence

from ...core.errors import CostoptError, nearest
from .. import quoting
from .spec import RAW, TEXTS, JsonFormat

NAME = "plain"
LINE = '"costopt:line"'
"""The number of a table's row, as SQL: a table may have a column ``line`` of its own."""

ALIASES: Mapping[str, tuple[str, ...]] = {
    "timestamp": ("timestamp", "at", "time", "ts", "created_at", "created", "date", "datetime"),
    "request_id": ("request_id", "id", "response_id", "completion_id"),
    "provider": ("provider", "system", "vendor"),
    "model": ("model", "model_name", "response_model", "request_model"),
    "feature": ("feature", "feature_name", "use_case", "workload"),
    "endpoint": ("endpoint", "route", "path"),
    "prompt": ("prompt", "prompt_name", "template", "prompt_id"),
    "revision": ("revision", "prompt_revision", "git_revision", "git_sha"),
    "customer": ("customer", "customer_id", "tenant", "user", "user_id"),
    "input_tokens": ("input_tokens", "prompt_tokens", "contexttokens", "input_length", "tokens_in"),
    "cache_read_tokens": ("cache_read_tokens", "cached_tokens", "cache_read_input_tokens"),
    "cache_write_tokens": ("cache_write_tokens", "cache_creation_input_tokens"),
    "output_tokens": (
        "output_tokens",
        "completion_tokens",
        "generatedtokens",
        "output_length",
        "tokens_out",
    ),
    "reasoning_tokens": ("reasoning_tokens",),
    "latency_s": ("latency_s", "latency", "duration_s", "seconds"),
    "latency_ms": ("latency_ms", "duration_ms"),
    "error": ("error", "error_type", "exception"),
    "status": ("status", "status_code"),
    "retry": ("retry", "is_retry"),
    "batch": ("batch", "is_batch"),
    "cost": ("cost", "cost_usd", "usd", "logged_usd", "spend"),
    "request_key": ("request_key", "cache_key"),
    "prefix_blocks": ("prefix_blocks", "hash_ids"),
    "block_tokens": ("block_tokens",),
    "text": ("text", "request_text", "input_text"),
    "cache_write_1h_tokens": ("cache_write_1h_tokens", "ephemeral_1h_input_tokens"),
    "answer": ("answer", "answer_text", "response_text", "output_text"),
}
"""What may be mapped, with the names that are looked for, in small letters."""

_LIKE = ("input_tokens", "output_tokens", "model")
_TIMES = ("TIMESTAMP", "DATE")
_NUMBERS = ("INT", "DOUBLE", "FLOAT", "DECIMAL")


def chosen(found: Sequence[str], mapping: Mapping[str, str], where: str) -> dict[str, str]:
    """Return which column of a log holds what.

    Args:
        found: The log's columns.
        mapping: ``[usage.columns]``.
        where: The log, for errors.

    Raises:
        CostoptError: a column that is mapped is not there.

    Example:
        >>> chosen(["ts", "Model", "prompt_tokens", "n"], {"output_tokens": "n"}, "a.csv")
        {'timestamp': 'ts', 'model': 'Model', 'input_tokens': 'prompt_tokens', 'output_tokens': 'n'}
    """
    for name, column in mapping.items():
        if column not in found:
            raise CostoptError(
                f'{where} has no column "{column}", which [usage.columns] names for {name}',
                hint=nearest(column, found),
            )
    small = {column.lower(): column for column in reversed(found)}
    columns: dict[str, str] = {}
    for name, aliases in ALIASES.items():
        known = [small[alias] for alias in aliases if alias in small]
        if name in mapping or known:
            columns[name] = mapping.get(name) or known[0]
    return columns


def looks_like(columns: Mapping[str, str]) -> bool:
    """Say whether these are a log of requests: tokens, or at least which model."""
    return any(name in columns for name in _LIKE)


def json_format(mapping: Mapping[str, str]) -> JsonFormat:
    """Return the format of JSON lines with these keys; a mapped ``$.a.b`` is a JSON path."""
    fields = {
        name: tuple(
            dict.fromkeys(_path(key) for key in ([mapping[name]] if name in mapping else keys))
        )
        for name, keys in ALIASES.items()
    }
    kept = {name: f"{{{name}}}" for name in ALIASES}
    fields["at"] = fields.pop("timestamp")
    return JsonFormat(
        name=NAME,
        recognise=lambda record: bool(record),
        fields=fields,
        columns={
            "latency_s": _latency(kept),
            "error": _error(kept),
            "logged_usd": "{cost}",
            "prefix_blocks": _blocks("{prefix_blocks}", ""),
        },
        is_request=" OR ".join(f"{{{name}}} IS NOT NULL" for name in (*_LIKE, "error")),
    )


def _path(key: str) -> str:
    return key if key.startswith("$.") else '$."' + key.replace('"', "") + '"'


def raw_select(
    columns: Mapping[str, str], types: Mapping[str, str], base: str, *, text: bool
) -> str:
    """Return SQL that reads `RAW` out of a relation with one column for each value.

    Args:
        columns: What stands in which column.
        types: The columns' types, as DuckDB names them.
        base: A relation in SQL with these columns and `LINE`.
        text: Whether to read the texts of requests and answers.
    """
    kept = {name: quoting.name(column) for name, column in columns.items()}
    for unwanted in () if text else TEXTS:
        kept.pop(unwanted, None)
    kind = {name: types.get(column, "VARCHAR") for name, column in columns.items()}
    at, naive = _time(kept.get("timestamp"), kind.get("timestamp", ""))
    special = {
        "at": at,
        "naive": naive,
        "latency_s": _latency(kept),
        "error": _error(kept),
        "logged_usd": kept.get("cost", "NULL"),
        "prefix_blocks": _blocks(kept.get("prefix_blocks"), kind.get("prefix_blocks", "")),
    }
    selected = ", ".join(f'{special.get(name, kept.get(name, "NULL"))} AS "{name}"' for name in RAW)
    given = [kept[name] for name in (*_LIKE, "error") if name in kept]
    request = " OR ".join(f"{one} IS NOT NULL" for one in given) or "false"
    return (
        f"SELECT {selected}, {LINE} AS line, true AS valid, {request} AS is_request FROM ({base})"
    )


def _time(column: str | None, kind: str) -> tuple[str, str]:
    """The time in UTC, and whether its zone had to be assumed."""
    if column is None:
        return "NULL", "false"
    if "WITH TIME ZONE" in kind:
        return f"CAST({column} AS TIMESTAMP)", "false"
    if kind.startswith(_TIMES):
        return f"CAST({column} AS TIMESTAMP)", "true"
    if any(number in kind for number in _NUMBERS):
        return f"from_epoch(CAST({column} AS DOUBLE))", "false"
    return f"as_time({column})", f"is_naive({column})"


def _latency(kept: Mapping[str, str]) -> str:
    seconds = [f"as_number({kept['latency_s']})"] if "latency_s" in kept else []
    if "latency_ms" in kept:
        seconds.append(f"as_number({kept['latency_ms']}) / 1000")
    return f"coalesce({', '.join(seconds)}, NULL)" if seconds else "NULL"


def _error(kept: Mapping[str, str]) -> str:
    """What went wrong; a word or a number that says that nothing did is no error."""
    given = [f"nullif(CAST({kept['error']} AS VARCHAR), '')"] if "error" in kept else []
    if "status" in kept:
        status = f"CAST({kept['status']} AS VARCHAR)"
        fine = "'ok', 'success', 'succeeded', 'completed', ''"
        given.append(
            f"CASE WHEN lower({status}) NOT IN ({fine}) "
            f"AND NOT regexp_matches({status}, '^2\\d\\d$') THEN 'status ' || {status} END"
        )
    if not given:
        return "NULL"
    found = f"coalesce({', '.join(given)}, NULL)"
    return f"CASE WHEN lower({found}) NOT IN ('false', '0', 'none', 'null') THEN {found} END"


def _blocks(column: str | None, kind: str) -> str:
    if column is None:
        return "NULL"
    if kind.endswith("[]"):
        return f"TRY_CAST({column} AS UBIGINT[])"
    return f"TRY_CAST(CAST({column} AS VARCHAR) AS UBIGINT[])"
