"""The checks of `corpus.py`: what one strategy may not do to any prompt, or to any value."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

from costopt.compressors.base import ContextStrategy, NotApplicable, Strategy, StrategyContext
from costopt.compressors.guard import check, dropped
from costopt.compressors.registry import entries, get, load
from costopt.compressors.values import cut, text_of
from costopt.compressors.variants import Chain, propose
from costopt.core.placeholders import contract
from costopt.core.types import PromptTemplate, StrategySpec

QUESTION = "What must the answer never do, and how long may it be?"
RATES = (0.1, 0.5, 0.9)
CHAINS = (
    "whitespace+table-compact+json-minify",
    "whitespace+markup+data-format+repeated-rule+dedupe+filler+synonyms",
)
"""Chains of which the end result is checked: all that is lossless, and all that is usual."""


@dataclass
class Row:
    """What came of one strategy over the corpus."""

    name: str
    tried: int = 0
    changed: int = 0
    refused: int = 0
    saved: int = 0
    of: int = 0
    shares: list[float] = field(default_factory=list)
    wrong: Counter[str] = field(default_factory=Counter)
    first: str = ""

    def fail(self, what: str, where: str) -> None:
        """Count a failure, and keep the first for the reader."""
        self.wrong[what] += 1
        self.first = self.first or f"{what}: {where}"

    def count(self, before: int, now: int, *, changed: bool) -> None:
        """Count the tokens of one prompt or value."""
        self.tried += 1
        self.of += before
        if changed:
            self.changed += 1
            self.saved += before - now
            self.shares.append(1 - now / before if before else 0.0)


def template_strategies() -> tuple[Strategy, ...]:
    """Return every strategy that rewrites a template and needs no model."""
    made = (get(e.name) for e in entries() if e.extra in (None, "text") and not e.control)
    return tuple(
        s for s in made if not isinstance(s, ContextStrategy) and not s.needs & {"model", "samples"}
    )


def value_strategies() -> tuple[ContextStrategy, ...]:
    """Return every strategy that shortens a value and needs no model, at several rates."""
    names = [e.name for e in entries() if e.extra is None and not e.control]
    made = (get(name, rate=rate) for name in names if _shortens(name) for rate in RATES)
    return tuple(s for s in made if isinstance(s, ContextStrategy))


def _shortens(name: str) -> bool:
    cls = load(name)
    return issubclass(cls, ContextStrategy) and "model" not in cls.needs


def over_prompts(
    strategy: Strategy, *, corpus: Iterable[PromptTemplate], context: StrategyContext, repeats: int
) -> Row:
    """Apply one strategy to every prompt, and check what comes out."""
    row = Row(strategy.name)
    chain = (StrategySpec(strategy.name),)
    for template in corpus:
        with _noted(row, template.source.path):
            _applied(row, strategy, template, context)
        with _noted(row, template.source.path):
            _again(row, strategy, template, context, repeats)
        with _noted(row, template.source.path):
            _proposed(row, chain, template, context)
    return row


def over_chain(text: str, *, corpus: Iterable[PromptTemplate], context: StrategyContext) -> Row:
    """Propose one chain for every prompt, and check what is let out."""
    row = Row(text)
    chain = tuple(map(StrategySpec, text.split("+")))
    for template in corpus:
        with _noted(row, template.source.path):
            _proposed(row, chain, template, context)
            after = propose(template, [chain], context)[0].template
            before, now = context.count(template.text), context.count(after.text)
            row.count(before, now, changed=after != template)
    return row


@contextmanager
def _noted(row: Row, where: str) -> Iterator[None]:
    """Count an exception as a failure of the row."""
    try:
        yield
    except Exception as error:
        row.fail("exception", f"{where}: {type(error).__name__}: {error}")


def _applied(
    row: Row, strategy: Strategy, template: PromptTemplate, context: StrategyContext
) -> None:
    """Apply one strategy to one prompt: the guard passes it, and it has no more tokens."""
    where = template.source.path
    try:
        after = strategy.apply(template, context)
    except NotApplicable:
        row.refused += 1
        row.count(context.count(template.text), 0, changed=False)
        return
    said = check(template, after, strategy.safety, strategy.side, strategy.rewrites).rejected
    if said:
        row.fail("guard", f"{where}: {said}")
    before, now = context.count(template.text), context.count(after.text)
    if strategy.side == "input" and now > before:
        row.fail("more tokens", where)
    row.count(before, now, changed=after != template)


def _again(
    row: Row, strategy: Strategy, template: PromptTemplate, context: StrategyContext, repeats: int
) -> None:
    """Apply it to its own result, and again and again: the same comes out."""
    try:
        after = strategy.apply(template, context)
    except NotApplicable:
        return
    if strategy.apply(after, context) != after:
        row.fail("not idempotent", template.source.path)
    if any(strategy.apply(template, context) != after for _ in range(repeats - 1)):
        row.fail("not deterministic", template.source.path)


def _proposed(row: Row, chain: Chain, template: PromptTemplate, context: StrategyContext) -> None:
    """Check a variant as users get it: what is not rejected passed the guard and saves tokens."""
    variant = propose(template, [chain], context)[0]
    if variant.rejected is not None:
        return
    where = template.source.path
    rewrites = frozenset[str]().union(*(load(spec.name).rewrites for spec in chain))
    after = variant.template
    if len(chain) == 1:
        said = check(template, after, variant.safety, variant.side, rewrites).rejected
    else:  # the guard judged step by step: what one step may change, the next may not
        said = _broken(template, after)
    if said:
        row.fail("let out against the guard", f"{where}: {said}")
    if variant.dropped != dropped(template, after, rewrites):
        row.fail("lost anchors that are not listed", where)
    before, now = _tokens(template, context), _tokens(after, context)
    # An order that a prefix cache can hold is worth the same number of tokens.
    most = before if "order" in rewrites else before - 1
    if variant.side == "input" and now > most:
        row.fail("let out without a saving", where)


def _broken(before: PromptTemplate, after: PromptTemplate) -> str | None:
    """Return what is wrong with the end of a chain: its roles, variables or statements changed."""
    if [m.role for m in before.messages] != [m.role for m in after.messages]:
        return "the roles changed"
    for one, other in zip(before.messages, after.messages, strict=True):
        if contract(one.content, before.syntax) != contract(other.content, after.syntax):
            return "a placeholder or statement changed"
        if one.content.strip() and not other.content.strip():
            return "nothing is left of a message"
    return None


def _tokens(template: PromptTemplate, context: StrategyContext) -> int:
    return context.count(template.text) + context.count(template.schemas)


def over_values(
    strategy: ContextStrategy,
    question: str | None,
    *,
    corpus: Iterable[PromptTemplate],
    context: StrategyContext,
    repeats: int,
) -> Row:
    """Shorten the texts of all prompts as values, and check what comes out."""
    row = Row(value_name(strategy, question))
    for template in corpus:
        for value in values(template.text):
            with _noted(row, template.source.path):
                where = template.source.path
                _shortened(row, strategy, value, question, context, repeats, where)
    return row


def value_name(strategy: ContextStrategy, question: str | None) -> str:
    """Return what a row of values is called."""
    rate = strategy.get_params()["rate"]
    return f"{strategy.name}:rate={rate:g}{' asked' if question else ''}"


def values(text: str) -> Iterator[Any]:
    """Yield a text as a value; also as a transcript and as messages of two who take turns."""
    yield text
    parts = [part for part in re.split(r"\n\s*\n", text) if part.strip()]
    turns = list(zip(cycle(("user", "assistant")), parts, strict=False))
    if len(turns) > 3:
        yield "\n".join(f"{role.title()}: {part}" for role, part in turns)
        yield [{"role": role, "content": part} for role, part in turns]


def _shortened(
    row: Row,
    strategy: ContextStrategy,
    value: object,
    question: str | None,
    context: StrategyContext,
    repeats: int,
    where: str,
) -> None:
    """Shorten one value: not longer, not empty, the same each time; as programs and runs do."""
    made = cut(strategy, value, question, context)
    after = text_of(made.value)
    if isinstance(value, str):
        called = strategy(value, question=question, context=context)
        if context.count(called) > context.count(value):
            row.fail("more tokens when called", where)
        if value.strip() and not called.strip():
            row.fail("nothing is left when called", where)
    before, now = context.count(text_of(value)), context.count(after)
    if now > before or (now, before) != (made.after, made.before):
        row.fail("more tokens", where)
    if text_of(value).strip() and not after.strip():
        row.fail("nothing is left", where)
    again = (cut(strategy, value, question, context).value for _ in range(repeats - 1))
    if any(other != made.value for other in again):
        row.fail("not deterministic", where)
    row.count(before, now, changed=made.value != value)
