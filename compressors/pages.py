"""The page of one strategy, made from its docstring and a live example."""

import inspect
import re
from dataclasses import MISSING, fields

from ..core.errors import CostoptError
from ..core.protocols import TokenCounter
from ..core.types import PromptTemplate
from .base import ContextStrategy, NotApplicable, Strategy, StrategyContext
from .contract import PieceCounter, template_of
from .fitted import FittedStrategy
from .registry import Entry, load

_SECTION = re.compile(r"^(What it can break|Args|Reference|Example):$", re.MULTILINE)
_PARAMETER = re.compile(r"^(\w+): ", re.MULTILINE)
_LENGTHS = (18, 22, 25, 31, 40)
_REFERENCES = ("Lima", "Oslo")
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
    parts += ["## Example", _example(cls, count or PieceCounter())]
    parts += ["## Parameters", _parameters(cls, told.get("Args", ""))]
    if "Example" in told:
        parts += ["## In a program", f"```python\n{told['Example']}\n```"]
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


def _example(cls: type[Strategy], count: TokenCounter) -> str:
    """Run the strategy on its example and show what came of it."""
    required = any(i.default is MISSING and i.default_factory is MISSING for i in fields(cls))
    if required or not cls.example:
        return "It needs parameters or a model, so none is shown here."
    if issubclass(cls, ContextStrategy) and "model" not in cls.needs:
        return _value_example(cls, count)
    before = template_of(cls.example)
    context = StrategyContext(
        count=count,
        output_lengths=_LENGTHS,
        capabilities=frozenset({"effort"}),
        references=_REFERENCES,
    )
    learned = {cls.learns: cls.example_learned} if issubclass(cls, FittedStrategy) else {}
    try:
        after = cls(**learned).apply(before, context)
    except NotApplicable as error:
        return f"Not shown here: {error.reason}."
    context.notes.extend(f"as fitted: {key}={value}" for key, value in learned.items())
    notes = [f"({note})" for note in context.notes]
    return "\n\n".join(["Before:", _fenced(before.text), *_after(before, after), *notes])


def _value_example(cls: type[ContextStrategy], count: TokenCounter) -> str:
    """Run a context strategy on its example: a value, and the question about it."""
    context = StrategyContext(count=count)
    after = cls()(cls.example, question=cls.example_question, context=context)
    asked = [f"Question: {cls.example_question}"] if cls.example_question else []
    notes = [f"({note})" for note in context.notes]
    return "\n\n".join([*asked, "Before:", _fenced(cls.example), "After:", _fenced(after), *notes])


def _after(before: PromptTemplate, after: PromptTemplate) -> list[str]:
    parts: list[str] = []
    if after.text == before.text:
        parts.append("After: the text stays as it is.")
    else:
        parts += ["After:", _fenced(after.text)]
    cap, old = after.settings.max_output_tokens, before.settings.max_output_tokens
    if cap != old:
        lengths = ", ".join(map(str, _LENGTHS))
        parts.append(
            f"`max_output_tokens` goes from {old} to {cap}, where the baseline's answers had "
            f"{lengths} tokens."
        )
    if after.settings.effort != before.settings.effort:
        parts.append(
            f"`effort` goes from {before.settings.effort or 'unset'} to {after.settings.effort}."
        )
    if after.settings.stop != before.settings.stop:
        parts.append(
            f"`stop` is set to {', '.join(map(repr, after.settings.stop))}, where the accepted "
            f"answers are {', '.join(_REFERENCES)}."
        )
    return parts


def _fenced(text: str) -> str:
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}text\n{text}\n{fence}"
