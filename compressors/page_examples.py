"""Examples on the pages of strategies: before and after, run as the page is made."""

import re
from dataclasses import MISSING, fields

from ..core.protocols import TokenCounter
from ..core.types import PromptTemplate
from .base import ContextStrategy, NotApplicable, Strategy, StrategyContext
from .contract import template_of
from .fitted import FittedStrategy

_LENGTHS = (18, 22, 25, 31, 40)
_REFERENCES = ("Lima", "Oslo")


def example(cls: type[Strategy], count: TokenCounter) -> str:
    """Run a strategy on its example, and return what came of it in Markdown.

    Args:
        cls: The strategy; one that needs a model is not run, and has its result beside it.
        count: Counts tokens.
    """
    required = any(i.default is MISSING and i.default_factory is MISSING for i in fields(cls))
    if required or not cls.example:
        needed = "a model that is to be named" if "model" in cls.needs else "parameters"
        return f"None is shown: it needs {needed}."
    if "model" in cls.needs:
        return _kept_example(cls)
    if issubclass(cls, ContextStrategy):
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
    notes = [f"({note})" for note in context.notes]
    return _shown(cls.example, cls.example_question, after, "After:", notes)


def _kept_example(cls: type[Strategy]) -> str:
    """Show what a real model once made of the example, since none is at hand here."""
    if cls.example_result is None:
        return "None is shown: it needs a model."
    asked = cls.example_question if issubclass(cls, ContextStrategy) else None
    said = "After, as the embedded model's weights gave it, with the default parameters:"
    return _shown(cls.example, asked, cls.example_result, said, [])


def _shown(before: str, asked: str | None, after: str, said: str, notes: list[str]) -> str:
    question = [f"Question: {asked}"] if asked else []
    return "\n\n".join([*question, "Before:", _fenced(before), said, _fenced(after), *notes])


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
