"""Anomalies, budgets, what-if savings and recommendations, in every format."""

from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from ...usage.advice import Advice
from ..sections import Section, as_markdown, as_table, words
from .anomalies import anomaly_sections, budget_sections
from .recommendations import recommendation_sections
from .whatif import whatif_sections

_TITLE = words("What the log shows")


def _sections(advice: Advice) -> tuple[Section, ...]:
    return (
        *recommendation_sections(advice.recommendations),
        *budget_sections(advice.budgets),
        *anomaly_sections(advice.anomalies),
        *whatif_sections(advice.what_if),
    )


def advice_table(advice: Advice, width: int) -> str:
    """Return it for a terminal."""
    return as_table(_TITLE, _sections(advice), width)


def advice_markdown(advice: Advice) -> str:
    """Return it as Markdown."""
    return as_markdown(_TITLE, _sections(advice))


def advice_json(advice: Advice) -> dict[str, Any]:
    """Return it as the keys of ``costopt.usage/1`` that it fills."""
    return {
        "anomalies": [_plain(asdict(one)) for one in advice.anomalies.found],
        "anomalies_too_short": list(advice.anomalies.too_short),
        "budgets": [_plain(asdict(one)) for one in advice.budgets],
        "what_if": _plain(asdict(advice.what_if)),
        "recommendations": [
            {"rank": rank, **_plain(asdict(one))}
            for rank, one in enumerate(advice.recommendations, start=1)
        ],
    }


def _plain(value: Any) -> Any:  # noqa: ANN401 (JSON)
    if isinstance(value, datetime):
        return value.isoformat() + "Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return round(value, 9)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
