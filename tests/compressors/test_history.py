"""history: what is kept of a conversation."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.compressors import get
from costopt.compressors.base import StrategyContext
from costopt.compressors.contexts import Shortener
from costopt.compressors.contract import PieceCounter, template_of
from costopt.compressors.turns import message_turns, transcript_turns
from costopt.core.errors import CostoptError
from costopt.core.types import Sample, StrategySpec, Variant

COUNT = PieceCounter()


def context():
    return StrategyContext(count=COUNT)


def talk(turns=12):
    topics = ("tent", "stove", "boots", "lamp", "rope", "map")
    lines = []
    for n in range(turns):
        thing = topics[n % len(topics)]
        lines.append(f"User: My {thing} number {n} has a fault. It came last week. What can I do?")
        lines.append(f"Agent: Send the {thing} back to us. We pay for that. You hear from us soon.")
    return "\n".join([*lines, "User: Will you mend my stove?", "Agent:"])


def messages():
    return [
        {"role": "system", "content": "You help customers of a shop."},
        {"role": "user", "content": "My stove has a fault. It hisses."},
        {"role": "assistant", "content": None,
         "tool_calls": [{"id": "c1", "function": {"name": "orders", "arguments": '{"n": 1}'}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "order 7: stove, 2 May. " * 9},
        {"role": "assistant", "content": "It is under warranty. Send it back."},
        {"role": "user", "content": "By the way, do you sell maps? I like maps. " * 5},
        {"role": "assistant", "content": "We do. They are in the shop. " * 5},
        {"role": "user", "content": "Fine. What of my stove?"},
    ]  # fmt: skip


def test_the_question_decides_which_turns_stay():
    kept = get("history", rate=0.4, first=1, last=2)(talk(), question="What about the stove?")
    assert kept.startswith("User: My tent number 0")
    assert kept.endswith("User: Will you mend my stove?\nAgent:")
    assert "My stove number 7 has a fault" in kept
    assert "My rope number 4 has a fault. It came last week. What can I do?" not in kept


@pytest.mark.parametrize("rate", [0.2, 0.25, 0.5, 0.7, 0.9])
@pytest.mark.parametrize("turns", [12, 400])
def test_the_rate_is_met_or_the_note_says_why(rate, turns):
    given_to = context()
    text = talk(turns)
    kept = get("history", rate=rate, last=2)(text, context=given_to)
    reached = COUNT(kept) / COUNT(text)
    assert abs(reached - rate) <= 0.05 * rate or given_to.notes
    assert reached == pytest.approx(rate, rel=0.1 if turns > 12 else 0.4)


def test_messages_stay_messages_and_the_input_is_not_changed():
    value, before = messages(), copy.deepcopy(messages())
    strategy = get("history", rate=0.5, first=0, last=1)
    kept = strategy.shorten_value(value, None, context())
    assert value == before
    assert kept[0] == before[0]
    assert kept[-1] == before[-1]
    assert [m for m in kept if m in before] == kept or len(kept) < len(before)


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_call_and_its_result_are_not_parted(rate):
    kept = get("history", rate=rate, first=0, last=1).shorten_value(messages(), None, context())
    called = {c["id"] for m in kept for c in m.get("tool_calls") or ()}
    assert called == {m["tool_call_id"] for m in kept if m["role"] == "tool"}


def test_anthropic_tool_results_belong_to_the_call():
    turns = message_turns([
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": "4"}]},
        {"role": "assistant", "content": "Four."},
    ])  # fmt: skip
    assert [(t.start, t.end) for t in turns] == [(0, 1), (1, 3), (3, 4)]


@pytest.mark.parametrize(
    "text",
    [
        "user: a\nassistant: b\nuser: c\nassistant: d",
        "**User:** a\n**Assistant:** b\n**User:** c\n**Assistant:** d",
        "[10:02] Ann Lee: a\n[10:03] Bo: b\n[10:04] Ann Lee: c\n[10:05] Bo: d",
        "10:02 Ann: a\n10:03 Bo: b\n10:04 Ann: c\n10:05 Bo: d",
        "Human: a\r\n\r\nAI: b\r\n\r\nHuman: c\r\n\r\nAI: d",
    ],
)
def test_transcripts_are_told_by_their_speakers(text):
    turns = transcript_turns(text)
    assert len(turns) == 4
    assert "".join(text[t.start : t.end] for t in turns) == text


@pytest.mark.parametrize(
    "text", ["", "x", "Note: this.\nAlso: that.", "A: 1\nB: 2", "\ud800: x\n" * 9]
)
def test_what_is_no_conversation_stays(text):
    given_to = context()
    assert get("history", rate=0.5)(text, context=given_to) == text
    assert given_to.notes or not text.strip()


@pytest.mark.parametrize("value", [[], [1, 2], [{"a": 1}], {"role": "user"}, None, 3])
def test_other_values_stay(value):
    assert get("history").shorten_value(value, None, context()) == value


def test_a_variable_with_messages_is_shortened_when_rendered():
    template = template_of("{history}")
    spec = StrategySpec("history", {"on": "history", "rate": 0.5, "first": 0, "last": 1})
    variant = Variant(name="v", template=template, chain=(spec,))
    sample = Sample(id="1", inputs={"history": messages()})
    made = Shortener(context=context()).shorten(variant, sample)
    assert isinstance(made.inputs["history"], list)
    assert made.after < made.before


@pytest.mark.parametrize(
    ("name", "value"), [("rate", 0), ("rate", 1.1), ("first", -1), ("last", 0)]
)
def test_ranges(name, value):
    with pytest.raises(CostoptError, match=name):
        get("history", **{name: value})


LINES = st.sampled_from(
    ["User: hi", "Bot: hello there.", "User: {x}", "Tool: 4", "no speaker", "", "Bot:", "请: 你好",
     "Ann: I said. And then? Yes.", "\ud800", "```", "Bot: 5 km, not more.\r"]
)  # fmt: skip


@given(st.lists(LINES, max_size=30), st.sampled_from([0.1, 0.5, 0.9, 1.0]))
def test_what_comes_out_is_of_the_text_and_no_longer(lines, rate):
    text = "\n".join(lines)
    kept = get("history", rate=rate)(text, context=context())
    assert COUNT(kept) <= COUNT(text)
    assert bool(kept.strip()) == bool(text.strip())
    rest = iter(text)
    assert all(character in rest for character in kept)


@pytest.mark.parametrize("text", ["User: a\nBot: b\n" * 30_000, "a" * 2_000_000, "User:" * 100_000])
def test_long_texts_end(text):
    assert COUNT(get("history", rate=0.3)(text, context=context())) <= COUNT(text)
