"""A comparison as a table, Markdown, or JSON of the schema ``costopt.compare/1``."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any, TypeAlias, cast

from ..costs.prices import Price
from ..evals.compared_logs import LogComparison
from ..evals.compared_prompts import PromptComparison
from ..evals.compared_reports import ReportComparison
from .compared_logs import log_sections
from .compared_prompts import prompt_sections
from .compared_reports import report_sections
from .safe import inert
from .sections import Name, Section, as_markdown, as_table, words

SCHEMA = "costopt.compare/1"

Comparison: TypeAlias = LogComparison | ReportComparison | PromptComparison


def show_comparison(found: Comparison, format: str, width: int) -> str:
    """Return a comparison in a format: ``table``, ``json`` or ``markdown``."""
    if format == "json":
        return _json(found)
    title = words("costopt compare: ", Name(found.base), " → ", Name(found.head))
    sections = _sections(found)
    if format == "markdown":
        return as_markdown(title, sections)
    return as_table(title, sections, width)


def _sections(found: Comparison) -> tuple[Section, ...]:
    if isinstance(found, LogComparison):
        return (*log_sections(found), _legend())
    if isinstance(found, ReportComparison):
        return report_sections(found)
    measured = any(one.quality for one in found.targets)
    return (*prompt_sections(found), *((_legend(),) if measured else ()))


def _legend() -> Section:
    return Section(
        lines=(
            words(
                "Scores are in points of 100 where they lie in [0, 1]. Changes are head minus "
                "base on the same rows, positive is better; low and high are one-sided 95 % "
                "bounds. McNemar's p is exact and two-sided."
            ),
        )
    )


def kind(found: Comparison) -> str:
    """Return what was compared: ``logs``, ``reports`` or ``prompts``."""
    names = {LogComparison: "logs", ReportComparison: "reports", PromptComparison: "prompts"}
    return names[type(found)]


def _json(found: Comparison) -> str:
    data: dict[str, Any] = {"schema": SCHEMA, "kind": kind(found), **_plain(found)}
    if isinstance(found, LogComparison):
        data["money"]["claimed"] = found.money.claimed
    return inert(json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)) + "\n"


def _plain(value: object) -> Any:  # noqa: ANN401 (JSON)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Price):
        return value.ref
    if is_dataclass(value):
        names = (item.name for item in fields(cast(Any, value)))
        return {name: _plain(getattr(value, name)) for name in names}
    return value
