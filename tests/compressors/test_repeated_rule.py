import pytest

from costopt.compressors.base import StrategyContext
from costopt.compressors.contract import PieceCounter, template_of
from costopt.compressors.registry import get

CONTEXT = StrategyContext(count=PieceCounter())


def reduced(*texts, roles=(), **params):
    template = template_of(*texts, roles=roles)
    after = get("repeated-rule", **params).apply(template, CONTEXT)
    return tuple(message.content for message in after.messages)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Never invent a new label.\n\nNever invent a new label.\n\n{x}",
         "Never invent a new label.\n\n{x}"),
        ("- Keep the old order of items.\n- Cite sources.\n- Keep the old order of items.",
         "- Keep the old order of items.\n- Cite sources.\n"),
        ("Never invent new labels. Be kind.\nOnce again, please never invent a **new label**.",
         "Never invent new labels. Be kind.\n"),
        ("Reply with at most 9 words. Always name the tool.\n"
         "As a reminder, reply with at most 9 words, and always name the tool. Go.",
         "Reply with at most 9 words. Always name the tool.\nGo."),
        ("Cite the source text. Cite the source text.\r\nEnd.", "Cite the source text.\r\nEnd."),
    ],
)  # fmt: skip
def test_repeats_go_and_the_first_stays(before, after):
    assert reduced(before) == (after,)


@pytest.mark.parametrize(
    "text",
    [
        "Use at most 3 long words here.\nUse at most 4 long words here.",
        "Always use lowercase letters here.\nAlways use uppercase letters here.",
        "Do mention the price of items.\nDo not mention the price of items.",
        'Label bad tickets as "a b" here.\nLabel bad tickets as "a c" here.',
        "Compare the old text with the new text.\nOnce again, compare the old text by 5 pm.",
        "Read the long text {x} now.\nRead the long text {x} now.",
        "1. Read the whole text first.\n2. Read the whole text first.",
        "## Read the whole text\n## Read the whole text",
        "Example 1\nInput: the very same words.\nOutput: the very same words.",
        "```\nRead the whole text now.\nRead the whole text now.\n```",
        "Be brief.\nBe brief.",
        "- Team one: name ten facts. Use different backgrounds and perspectives.\n"
        "- Team two: name ten ideas. Use different backgrounds and perspectives.",
    ],
)
def test_what_differs_or_is_protected_stays(text):
    assert reduced(text) == (text,)


def test_repeats_across_messages():
    got = reduced("Never invent a new label.", "Never invent a new label.\n\nTicket: {x}")
    assert got == ("Never invent a new label.", "Ticket: {x}")


def test_a_message_is_never_emptied():
    text = "Never invent a new label."
    assert reduced(text, text) == (text, text)


def test_turns_that_demonstrate_stay():
    roles = ("user", "assistant", "user")
    texts = ("Name the best colour.", "Name the best colour.", "Name the best colour. {x}")
    assert reduced(*texts, roles=roles) == texts


def test_similarity_is_about_order():
    text = "Cite sources, quote authors, name dates.\nName dates, cite sources, quote authors."
    assert reduced(text) == (text,)
    assert reduced(text, similarity=0.6) == ("Cite sources, quote authors, name dates.\n",)
