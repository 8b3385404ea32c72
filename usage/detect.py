"""Which format a log has, told by its first records."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from .readers import JSON_FORMATS
from .readers.plain import NAME as PLAIN

RECORDS = 50
"""How many records are looked at."""


def format_of(records: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the format that most of the records have; ``None`` where no format is told.

    What is no provider's or platform's own is taken for a plain log.

    Example:
        >>> format_of([{"id": "a", "usage": {"prompt_tokens": 3}}])
        'openai'
        >>> format_of([{"tokens_in": 3}])
        'plain'
    """
    votes = [name for record in records if (name := _format(record)) is not None]
    return max(dict.fromkeys(votes), key=votes.count) if votes else (PLAIN if records else None)


def _format(record: Mapping[str, Any]) -> str | None:
    return next((name for name, one in JSON_FORMATS.items() if one.recognise(record)), None)


def records_of(head: str) -> list[Mapping[str, Any]]:
    """Return the first records of JSON lines; lines that are none, or cut off, are passed over."""
    found: list[Mapping[str, Any]] = []
    for line in head.splitlines():
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            found.append(record)
        if len(found) == RECORDS:
            break
    return found
