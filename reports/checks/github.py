"""A check as annotations: workflow commands that GitHub's runner shows beside the changed lines."""

from collections.abc import Iterator
from itertools import islice

from ...core.checked import CheckReport, Gate, PromptChange
from ...core.report import Finding
from ..findings import amounts
from ..safe import clean
from .gates import before, new_findings, worst_first
from .pairs import pairs
from .verdict import gates_line, headline, state

_SHOWN = 10
"""The runner shows ten annotations of a kind for a step; the verdict is one of them."""
_VERDICTS = {"failed": "error", "inconclusive": "warning", "passed": "notice"}


def check_to_github(check: CheckReport) -> str:
    """Return one workflow command a line: the verdict, then failed gates, then what is undecided.

    A text from a file can start no command of its own: it has no line breaks, and stands behind
    the command that quotes it.
    """
    first = _VERDICTS[state(check)]
    told = f"{headline(check, pairs(check))} ({gates_line(check)})"
    gates = [gate for gate in worst_first(check.gates) if not gate.passed]
    kinds = {
        "error": (_gate(gate) for gate in gates if gate.outcome == "failed"),
        "warning": (_gate(gate) for gate in gates if gate.outcome == "inconclusive"),
        "notice": (_finding(change, item) for change, item in new_findings(check)),
    }
    lines = [_command(first, "costopt check", told)]
    for kind, commands in kinds.items():
        lines += islice(commands, _SHOWN - (kind == first))
    return "\n".join(lines) + "\n"


def _gate(gate: Gate) -> str:
    kind = "error" if gate.outcome == "failed" else "warning"
    who = gate.prompt or "all prompts"
    at = f" at {gate.target}" if gate.target else ""
    was = before(gate)
    told = f"{gate.message}{f' ({was})' if was else ''}"
    return _command(kind, f"{gate.gate}: {who}{at}", told, gate.path, gate.line, gate.column)


def _finding(change: PromptChange, item: Finding) -> str:
    saved = amounts(item.tokens, item.usd_per_1k, item.usd_per_month)
    told = f"{item.message}{f' ({saved})' if saved else ''}"
    title = f"{item.code} {item.name}: {change.name}"
    return _command("notice", title, told, change.path, item.line, item.column)


def _command(
    kind: str,
    title: str,
    message: str,
    path: str | None = None,
    line: int | None = None,
    column: int | None = None,
) -> str:
    """Return a command with its properties in the order of GitHub's documentation."""
    properties = ",".join(_properties(title, path, line, column))
    return f"::{kind} {properties}::{_escaped(clean(message, 600))}"


def _properties(
    title: str, path: str | None, line: int | None, column: int | None
) -> Iterator[str]:
    if path is not None:
        yield f"file={_property(clean(path, 1000))}"
        yield from (
            f"{name}={at}" for name, at in (("line", line), ("col", column)) if at and at > 0
        )
    yield f"title={_property(clean(title, 200))}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
