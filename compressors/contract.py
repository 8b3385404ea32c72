"""What every strategy must keep to: run it over one of your own."""

import inspect
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..core.placeholders import variables
from ..core.types import GenerationSettings, Message, PromptTemplate, Source, Syntax
from .base import ContextStrategy, NotApplicable, Strategy, StrategyContext
from .guard import check

_PIECE = re.compile(r"\w+|[^\w\s]|\s")


@dataclass(frozen=True)
class PieceCounter:
    """Counts words, marks and blanks: a tokenizer for examples and tests, of no model.

    Example:
        >>> PieceCounter()("Hi, you!")
        5
    """

    tokenizer: str = "pieces"
    exact: bool = True

    def __call__(self, text: str) -> int:
        """Return the number of words, marks and blanks."""
        return sum(1 for _ in _PIECE.finditer(text))


def template_of(
    *contents: str, syntax: Syntax = Syntax.FSTRING, roles: tuple[str, ...] = ()
) -> PromptTemplate:
    """Make a template from texts, for tests and examples.

    Args:
        *contents: One message each.
        syntax: How they mark their variables.
        roles: Their roles; by default the last is the user's and the others are the system's.

    Example:
        >>> template_of("Be brief.", "Ask: {q}").variables
        ('q',)
    """
    given = roles or ("system",) * (len(contents) - 1) + ("user",)
    found = [name for content in contents for name in variables(content, syntax)]
    return PromptTemplate(
        name="example",
        messages=tuple(map(Message, given, contents)),
        variables=tuple(dict.fromkeys(found)),
        syntax=syntax,
        source=Source(path="example.txt", format="text", raw="\n\n".join(contents)),
        chat=len(contents) > 1,
    )


_LONG = """# Support\x20\x20\x20



You are a very helpful assistant. Please make sure that you never write more than 30 words,
due to the fact that "short" answers are read. Never invent a label.

| label   | meaning       |
| :------ | ------------: |
| billing | it costs $5   |

```json
{
    "label": "billing",
    "score": 1.0
}
```

Once again, please never invent a label. See https://example.com/a?b=1.

Example 1
Input: I paid twice.
Output: billing

Input: {ticket}
Output:"""

SAMPLES: tuple[PromptTemplate, ...] = (
    template_of(_LONG),
    template_of(_LONG.replace("\n", "\r\n")),
    template_of("﻿请不要超过 3 句话。  \n\n\n\n👩‍👩‍👧 {text}", "שלום {name}, not  now"),
    template_of("Hi {{ x | upper }}{% if y %}\n\n\n please{% endif %}", syntax=Syntax.JINJA),
    template_of("{{#each xs}}- {{this}}   \n{{/each}}", syntax=Syntax.HANDLEBARS),
    template_of("", syntax=Syntax.NONE),
    template_of("x", syntax=Syntax.NONE),
    template_of("Sum up.", "Q: 1+1", "A: 2", "{q}", roles=("system", "user", "assistant", "user")),
)
"""Prompts that have broken strategies before."""

VALUES = (
    "", "   ", "x", "\ufeff{q} 👩‍👩‍👧\r\n", "\ud800", "1 2 3\n\n4 5 6", _LONG,
    "请不要。超过 3 句话。\n" * 9,
    "User: How much is it?\nAssistant: It costs $5.\nUser: And two?\nAssistant: $9.\n" * 5,
)  # fmt: skip
"""Values of variables that have broken strategies before."""


def check_strategy(
    strategy: Strategy,
    templates: Iterable[PromptTemplate] = SAMPLES,
    context: StrategyContext | None = None,
) -> None:
    """Check that a strategy keeps to the contract of all strategies.

    On every template: what comes out passes the guard (variables, roles, code, data, formats; for a
    lossless strategy every anchor), does not grow where the strategy is of the input side, is the
    same each time, and stays as it is when the strategy is applied again. Besides: the parameters
    make the strategy anew, and the docstring says what can break, names every parameter and gives a
    reference. A strategy that says it is not applicable passes for that template.

    A strategy of contexts (`ContextStrategy`) that needs no model is called with values as well:
    none gets longer in tokens, or empty, or comes out differently the second time.

    Args:
        strategy: One with its parameters.
        templates: What it is tried on.
        context: What it is handed; by default pieces are counted, and lengths are made up.

    Raises:
        AssertionError: it does not; the message says how.

    Example:
        >>> from costopt.compressors.registry import get
        >>> check_strategy(get("whitespace"))
    """
    _check_class(strategy)
    given = context or StrategyContext(count=PieceCounter(), output_lengths=(5, 9, 20))
    if isinstance(strategy, ContextStrategy) and "model" not in strategy.needs:
        for value in VALUES:
            _check_value(strategy, value, given)
    for template in templates:
        try:
            after = strategy.apply(template, given)
        except NotApplicable:
            continue
        _check_one(strategy, template, after, given)


def _check_value(strategy: ContextStrategy, value: str, context: StrategyContext) -> None:
    shown = f"{strategy.name} of the value {value[:60]!r}"
    notes: list[str] = []
    given = replace(context, notes=notes)
    for question in (None, "What does it cost?"):
        after = strategy(value, question=question, context=given)
        _fail_unless(context.count(after) <= context.count(value), f"{shown}: it grew")
        _fail_unless(bool(after.strip()) or not value.strip(), f"{shown}: nothing is left")
        again = strategy(value, question=question, context=given)
        _fail_unless(after == again, f"{shown}: not deterministic")


def _fail_unless(holds: bool, what: str) -> None:
    if not holds:
        raise AssertionError(what)


def _check_class(strategy: Strategy) -> None:
    cls = type(strategy)
    _fail_unless(cls(**strategy.get_params()) == strategy, "parameters do not round-trip")
    _fail_unless(re.fullmatch(r"[a-z][a-z0-9-]*", cls.name) is not None, "name is not kebab-case")
    _fail_unless(re.fullmatch(r"CO\d{3}", cls.code) is not None, "code is not CO and three digits")
    doc = inspect.getdoc(cls) or ""
    for section in ("What it can break:", "Reference:"):
        _fail_unless(section in doc, f"the docstring has no section {section!r}")
    for name in strategy.get_params():
        named = re.search(rf"^ +{re.escape(name)}: \S", doc, re.MULTILINE) is not None
        _fail_unless(named, f"the docstring does not name the parameter {name!r}")


def _check_one(
    strategy: Strategy, before: PromptTemplate, after: PromptTemplate, context: StrategyContext
) -> None:
    shown = f"{strategy.name} on {before.text[:60]!r}"
    refused = check(before, after, strategy.safety, strategy.side, strategy.rewrites).rejected
    _fail_unless(refused is None, f"{shown}: {refused}")
    _fail_unless(strategy.apply(before, context) == after, f"{shown}: not deterministic")
    _fail_unless(strategy.apply(after, context) == after, f"{shown}: not idempotent")
    if strategy.side == "input":
        grew = context.count(after.text) > context.count(before.text)
        _fail_unless(not grew, f"{shown}: the prompt grew")
        same = before.settings == after.settings
        _fail_unless(same, f"{shown}: an input-side strategy changed settings")
    else:
        _check_settings(before.settings, after.settings, shown)


def _check_settings(before: GenerationSettings, after: GenerationSettings, shown: str) -> None:
    raised = after.max_output_tokens > before.max_output_tokens
    _fail_unless(not raised, f"{shown}: the cap on the answer was raised")
