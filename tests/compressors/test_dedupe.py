import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.compressors.base import StrategyContext
from costopt.compressors.contract import PieceCounter, check_strategy, template_of
from costopt.compressors.guard import check
from costopt.compressors.registry import get
from costopt.core.errors import CostoptError
from costopt.core.types import Syntax

CONTEXT = StrategyContext(count=PieceCounter())


def deduped(*texts, roles=(), **params):
    after = get("dedupe", **params).apply(template_of(*texts, roles=roles), CONTEXT)
    return tuple(message.content for message in after.messages)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Reply in the customer's language. Go on.\nPlease answer in the customer's language.",
         "Reply in the customer's language. Go on.\n"),
        ("Summarise every open ticket in order.\n\nSummarize every open ticket in order.\n\nEnd.",
         "Summarise every open ticket in order.\n\nEnd."),
        ("When prices change, tell the sales team.\nBe kind.\n"
         "Tell the sales team when prices change.",
         "When prices change, tell the sales team.\nBe kind.\n"),
        ("Check all fields of the long order form for typing errors.\r\nStop.\r\n"
         "Carefully check all fields of the long order form for typing errors.\r\nX.",
         "Check all fields of the long order form for typing errors.\r\nStop.\r\nX."),
        ("- Never rename a product.\n- Name the source.\n- Please **never** rename a product.",
         "- Never rename a product.\n- Name the source.\n"),
        ("# A\n\nAsk for the order number. Wait.\n\n# B\n\nAsk for the order number. Then stop.",
         "# A\n\nAsk for the order number. Wait.\n\n# B\n\nThen stop."),
    ],
)  # fmt: skip
def test_what_says_nearly_the_same_goes_and_the_first_stays(before, after):
    assert deduped(before) == (after,)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Write the long report in 30 words.", "Write the long report in 40 words."),
        ("Write the habits as one long list.", "Write the facts as one long list."),
        ("Always use lowercase letters for all labels.",
         "Always use uppercase letters for all labels."),
        ("Do show the price of each item.", "Do not show the price of each item."),
        ("Show all items that cost money.", "Show only items that cost money."),
        ('Label such open tickets as "red".', 'Label such open tickets as "blue".'),
        ("Send the long form to Alice today.", "Send the long form to Bob today."),
        ("Read the long page https://a.example/x now.",
         "Read the long page https://a.example/y now."),
        ("Move the file from the cache into storage now.",
         "Move the storage from the file into cache now."),
        ("Read the long text {x} today.", "Please read the long text {x} today."),
        ("Read the `old` rules with care.", "Please read the `old` rules with care."),
        ("Write long code in C.", "Write long code in C++."),
        ("What is the total price here?", "What is the total price here?"),
        ("State the name [name of customer] first.", "State the name [name of customer] first."),
        ("Be kind.", "Be kind."),
        ("Put the sum before the long text.", "Put the sum after the long text."),
    ],
)  # fmt: skip
def test_what_differs_or_is_protected_stays(first, second):
    text = f"Hello. {first}\n\nOther words.\n\n{second} Goodbye."
    assert deduped(text) == (text,)
    assert deduped(first, f"{second}\nEnd.") == (first, f"{second}\nEnd.")


@pytest.mark.parametrize(
    "text",
    [
        "Name the main risk first.\n\nExample 1\nInput: a\nOutput: b\n\nName the main risk first.",
        "# A\nName the main risk first.\n\n# B\nName the main risk first.\n\n# C\nx",
        "Name the main risk first.\n\nRemember:\n- Name the main risk first.\n\nBye.",
        "# A\n- name of the risk owner\n- x\n\n# B\n- name of the risk owner\n- y",
        "Ann buys tea. How much is it? Round to full cents here.\n"
        "Bob buys milk. How much is it? Round to full cents here.",
        "```\nName the main risk first.\nName the main risk first.\n```",
    ],
)
def test_what_belongs_to_its_place_stays(text):
    assert deduped(text) == (text,)


def test_across_messages_but_never_the_only_sentence():
    rule = "Name the main risk first."
    assert deduped(rule, f"{rule}\n\nText: {{x}}") == (rule, "Text: {x}")
    assert deduped(rule, rule) == (rule, rule)


def test_not_across_turns_that_demonstrate():
    texts = ("Name the main risk first.", "hi", "yo", "Name the main risk first. {x}")
    assert deduped(*texts, roles=("system", "user", "assistant", "user")) == texts


def test_the_threshold_is_about_words_that_strengthen():
    text = "Read the open ticket.\nStop.\nCarefully and thoroughly read the open ticket.\nEnd."
    assert deduped(text) == (text,)
    near = "Read the open ticket.\nStop.\nCarefully read the open ticket.\nEnd."
    assert deduped(near, threshold=60) == ("Read the open ticket.\nStop.\nEnd.",)


@pytest.mark.parametrize("threshold", [50, 101, -1])
def test_thresholds_out_of_range_are_refused(threshold):
    with pytest.raises(CostoptError, match="threshold"):
        get("dedupe", threshold=threshold)


HOSTILE = (
    "", " \n\t", "x", "👩‍👩‍👧", "a\r\nb\r\n", "\ufeffBe kind.", "\ud800 lone", "{ { }} {{",
    "word " * 40_000, "word" * 50_000, "- Same rule for all users.\n" * 5_000,
    "Same rule for all users. " * 5_000, "# \n" * 20_000, ":\n" * 20_000,
)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts(text):
    check_strategy(get("dedupe"), [template_of(text, syntax=Syntax.NONE)], CONTEXT)


def test_many_sentences_that_differ_in_a_number_all_stay():
    text = "\n".join(f"Read row {n} of the long table." for n in range(5_000))
    assert deduped(text) == (text,)


SENTENCES = st.lists(
    st.sampled_from(
        [
            "Reply in the customer's language. ", "Please answer in the customer's language. ",
            "Never use more than 3 words there. ", "Never use more than 4 words there. ",
            "**Carefully** check the order form. ", "Check the order form. ", "\n", "\n\n", "- ",
            "# Rules\n", "Rules:\n", "{x} ", "Example 1\nInput: a\nOutput: b\n\n", "\r\n",
        ]
    ),
    max_size=16,
).map("".join)  # fmt: skip


@given(texts=st.lists(SENTENCES, min_size=1, max_size=3))
def test_only_whole_sentences_go_and_each_has_an_elder(texts):
    before = template_of(*texts)
    after = get("dedupe", threshold=70).apply(before, CONTEXT)
    assert check(before, after, "lossy", "input").rejected is None
    kept = after.text
    for rule in ("more than 3 words", "more than 4 words", "order form", "customer's language"):
        assert (rule in kept) == (rule in before.text)
