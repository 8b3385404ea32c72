"""The report as JSON, ``costopt.report/1``: what scripts rely on and every other output reads."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any, cast

from ..core.errors import CostoptError
from ..core.report import (
    SCHEMA,
    PriceInfo,
    PromptReport,
    Recommendation,
    Report,
    Spent,
    TargetInfo,
    Tokens,
    VariantReport,
)
from ..core.types import Message
from .decode import REPORT_HINT, decode
from .safe import inert

_ORDER: Mapping[type, tuple[str, ...]] = {
    PriceInfo: (
        "input",
        "cache_read",
        "cache_write",
        "output",
        "as_of",
        "source",
        "usd_per_hour",
    ),
    Tokens: (
        "template",
        "input_mean",
        "cache_read_mean",
        "cache_write_mean",
        "output_mean",
        "reasoning_mean",
        "tokenizer",
        "exact",
    ),
    VariantReport: (
        "target",
        "name",
        "strategies",
        "messages",
        "settings",
        "dropped",
        "tokens",
        "cost",
        "latency",
        "quality",
        "delta",
        "verdict",
        "samples_needed",
        "pareto",
        "rejected",
        "control",
        "notes",
        "runtime",
        "prefix",
        "confirmed",
        "harm_seen",
        "slices",
    ),
}
"""Keys in the contract's order, where a dataclass has another one."""

_WHERE_SET: Mapping[type, frozenset[str]] = {
    PriceInfo: frozenset({"usd_per_hour"}),
    Spent: frozenset({"forecast", "judge"}),
    TargetInfo: frozenset({"cache", "repriced_from"}),
    VariantReport: frozenset({"prefix", "confirmed", "harm_seen", "slices"}),
    Recommendation: frozenset({"payback"}),
    PromptReport: frozenset(
        {
            "across",
            "suggestions",
            "attribution",
            "cache_hit_rate",
            "output_tokens_per_call",
            "batch",
            "noise",
            "judge",
        }
    ),
}
"""Keys beside the contract's, which are there only where they say something."""


def to_json(report: Report) -> str:
    """Return the report as indented JSON with the contract's keys, in its order.

    Money is written as JSON numbers, rounded to what a double carries; unknown is ``null``.

    Raises:
        ValueError: a number is not finite, which is a bug where it was made.
    """
    return dumped(report_data(report))


def dumped(data: Mapping[str, Any]) -> str:
    """Return an object as indented JSON that no terminal and no log obeys."""
    return inert(json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)) + "\n"


def report_data(report: Report) -> dict[str, Any]:
    """Return the report as an object of JSON, schema first."""
    return {"schema": SCHEMA, **_object(report)}


def from_json(text: str) -> Report:
    """Read what `to_json` wrote; keys that a later version added are left out.

    Raises:
        CostoptError: not JSON, another schema, a missing key or a value of a wrong type.
    """
    data = load_object(text, SCHEMA, what="a report", hint=REPORT_HINT)
    read_texts(data)
    return decode(Report, data, "")


def load_object(text: str, schema: str, *, what: str, hint: str) -> dict[str, Any]:
    """Read an object of JSON that names a schema; numbers with a point are Decimal.

    Raises:
        CostoptError: not JSON, or another schema.
    """
    try:
        data = json.loads(text, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise CostoptError(f"not {what}: broken JSON ({error})", hint=hint) from None
    found = data.get("schema") if isinstance(data, dict) else None
    if found != schema:
        raise CostoptError(f"not {what} of schema {schema}: found {found!r:.60}", hint=hint)
    return cast("dict[str, Any]", data)


def read_texts(data: Mapping[str, Any]) -> None:
    """Turn ``text`` of a report's variants, in place, into the message that it stands for."""
    for prompt in _dicts(data, "prompts"):
        for variant in _dicts(prompt, "variants"):
            _read_text(variant)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")


def _dicts(data: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    items = data.get(key)
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _read_text(variant: dict[str, Any]) -> None:
    if ("text" in variant) == ("messages" in variant):
        raise CostoptError('not a report: a variant has exactly one of "text" and "messages"')
    variant["chat"] = "messages" in variant
    if "text" in variant:
        variant["messages"] = [{"role": "user", "content": variant["text"]}]


def _object(value: object) -> dict[str, Any]:
    names = _ORDER.get(type(value)) or tuple(item.name for item in fields(cast(Any, value)))
    silent = _WHERE_SET.get(type(value), frozenset())
    found = {name: getattr(value, name) for name in names}
    data = {name: as_data(one) for name, one in found.items() if name not in silent or _says(one)}
    if isinstance(value, VariantReport) and _is_text(value):
        content = value.messages[0].content
        return {
            "text" if name == "messages" else name: content if name == "messages" else found
            for name, found in data.items()
        }
    return data


def _says(value: object) -> bool:
    """Whether a value says something; 0 does."""
    return not (value is None or value is False or value == ())


def _is_text(variant: VariantReport) -> bool:
    only: tuple[Message, ...] = variant.messages
    return not variant.chat and len(only) == 1 and only[0].role == "user"


def as_data(value: object) -> Any:  # noqa: ANN401 (JSON)
    """Return a value of `core` as JSON's own kinds."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, str):
        # A lone surrogate is no Unicode text: it could not be written to a file.
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, Mapping):
        return {str(key): as_data(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [as_data(item) for item in value]
    return _object(value) if is_dataclass(value) else value
