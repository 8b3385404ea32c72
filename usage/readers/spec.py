"""A log format as data: where in a JSON record each value stands; and the SQL that follows.

A record is gone through once for each of its documents, not once for each value: that is what
makes JSON slow.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import quoting

Paths = tuple[str, ...]
"""JSON paths, each in a document (``usage:$.input``) or in the record (``$.id``); first found."""


@dataclass(frozen=True, kw_only=True)
class JsonFormat:
    """A format whose records are JSON objects.

    Attributes:
        name: What ``--log-format`` calls it.
        recognise: Whether a record, as Python reads it, is one of this format.
        fields: A name for each value that is read, with the paths to look for it at.
        columns: For columns of ``requests``, an SQL expression with fields in braces. A column that
            is not named here is the field of its own name, where there is one. ``at`` and
            ``latency_s`` are expressions over texts; see `macros`.
        is_request: An SQL condition with fields in braces: whether the record is a request.
        documents: Parts of the record that are looked into on their own: objects, or texts with
            JSON in them. The first of its paths that is there.
        records: SQL that makes one row (``j``, ``line``) a record out of ``{base}``, where a line
            holds many.
        texts: Fields that are read only where texts are kept.
    """

    name: str
    recognise: Callable[[Mapping[str, Any]], bool]
    fields: Mapping[str, Paths]
    columns: Mapping[str, str] = field(default_factory=dict[str, str])
    is_request: str
    documents: Mapping[str, Paths] = field(default_factory=dict[str, Paths])
    records: str | None = None
    texts: Mapping[str, Paths] = field(default_factory=dict[str, Paths])


RAW: tuple[str, ...] = (
    "request_id",
    "at",
    "naive",
    "provider",
    "model",
    "feature",
    "endpoint",
    "prompt",
    "revision",
    "customer",
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "latency_s",
    "error",
    "retry",
    "batch",
    "logged_usd",
    "request_key",
    "prefix_blocks",
    "block_tokens",
    "text",
    "cache_write_1h_tokens",
    "answer",
)
"""The columns that a reader gives, before they are checked: those of ``requests``, and ``naive``
for a time that did not say its zone."""

TEXTS = ("text", "answer")
"""Columns that are kept only where texts are asked for."""

LABELS: Mapping[str, tuple[str, ...]] = {
    "feature": ("feature", "costopt.feature", "feature_name", "use_case"),
    "endpoint": ("endpoint", "route", "costopt.endpoint"),
    "prompt": ("prompt_name", "costopt.prompt", "prompt_id", "template"),
    "revision": ("prompt_revision", "revision", "git_revision", "git_sha", "costopt.revision"),
    "customer": ("customer", "customer_id", "tenant", "user_id", "costopt.customer"),
    "retry": ("retry", "is_retry"),
}
"""Names under which applications put what no provider has a field for."""


def _texts(path: str) -> str:
    """The texts at a path; what is a list or an object there is read at a path of its own."""
    # Of a constant NULL DuckDB does not know that it would be a list: the cast says so.
    found = f"CAST(json_extract(x, '{path}') AS JSON[])"
    kept = f"list_filter({found}, lambda e: json_type(e) = 'VARCHAR')"
    return f"list_transform({kept}, lambda e: json_extract_string(e, '$'))"


_CONTENTS = tuple(
    _texts(path)
    for path in (
        "$[*].content",
        "$[*].content[*].text",
        "$[*].text",
        "$[*].parts[*].content",
        "$.messages[*].content",
    )
)


def macros() -> tuple[str, ...]:
    """Return the SQL functions that expressions of a format may use.

    ``as_count`` and ``as_number`` of a text; ``as_time`` of an ISO 8601 text or of an epoch in
    seconds, milliseconds, microseconds or nanoseconds, told by its size; ``is_naive`` whether a
    text is a time without a zone; ``part`` a text out of JSON that may be broken.
    """
    epoch = (
        "make_timestamp(CAST(x * CASE WHEN abs(x) < 1e11 THEN 1e6 WHEN abs(x) < 1e14 THEN 1e3 "
        "WHEN abs(x) < 1e17 THEN 1 ELSE 1e-3 END AS BIGINT))"
    )
    return (
        "CREATE OR REPLACE MACRO as_number(x) AS TRY_CAST(x AS DOUBLE)",
        "CREATE OR REPLACE MACRO as_count(x) AS TRY_CAST(x AS BIGINT)",
        f"CREATE OR REPLACE MACRO from_epoch(x) AS CASE WHEN abs(x) < 9e18 THEN {epoch} END",
        "CREATE OR REPLACE MACRO as_time(x) AS CASE WHEN TRY_CAST(x AS DOUBLE) IS NOT NULL "
        "THEN from_epoch(TRY_CAST(x AS DOUBLE)) "
        "ELSE TRY_CAST(TRY_CAST(x AS TIMESTAMPTZ) AS TIMESTAMP) END",
        "CREATE OR REPLACE MACRO is_naive(x) AS TRY_CAST(x AS DOUBLE) IS NULL AND NOT "
        r"regexp_matches(x, ':\d\d(\.\d+)?\s*(Z|z|UTC|[+-]\d\d(:?\d\d)?)$')",
        "CREATE OR REPLACE MACRO part(x, path) AS "
        "CASE WHEN json_valid(x) THEN json_extract_string(x, path) END",
        # Contents are texts, or lists of parts with a text each; a text alone is one message.
        "CREATE OR REPLACE MACRO contents(x) AS CASE WHEN json_valid(x) THEN array_to_string("
        f"list_concat({', '.join(_CONTENTS)}), chr(10)) ELSE x END",
        # What has no contents is a text that happens to be JSON.
        "CREATE OR REPLACE MACRO answer_text(x) AS coalesce(nullif(contents(x), ''), x)",
        "CREATE OR REPLACE MACRO request_text(system, messages) AS CASE WHEN messages IS NOT NULL "
        "THEN concat_ws(chr(10), contents(system), contents(messages)) END",
    )


def labelled(*documents: str) -> dict[str, Paths]:
    """Return where `LABELS` may stand: under any of their names in any of the documents."""
    return {
        label: tuple(
            f'{document}$."{name}"' if document.endswith(":") else f'{document}."{name}"'
            for document in documents
            for name in names
        )
        for label, names in LABELS.items()
    }


def raw_select(format: JsonFormat, base: str, *, text: bool) -> str:
    """Return SQL that reads `RAW` with ``line`` and ``is_request`` out of JSON records.

    Args:
        format: Where things stand.
        base: A relation in SQL with ``j`` (the record as text; NULL where it is no JSON) and
            ``line``.
        text: Whether to read the texts of requests and answers.
    """
    if format.records is not None:
        base = format.records.format(base=base)
    found = _Places(format, {**format.fields, **(format.texts if text else {})})
    columns = ", ".join(
        f"{_column(format, name, found, text)} AS {quoting.name(name)}" for name in RAW
    )
    request = found.filled(format.is_request)
    inner = f"SELECT j, line, {found.documents()} FROM ({base})"
    middle = f"SELECT line, j IS NOT NULL AS valid, {found.lists()} FROM ({inner})"
    return (
        f"SELECT {columns}, line, valid, coalesce({request}, false) AS is_request FROM ({middle})"
    )


def _column(format: JsonFormat, name: str, found: "_Places", text: bool) -> str:
    if name in TEXTS and not text:
        return "NULL"
    if name == "naive":
        return found.filled("is_naive({at})")
    if name in format.columns:
        return found.filled(format.columns[name])
    if name not in format.fields and name not in format.texts:
        return "NULL"
    return found.filled("as_time({at})" if name == "at" else f"{{{name}}}")


class _Places:
    """Where the fields of a format end up in SQL: as places in one list for each document."""

    def __init__(self, format: JsonFormat, fields: Mapping[str, Paths]) -> None:
        self._format = format
        self._paths: dict[str, list[str]] = {"": []}
        self._fields: dict[str, str] = {}
        for name, paths in fields.items():
            places = [self._place(path) for path in paths]
            self._fields[name] = f"coalesce({', '.join(places)})" if len(places) > 1 else places[0]
        for name in format.documents:
            self._paths.setdefault(name, [])

    def _place(self, path: str) -> str:
        document, colon, inside = path.partition(":$")
        document, inside = (document, f"${inside}") if colon else ("", path)
        paths = self._paths.setdefault(document, [])
        if inside not in paths:
            paths.append(inside)
        return f"v_{document}[{paths.index(inside) + 1}]"

    def filled(self, expression: str) -> str:
        """Return an expression with its fields in place."""
        return expression.format(**self._fields)

    def documents(self) -> str:
        """Return the select list that cuts the documents out of the record."""
        cut = [f"{_first(paths)} AS d_{name}" for name, paths in self._format.documents.items()]
        return ", ".join(cut) or "NULL AS nothing"

    def lists(self) -> str:
        """Return the select list that reads all paths of each document at once."""
        return ", ".join(
            f"{_read('j' if not name else f'd_{name}', paths)} AS v_{name}"
            for name, paths in self._paths.items()
        )


def _first(paths: Paths) -> str:
    """The first document that is there; a text that is no JSON is none."""
    cuts = [
        f"json_extract_string(j, {quoting.text(path)})" if path != "$" else "j" for path in paths
    ]
    return f"coalesce({', '.join(cuts)}, NULL)"


def _read(document: str, paths: list[str]) -> str:
    if not paths:
        return "NULL"
    listed = ", ".join(quoting.text(path) for path in paths)
    read = f"json_extract_string({document}, [{listed}])"
    return read if document == "j" else f"CASE WHEN json_valid({document}) THEN {read} END"
