"""The page of one strategy, made from its docstring, a live example and what was measured."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import MISSING, fields

from ..core.errors import CostoptError
from ..core.protocols import TokenCounter
from .base import Strategy
from .contract import PieceCounter
from .measured import Measured, measured_of
from .page_examples import example
from .registry import Entry, entries, load

_SECTION = re.compile(r"^(What it can break|Args|Reference|Example):$", re.MULTILINE)
_PARAMETER = re.compile(r"^(\w+): ", re.MULTILINE)
_SAFETY = {
    "lossless": "Lossless: a parser recovers the same content, and no number, limit, quoted "
    "literal or URL may be lost.",
    "lossy": "Lossy: what it drops is listed in the report. Measure before you use it.",
}


def page(entry: Entry, count: TokenCounter | None = None) -> str:
    """Return a strategy's page in Markdown.

    Args:
        entry: The strategy.
        count: Counts the example's tokens; by default words and marks are counted.

    Example:
        >>> from costopt.compressors.registry import entry
        >>> page(entry("whitespace")).splitlines()[0]
        '# CO101 whitespace'
    """
    heading = f"# {entry.code} {entry.name}\n\n{entry.side} side, {entry.safety}"
    try:
        cls = load(entry.name)
    except CostoptError as error:
        parts = (f"{heading}.", entry.summary, f"{error.what}. {error.hint or ''}".strip())
        return "\n\n".join(parts) + "\n"
    told = _sections(inspect.getdoc(cls) or "")
    parts = [f"{heading}{', a control' if entry.control else ''}.", "## What it does", told[""]]
    parts += ["## What it can break", told.get("What it can break", "")]
    parts += ["## Example", example(cls, count or PieceCounter())]
    parts += ["## Parameters", _parameters(cls, told.get("Args", ""))]
    if "Example" in told:
        parts += ["## In a program", f"```python\n{told['Example']}\n```"]
    parts += ["## Measured effect", _measured(measured_of(entry.name))]
    parts += ["## Safety", _SAFETY[entry.safety], "## Reference", told.get("Reference", "")]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _sections(doc: str) -> dict[str, str]:
    """Split a docstring into its text and its sections."""
    found = _SECTION.split(doc)
    bodies = (inspect.cleandoc(f"\n{body}") for body in found[2::2])
    return {"": found[0].strip(), **dict(zip(found[1::2], bodies, strict=True))}


def _parameters(cls: type[Strategy], told: str) -> str:
    """Return a list of the parameters, with their defaults."""
    if not fields(cls):
        return "None."
    parts = _PARAMETER.split(told)
    texts = {name: " ".join(text.split()) for name, text in zip(parts[1::2], parts[2::2])}  # noqa: B905
    return "\n".join(
        f"- `{item.name}`{_default(item.default)}: {texts.get(item.name, '')}"
        for item in fields(cls)
    )


def _default(value: object) -> str:
    return " (required)" if value is MISSING else f" (default `{value}`)"


def _measured(found: tuple[Measured, ...]) -> str:
    """Return what the benchmarks say, and how each is run again."""
    if not found:
        return "Not measured yet."
    return "\n\n".join(part for one in found for part in _benchmark(one))


def _benchmark(one: Measured) -> Iterator[str]:
    yield f"Benchmark `{one.benchmark}`, {one.date}{f': {one.about}' if one.about else '.'}"
    yield "\n".join(f"- `{effect.strategy}`: {effect.text}" for effect in one.effects)
    yield f"To measure it again: `{one.command}`"


def handbook() -> dict[str, str]:
    """Return the pages of all of costopt's own strategies and their index, by file name.

    Raises:
        CostoptError: the extra that a strategy needs is not installed.
    """
    own = [entry for entry in entries() if entry.plugin is None]
    for entry in own:
        load(entry.name)
    pages = {_file(entry): page(entry) for entry in own}
    return {"README.md": _index(own), **pages}


def _file(entry: Entry) -> str:
    return f"{entry.code}-{entry.name}.md"


def _index(own: list[Entry]) -> str:
    head = (
        "# Strategies\n\nOne page each, as `costopt explain CODE` shows it. The pages are made "
        "by\n`python docs/generate.py` from the code and the benchmarks' results; do not edit "
        "them.\n\n"
        "| Code | Name | Side | Safety | What it does |\n|:--|:--|:--|:--|:--|\n"
    )
    rows = (
        f"| {entry.code} | [{entry.name}]({_file(entry)}) | {entry.side} | {entry.safety} "
        f"| {entry.summary} |\n"
        for entry in own
    )
    return head + "".join(rows)
