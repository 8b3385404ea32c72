"""The report of request logs as JSON, ``costopt.usage/1``."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ...usage.facts import Problem
from ...usage.periods import shown
from ...usage.report import SCHEMA, Group, Sums, Trend, UsageReport
from ..safe import inert
from .over_time import over_time_json

if TYPE_CHECKING:
    from ...usage.advice import Advice


def to_json(report: UsageReport, advice: "Advice | None" = None) -> str:
    """Return the report as indented JSON with the contract's keys, in its order.

    Money is written as JSON numbers, rounded to what a double carries; unknown is ``null``.
    """
    attribution = report.attribution
    data = {
        "schema": SCHEMA,
        "period": {"from": _time(report.first), "to": _time(report.last)},
        "rows": _rows(report),
        "by": list(attribution.by),
        "groups": [_group(group) for group in attribution.groups],
        "groups_left_out": attribution.left_out,
        "total": {**_sums(attribution.total), "trend": _trend(attribution.trend)},
        "trend_basis": attribution.basis,
        "over_time": over_time_json(report.over_time) if report.over_time else None,
        "percentiles": "exact",
        "unpriced": [asdict(model) for model in report.unpriced],
        "prices": list(report.prices),
        "files": [asdict(file) for file in report.reading.files],
        "problems": [_problem(one) for one in report.reading.problems],
        "skipped": [asdict(one) for one in report.reading.skipped],
        "notes": [*report.reading.notes, *report.notes],
        **_advice(advice),
    }
    return inert(json.dumps(_plain(data), indent=2, ensure_ascii=False, allow_nan=False)) + "\n"


def _advice(advice: "Advice | None") -> dict[str, Any]:
    if advice is None:
        return {"anomalies": [], "recommendations": []}
    from .advice import advice_json  # What it needs takes a while to import.

    return advice_json(advice)


def _rows(report: UsageReport) -> dict[str, int]:
    rows, total = report.reading.rows, report.attribution.total
    return {
        "read": rows.read,
        "bad": rows.bad,
        "duplicate": rows.duplicate,
        "unpriced": total.unpriced,
        "other": rows.other,
        "requests": rows.requests,
        "in_period": total.requests,
    }


def _group(group: Group) -> dict[str, Any]:
    return {
        "by": dict(group.by),
        **_sums(group.sums),
        "input_tokens_p50": group.input.p50,
        "input_tokens_p95": group.input.p95,
        "output_tokens_p50": group.output.p50,
        "output_tokens_p95": group.output.p95,
        "latency_p50_s": group.latency.p50,
        "latency_p95_s": group.latency.p95,
        "share": group.share,
        "trend": _trend(group.trend),
    }


def _sums(sums: Sums) -> dict[str, Any]:
    return {
        "requests": sums.requests,
        "errors": sums.errors,
        "input_tokens": sums.input_tokens,
        "cache_read_tokens": sums.cache_read_tokens,
        "cache_write_tokens": sums.cache_write_tokens,
        "output_tokens": sums.output_tokens,
        "reasoning_tokens": sums.reasoning_tokens,
        "usd": sums.usd,
        "usd_per_request": sums.usd_per_request,
        "unpriced": sums.unpriced,
        "unbilled": sums.unbilled,
        "logged_usd": sums.logged_usd,
    }


def _trend(trend: Trend | None) -> dict[str, Any] | None:
    if trend is None:
        return None
    return {"requests": trend.requests, "usd": trend.usd, "usd_before": trend.usd_before}


def _problem(problem: Problem) -> dict[str, Any]:
    first = problem.first
    return {
        "what": problem.what,
        "rows": problem.rows,
        "first": {"path": first.path, "line": first.line} if first else None,
    }


def _time(time: datetime | None) -> str | None:
    return None if time is None else shown(time)


def _plain(value: object) -> Any:  # noqa: ANN401 (JSON)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, str):
        # A lone surrogate is no Unicode text: it could not be written to a file.
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
