"""synonyms: shorter, in its case, and only where it is free prose and saves tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.compressors.base import StrategyContext
from costopt.compressors.contract import check_strategy, template_of
from costopt.compressors.phrases import WORDY
from costopt.compressors.registry import get
from costopt.compressors.synonym_table import SHORTER
from costopt.core.types import Syntax
from costopt.costs.tokens import counter_for

COUNT = counter_for("o200k_base")
CONTEXT = StrategyContext(count=COUNT)


def applied(text, syntax=Syntax.FSTRING, context=CONTEXT):
    template = template_of(text, syntax=syntax)
    check_strategy(get("synonyms"), [template], context)
    return get("synonyms").apply(template, context).text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Provide an overview of the ticket.", "Outline the ticket."),
        ("Write in a concise manner.", "Write briefly."),
        ("PROVIDE AN OVERVIEW OF it.", "OUTLINE it."),
        ("You make an  effort to help.", "You try to help."),
        ("It has an impact on {x}.", "It affects {x}."),
    ],
)
def test_phrases(before, after):
    assert applied(before) == after


@pytest.mark.parametrize(
    "text",
    [
        'Say "in a concise manner" to {x}.',
        "Use `provide an overview of` here. {x}",
        "See /a/in-excess-of/b and a.numerous.b, {x}",
        "The in-a-concise-manner rule. {x}",
        "Execute the plan, terminate it, initialise {x}.",
        "Input: make reference to it\nOutput: a\n\nInput: {x}\nOutput:",
        "assist",
    ],
)
def test_what_stays(text):
    assert applied(text) == text


def test_a_word_that_saves_no_token_stays():
    assert applied("Assist people. {x}") == "Assist people. {x}"
    by_letters = StrategyContext(count=len)
    assert applied("Assist people. {x}", context=by_letters) == "Help people. {x}"
    assert applied("It is an encompassing text. {x}", context=by_letters) == (
        "It is an including text. {x}"
    )


def test_the_table_is_sound():
    for long, short in SHORTER.items():
        assert long == " ".join(long.lower().split())
        assert len(short) < len(long), long
        assert short not in SHORTER, f"{long} becomes {short}, which is replaced again"
    wordy = {phrase.pattern for phrase in WORDY}
    assert not wordy & set(SHORTER)


@given(
    st.lists(
        st.sampled_from(
            [*SHORTER, "an", "a", "never", "{x}", "30 words", '"', ",", ".\n", "Don't"]
        ),
        max_size=12,
    ).map(" ".join)
)
def test_any_text_keeps_the_contract(text):
    applied(text, context=StrategyContext(count=len))
    applied(text)
