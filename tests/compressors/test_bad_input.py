"""Odd and hostile texts: the text unchanged or an edit that the guard passes, in linear time.

No test measures time: each text is so long that work that grows with its square would not end.
"""

import subprocess
import sys

import pytest

from costopt.compressors.base import ContextStrategy, StrategyContext
from costopt.compressors.contract import PieceCounter, template_of
from costopt.compressors.registry import entries, get
from costopt.compressors.variants import propose
from costopt.core.types import StrategySpec, Syntax


class QuarterCounter:
    """Counts a token for four characters: nothing that a text could slow down."""

    tokenizer = "quarters"
    exact = False

    def __call__(self, text):
        return (len(text) + 3) // 4


CONTEXT = StrategyContext(count=QuarterCounter(), output_lengths=(5, 9, 20), references=("yes",))
STRATEGIES = [
    strategy
    for strategy in (get(e.name) for e in entries() if e.extra in (None, "text") and not e.control)
    if not strategy.needs & {"model", "samples"}
]
ODD = (
    "", " ", "\n\n", "x", "!!! ... ???", "\x00", "a\x00b  \n\n\n\nc", "\ud800",
    "\udfff a \ud800.  \n", "\ufeff", "\ufeff\r\n", "\u200d", "\u202e abc", "*", "```", "{",
    "}}", "<", "[", '"', "|", "\\",
)  # fmt: skip
SLOW = (
    "a, ", "(", "```", "```\n", "| | |", "| | |\n", "|a|b|\n|-|-|\n", "<", "{", "**", "*a ",
    "\n", "1234567890", "word. ", "w  w", "please ", "please, and that you ", "- a\n",
    "a\n---\n", "[1 ", '["a" ', '{"a":', '{"a": 1} ', "[" * 900 + "]" * 900, "<context>",
    "<example>", "return a json. ", '"a ', "“a ", "....", "x", "Never guess the label. ",
    "Remember to check the item, and the list. ", "Q: a\nA: b\n\n",
    "User: a b c\nBot: d e f\n", "`a` ", "<p>a", "</div>", "a@b.", "http://", "\\", "~~~\n",
    "1. ", "1,", "a\u0301", "请不要超过三句话。", "👩‍👩‍👧", "\u200d", "\x00", "\ud800 ",
)  # fmt: skip
HARD = ("~" * 100_000 + "`", "=== a" + " " * 100_000 + "x", "Document" + " " * 100_000 + "x")


def apply(strategy, text):
    """Return what a user gets of a strategy for a text: as a prompt, or as a value."""
    if isinstance(strategy, ContextStrategy):
        after = strategy(text, question="What must it never do?", context=CONTEXT)
        assert CONTEXT.count(after) <= CONTEXT.count(text)
        assert bool(after.strip()) == bool(text.strip())
        return after
    template = template_of(text, syntax=Syntax.NONE)
    variant = propose(template, [(StrategySpec(strategy.name),)], CONTEXT)[0]
    if variant.rejected:
        return text
    after = variant.template.text
    assert strategy.side == "output" or CONTEXT.count(after) <= CONTEXT.count(text)
    assert bool(after.strip()) >= bool(text.strip())
    return after


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda s: s.name)
@pytest.mark.parametrize("text", ODD, ids=ascii)
def test_odd_texts_are_edited_or_left(strategy, text):
    assert "\ufffd" not in apply(strategy, text)


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda s: s.name)
def test_hostile_texts_end_shorter_or_as_they_were(strategy):
    for part in SLOW:
        apply(strategy, part * (2_000 // len(part) + 1))


@pytest.mark.slow
@pytest.mark.parametrize("part", [*SLOW, *HARD], ids=lambda part: ascii(part[:12]))
@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda s: s.name)
def test_long_hostile_texts_end_shorter_or_as_they_were(strategy, part):
    apply(strategy, part * (1_000_000 // len(part) + 1))


@pytest.mark.parametrize("name", ["whitespace", "sentences", "filler", "repeated-rule"])
def test_two_megabytes_of_one_word_stay(name):
    for text in ("word" * 500_000, "x" * 1_000_000):
        assert apply(get(name), text) == text


def test_text_with_no_letters_stays_in_every_context_strategy():
    context = StrategyContext(count=PieceCounter())
    for name in ("sentences", "history"):
        assert get(name, rate=0.1)("?! ... --- \n", context=context) == "?! ... --- \n"


@pytest.mark.parametrize(
    ("hidden", "name", "extra"),
    [
        (["html_to_markdown"], "html-to-text", "text"),
        (["llmlingua", "torch", "transformers"], "llmlingua", "llmlingua"),
    ],
)
def test_a_package_that_is_not_installed_is_named_with_its_extra(hidden, name, extra):
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({hidden!r}))\n"
        "from costopt.compressors import get\n"
        "from costopt.core.errors import CostoptError\n"
        "try:\n"
        f"    get({name!r}, rate=0.5)('word ' * 80) if {name!r} == 'llmlingua' else get({name!r})\n"
        "except CostoptError as error:\n    print(error.what, error.hint)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert f'pip install "costopt[{extra}]"' in done.stdout, done.stdout + done.stderr
