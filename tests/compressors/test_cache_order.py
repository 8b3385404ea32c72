"""cache-order: static text first, and nothing that refers to its place moves."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.compressors.base import StrategyContext
from costopt.compressors.contract import PieceCounter, check_strategy, template_of
from costopt.compressors.guard import check
from costopt.compressors.layout import blocks
from costopt.compressors.registry import get, parse_spec
from costopt.compressors.variants import propose
from costopt.core.types import Syntax
from costopt.costs.prefix import static_prefix

CONTEXT = StrategyContext(count=PieceCounter())
RULE = "Write at most 60 words, and never promise a date."


def applied(text, syntax=Syntax.FSTRING):
    template = template_of(text, syntax=syntax)
    check_strategy(get("cache-order"), [template], CONTEXT)
    return get("cache-order").apply(template, CONTEXT).text


def test_rules_come_before_the_first_variable():
    text = f"You help.\n\nCustomer: {{c}}\n\n{RULE}\n\nBe kind to children.\n\nReply:"
    assert applied(text) == (
        f"You help.\n\n{RULE}\n\nBe kind to children.\n\nCustomer: {{c}}\n\nReply:"
    )


def test_sections_move_as_a_whole():
    text = "# Text\n\nThe text:\n\n{t}\n\n# Rules\n\nNever guess.\n\nUse British spelling.\n"
    assert applied(text) == (
        "# Rules\n\nNever guess.\n\nUse British spelling.\n\n# Text\n\nThe text:\n\n{t}\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "Customer: {c}\n\nUse only what is said above. Be kind.",
        "Customer: {c}\n\nNow be kind to the customer.",
        "Customer: {c}\n\n- be kind\n- be brief",
        "Customer: {c}\n\nReply:",
        "Customer: {c}\n\n2. Never guess.",
        "# Step 1\n\nRead {c}.\n\n# Style\n\nNever guess.\n\n# Step 2\n\nAnswer.",
        "Customer: {c}\n\nExample 1\nInput: a\nOutput: b\n\nExample 2\nInput: c\nOutput: d",
        "<doc>\n{c}\n\nNever guess.\n</doc>",
        "Rules first. Never guess.\n\nCustomer: {c}",
        "The message is as follows:\n\n{c}",
    ],
)
def test_what_may_refer_to_its_place_stays(text):
    assert applied(text) == text


def test_nothing_moves_past_what_stays():
    text = f"Customer: {{c}}\n\nSort the items above.\n\n{RULE}"
    assert applied(text) == text


def test_conditionals_and_loops_are_not_taken_apart():
    text = "Hi.\n\n{% if x %}\nA: {{ x }}\n\nNever guess.\n{% endif %}\n\nBe kind to all."
    assert applied(text, Syntax.JINJA) == (
        "Hi.\n\nBe kind to all.\n\n{% if x %}\nA: {{ x }}\n\nNever guess.\n{% endif %}"
    )


def test_a_variant_that_saves_no_tokens_is_kept_where_the_prefix_grows():
    template = template_of(f"Customer: {{c}}\n\n{RULE}\n\nReply:")
    (variant,) = propose(template, [parse_spec("cache-order")], CONTEXT)
    assert variant.rejected is None
    assert variant.notes[0].startswith("cache-order: the prefix that is the same in every request")
    assert len(static_prefix(variant.template)) > len(static_prefix(template))
    (chain,) = propose(template, [parse_spec("whitespace+cache-order")], CONTEXT)
    assert chain.rejected is None


def refused(old, new):
    strategy = get("cache-order")
    pair = template_of(old), template_of(new)
    return check(*pair, strategy.safety, strategy.side, strategy.rewrites).rejected


def test_the_guard_knows_one_order_from_another():
    old = "A one.\n\nX: {x}\n\nB two.\n\nY: {y}"
    assert refused(old, "A one.\n\nB two.\n\nX: {x}\n\nY: {y}") is None
    for new in (
        "B two.\n\nA one.\n\nX: {x}\n\nY: {y}",
        "A one.\n\nB three.\n\nX: {x}\n\nY: {y}",
        "A one.\n\nX: {x}\n\nY: {y}",
        "A one.\n\nB two.\n\nY: {y}\n\nX: {x}",
    ):
        assert refused(old, new), new


PIECES = st.sampled_from(
    ["Be kind to all.", "Never guess.", "See above.", "Text: {x}", "{y}", "# Head", "Answer:",
     "- a", "```\nx\n```", "<a>\n\n{z}\n\n</a>", "Rules:", "| a |\n|-|\n| b |", "请保持友善。"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=9), st.sampled_from(["\n\n", "\r\n\r\n", "\n", "\n\n\n"]))
@settings(max_examples=200, deadline=None)
def test_any_order_of_blocks_keeps_the_contract(pieces, gap):
    applied(gap.join(pieces))


@pytest.mark.parametrize("piece", ["```\nx\n```\n\n", "<a>\n\n", "{x}\n\n", "# A\n\n"])
def test_many_pieces_end(piece):
    text = piece * 40_000
    assert " ".join(b.text for b in blocks(text, Syntax.FSTRING)).split() == text.split()


def test_a_long_text_ends():
    text = "a. " * 200_000 + "{x}\n\n" + "Be kind.\n\n" * 20_000
    assert len(blocks(text, Syntax.FSTRING)) == 20_001
