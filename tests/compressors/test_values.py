"""Values shortened by chains, and the files that they are read from and written to."""

import json
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.compressors.base import ContextStrategy, NotApplicable, StrategyContext
from costopt.compressors.contract import PieceCounter
from costopt.compressors.registry import get, load
from costopt.compressors.value_files import read_value, value_strategies
from costopt.compressors.values import cut, cut_by_all
from costopt.core.errors import CostoptError

CONTEXT = StrategyContext(count=PieceCounter())
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner)
)
STYLES = [{}, {"separators": (",", ":")}, {"indent": 2}, {"indent": 4}, {"indent": "\t"}]


@dataclass(frozen=True, kw_only=True)
class Says(ContextStrategy):
    """Says another text in the place of any."""

    name = "says"
    safety = "lossy"
    text: str = ""

    def shorten(self, text, question, context):
        return self.text


@dataclass(frozen=True, kw_only=True)
class SaysLossless(Says):
    """Promises more."""

    safety = "lossless"


@pytest.mark.parametrize(
    ("strategy", "left"),
    [
        (Says(text="two words"), "two words"),
        (Says(text=""), "It is not 3 km."),
        (Says(text=" \n "), "It is not 3 km."),
        (Says(text="It is not 3 km, or is it?"), "It is not 3 km."),
        (SaysLossless(text="It is 3 km."), "It is not 3 km."),
        (SaysLossless(text="is not 3 km"), "is not 3 km"),
    ],
)
def test_what_may_not_be_leaves_the_value_as_it_is(strategy, left):
    made = cut(strategy, "It is not 3 km.", None, CONTEXT)
    assert made.value == left
    assert made.after == PieceCounter()(left)
    assert made.before == PieceCounter()("It is not 3 km.")


def test_what_is_lost_is_listed():
    assert cut(Says(text="It is."), "It is not 3 km.", None, CONTEXT).dropped == ("3 km", "is not")


def test_a_chain_adds_up():
    chain = [Says(text="one two three 4 km"), Says(text="one")]
    made = cut_by_all(chain, "It is not 3 km from here to there.", None, CONTEXT)
    assert (made.value, made.after) == ("one", 1)
    assert made.before == PieceCounter()("It is not 3 km from here to there.")
    assert {"3 km", "is not", "4 km"} <= set(made.dropped)


def test_what_a_chain_lacks_names_the_strategy():
    with pytest.raises(NotApplicable, match="longllmlingua: it needs a question"):
        cut_by_all([get("longllmlingua")], "text", None, CONTEXT)


@dataclass
class Remembering:
    """A model whose results were stored: they took two seconds when they were made."""

    correction_s: float = 0.0

    def surprisal(self, text, *, model=None):
        self.correction_s += 2.0
        return ()


def test_seconds_are_those_of_making_what_was_stored():
    context = StrategyContext(count=PieceCounter(), compressor=Remembering())
    made = cut(get("self-information"), "a text to be read", None, context)
    assert 2.0 <= made.seconds < 60


def test_a_chain_for_prompts_is_none_for_values():
    assert value_strategies([get("whitespace")], asked=False) is None
    assert value_strategies([get("llmlingua")], asked=False) is None
    assert value_strategies([get("sentences", on="x")], asked=False) is None
    assert value_strategies([], asked=False) is None
    assert value_strategies([get("llmlingua")], asked=True) == (get("llmlingua"),)
    both = [get("llmlingua"), get("sentences")]
    assert value_strategies(both, asked=False) == tuple(both)


def test_a_mixed_chain_is_refused():
    with pytest.raises(CostoptError, match="one file cannot be both"):
        value_strategies([get("sentences"), get("filler")], asked=False)


@given(
    data=st.lists(JSON, max_size=4),
    more=st.none() | st.dictionaries(st.sampled_from("abc"), JSON, max_size=2),
    style=st.sampled_from(STYLES),
    ascii_only=st.booleans(),
    end=st.sampled_from(["", "\n", "\r\n"]),
    begin=st.sampled_from(["", "\ufeff"]),
)
def test_a_file_is_written_as_it_was_laid_out(data, more, style, ascii_only, end, begin):
    def written(value):
        whole = value if more is None else {**more, "messages": value}
        return begin + json.dumps(whole, ensure_ascii=ascii_only, **style) + end

    text = written(data)
    held = read_value(text, [get("history")])
    assert held.value == data
    assert held.written(data) == text
    longer = [*data, "x"]
    again = held.written(longer)
    assert json.loads(again.removeprefix(begin)) == json.loads(written(longer)[len(begin) :])
    assert again.startswith(begin)
    assert again.endswith(end)
    assert again.encode("utf-8")


@given(st.text(st.characters(codec=None, categories=None), max_size=40))
def test_any_text_is_read_as_it_is(text):
    held = read_value(text, [get("sentences")])
    assert (held.value, held.written(held.value)) == (text, text)
    assert read_value(text, [get("history")]).text == text


@pytest.mark.parametrize("name", ["self-information", "common-words", "sentences", "history"])
def test_a_question_that_is_not_used_is_said_not_to_be_read(name):
    cls = load(name)
    assert cls.reads_question == ("question: Not used." not in cls.__doc__)
