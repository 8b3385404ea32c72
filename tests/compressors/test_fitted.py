"""Strategies that are fitted: against a scripted bench, they find the edit that the rows allow."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from costopt.compressors.base import NotApplicable, StrategyContext
from costopt.compressors.contract import PieceCounter, template_of
from costopt.compressors.registry import build, get, parse_spec
from costopt.core.types import PromptTemplate, StrategySpec

CONTEXT = StrategyContext(count=PieceCounter())


@dataclass
class ScriptedBench:
    """A fake for injecting scores: ``worth`` says what a template scores on every row."""

    worth: Callable[[str], float]
    writes: Callable[[str, int], str] = lambda prompt, replicate: ""
    margin: float = 0.1
    rows: int = 12
    asked: list[str] = field(default_factory=list)
    prompts: list[str] = field(default_factory=list)

    async def scores(self, template: PromptTemplate) -> tuple[float | None, ...]:
        text = shown(template)
        if text not in self.asked:
            self.asked.append(text)
        return (self.worth(text),) * self.rows

    async def write(self, prompt: str, *, max_output_tokens: int = 1024, replicate: int = 0) -> str:
        self.prompts.append(prompt)
        return self.writes(prompt, replicate)


def shown(template: PromptTemplate) -> str:
    return "\n\n".join(message.content for message in template.messages)


def needs(*pieces: str) -> Callable[[str], float]:
    """Every piece that is missing costs a whole point."""
    return lambda text: -float(sum(piece not in text for piece in pieces))


def fitted(name, template, bench, **params):
    return asyncio.run(get(name, **params).fit(template, CONTEXT, bench))


def again(strategy, template):
    """Apply what was learned by what is written on a command line."""
    params = {k: v for k, v in strategy.get_params().items() if v is not None}
    written = ",".join(f"{key}={value}" for key, value in params.items())
    (spec,) = parse_spec(f"{strategy.name}:{written}")
    assert build(spec) == strategy == build(StrategySpec(strategy.name, params))
    return build(spec).apply(template, CONTEXT)


PROMPT = template_of(
    "# Task\n\nAnswer with one label. Never invent one.\n\nWe are a friendly company.\n\n"
    "- Read the ticket, because it matters.\n- Mind the tone.\n\nTicket: {ticket}\nAnswer:"
)
SHOTS = template_of(
    "Name the topic.\n\nInput: My mouse broke.\nOutput: laptop\n\n"
    "Input: No paper.\nOutput: printer\n\nInput: Ink is out.\nOutput: printer\n\n"
    "Input: {ticket}\nOutput:"
)
CHAT = template_of(
    "Add.", "1 1", "2", "2 2", "4", "{q}",
    roles=("system", "user", "assistant", "user", "assistant", "user"),
)  # fmt: skip


@pytest.mark.parametrize("name", ["sections", "minimise", "examples"])
def test_unfitted_it_says_what_it_needs(name):
    with pytest.raises(NotApplicable, match="needs eval rows"):
        get(name).apply(PROMPT, CONTEXT)


def test_sections_drops_what_the_rows_do_not_miss():
    bench = ScriptedBench(needs("Answer with one label", "Mind the tone"))
    strategy = fitted("sections", PROMPT, bench)
    after = again(strategy, PROMPT)
    assert shown(after) == (
        "Answer with one label. Never invent one.\n\n- Mind the tone.\n\nTicket: {ticket}\nAnswer:"
    )


def test_minimise_drops_sentences_and_then_clauses():
    bench = ScriptedBench(needs("Answer with one label", "Read the ticket"))
    after = again(fitted("minimise", PROMPT, bench), PROMPT)
    assert shown(after) == (
        "Answer with one label.\n\n- Read the ticket.\n\nTicket: {ticket}\nAnswer:"
    )


def test_examples_keeps_one_of_two_that_teach_the_same():
    bench = ScriptedBench(lambda text: needs("laptop")(text) - ("printer" not in text))
    strategy = fitted("examples", SHOTS, bench)
    after = again(strategy, SHOTS)
    assert shown(after).count("printer") == 1
    assert "My mouse broke.\nOutput: laptop" in shown(after)


def test_examples_of_a_chat_go_by_pairs():
    after = again(fitted("examples", CHAT, ScriptedBench(needs("2 2"))), CHAT)
    assert [message.content for message in after.messages] == ["Add.", "2 2", "4", "{q}"]
    none = again(fitted("examples", CHAT, ScriptedBench(needs())), CHAT)
    assert [message.content for message in none.messages] == ["Add.", "{q}"]


@pytest.mark.parametrize(
    ("name", "template"), [("sections", PROMPT), ("minimise", PROMPT), ("examples", SHOTS)]
)
@pytest.mark.parametrize("budget", [2, 3, 5, 9, 40])
def test_the_budget_is_kept_and_the_same_is_learned_again(name, template, budget):
    first, second = (ScriptedBench(lambda text: -float(len(text) % 7 > 2)) for _ in range(2))

    def learn(bench):
        try:
            return fitted(name, template, bench, budget=budget)
        except NotApplicable as error:
            return error.reason

    assert learn(first) == learn(second)
    assert first.asked == second.asked
    assert len(first.asked) <= budget + 1


@pytest.mark.parametrize(
    ("name", "template"), [("sections", PROMPT), ("minimise", PROMPT), ("examples", SHOTS)]
)
def test_where_everything_matters_nothing_is_learned(name, template):
    with pytest.raises(NotApplicable, match="earns its place"):
        fitted(name, template, ScriptedBench(lambda text: float(text == shown(template))))
