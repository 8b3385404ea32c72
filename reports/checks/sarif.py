"""A check as SARIF 2.1.0: failed gates and new findings as results of code scanning."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from ...core.checked import CheckReport, Gate, PromptChange
from ...core.report import Finding
from ..json import dumped
from ..safe import clean
from .gates import before, new_findings, worst_first
from .rule_texts import RuleText, of_finding, of_gate

SCHEMA_URI = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "%SRCROOT%"
_FINGERPRINT = "costoptIdentity/v1"
_NOWHERE = "costopt.toml"
"""Where a gate points that is about no one file: GitHub takes no result without a place."""

Level = Literal["error", "warning", "note"]


@dataclass(frozen=True, kw_only=True)
class _Result:
    """A result before it is written; ``identity`` stays when lines move."""

    rule: RuleText
    level: Level
    message: str
    path: str | None
    line: int | None
    column: int | None
    end_line: int | None
    end_column: int | None
    identity: tuple[str, ...]
    facts: Mapping[str, Any]


def check_to_sarif(check: CheckReport) -> str:
    """Return the check as SARIF; a failed gate is an error, an undecided one a warning."""
    results = list(_results(check))
    rules = {result.rule.id: result.rule for result in results}
    driver = {
        "name": "costopt",
        "version": clean(check.report.costopt_version, 40),
        "rules": [_rule(rule) for rule in rules.values()],
    }
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": "costopt-check/"},
        "invocations": [{"executionSuccessful": True, "exitCode": check.exit}],
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository."}}},
        "columnKind": "unicodeCodePoints",
        "results": _written(results, list(rules)),
    }
    return dumped({"$schema": SCHEMA_URI, "version": "2.1.0", "runs": [run]})


def _results(check: CheckReport) -> Iterator[_Result]:
    for gate in worst_first(check.gates):
        if not gate.passed:
            yield _of_gate(gate)
    for change, item in new_findings(check):
        yield _of_finding(change, item)


def _of_gate(gate: Gate) -> _Result:
    was = before(gate)
    who = f"{gate.prompt}: " if gate.prompt else ""
    at = f" (at {gate.target})" if gate.target else ""
    numbers = ("limit", "base", "head", "unit", "target", "prompt")
    return _Result(
        rule=of_gate(gate.gate),
        level="error" if gate.outcome == "failed" else "warning",
        message=f"{who}{gate.message}{f', {was}' if was else ''}{at}",
        path=gate.path,
        line=gate.line,
        column=gate.column,
        end_line=None,
        end_column=None,
        identity=(gate.gate, gate.prompt or "", gate.target or "", str(gate.limit)),
        facts={name: getattr(gate, name) for name in numbers if getattr(gate, name) is not None},
    )


def _of_finding(change: PromptChange, item: Finding) -> _Result:
    return _Result(
        rule=of_finding(item),
        level="note",
        message=f"{change.name}: {item.message}",
        path=change.path,
        line=item.line,
        column=item.column,
        end_line=item.end_line,
        end_column=item.end_column,
        identity=(item.code, change.path, item.message),
        facts={"prompt": change.name, "tokens": item.tokens},
    )


def _rule(rule: RuleText) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.summary},
        "help": {"text": rule.help},
        "defaultConfiguration": {"level": "note" if rule.is_finding else "error"},
    }


def _written(results: Iterable[_Result], rules: list[str]) -> list[dict[str, Any]]:
    """Write results; those of one identity are numbered, so that each has a print of its own."""
    seen: Counter[tuple[str, ...]] = Counter()
    written: list[dict[str, Any]] = []
    for result in results:
        seen[result.identity] += 1
        mark = _digest((*result.identity, str(seen[result.identity])))
        written.append(
            {
                "ruleId": result.rule.id,
                "ruleIndex": rules.index(result.rule.id),
                "level": result.level,
                "message": {"text": _unlinked(clean(result.message, 1000))},
                "locations": [{"physicalLocation": _place(result)}],
                "partialFingerprints": {_FINGERPRINT: mark},
                "properties": {name: _plain(value) for name, value in result.facts.items()},
            }
        )
    return written


def _place(result: _Result) -> dict[str, Any]:
    path = clean(result.path or _NOWHERE, 1000).removeprefix("./").lstrip("/") or _NOWHERE
    return {
        "artifactLocation": {"uri": quote(path), "uriBaseId": _ROOT},
        "region": _region(result),
    }


def _region(result: _Result) -> dict[str, int]:
    """Return where it is; the whole of a file is its first line, since GitHub wants one."""
    if result.line is None:
        return {"startLine": 1}
    ends = result.end_line is None or result.end_line >= result.line
    parts = {
        "startLine": result.line,
        "startColumn": result.column,
        "endLine": result.end_line if ends else None,
        "endColumn": result.end_column if ends else None,
    }
    return {name: max(at, 1) for name, at in parts.items() if at is not None}


def _unlinked(text: str) -> str:
    """Break up what a viewer would show as a link: SARIF has them in plain messages too."""
    return text.replace("](", "] (")


def _digest(parts: tuple[str, ...]) -> str:
    joined = "\0".join(parts).encode("utf-8", "replace")
    return hashlib.sha256(joined).hexdigest()[:32]


def _plain(value: float | str) -> float | str:
    return _unlinked(clean(value, 200)) if isinstance(value, str) else value
