"""markup, the marks it knows, and the guard of markup."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.compressors.base import StrategyContext
from costopt.compressors.contract import check_strategy, template_of
from costopt.compressors.guard import check
from costopt.compressors.guard_markup import comparable, formatting
from costopt.compressors.marks import plain
from costopt.compressors.registry import get
from costopt.core.types import Syntax


def by_bytes(text):
    """Every mark has its price, which the tokenizer of no model gives it."""
    return len(text.encode("utf-8", "surrogatepass"))


CONTEXT = StrategyContext(count=by_bytes)


def applied(text, syntax=Syntax.FSTRING):
    template = template_of(text, syntax=syntax)
    check_strategy(get("markup"), [template], CONTEXT)
    return get("markup").apply(template, CONTEXT).text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("**Never** guess. {x}", "Never guess. {x}"),
        ("It is *very* __cold now__ here. {x}", "It is very cold now here. {x}"),
        ("Title\n=====\n\nBe kind.\n\n{x}", "# Title\n\nBe kind.\n\n{x}"),
        ("Be kind.\n\n---\n\nBe brief.\n\n{x}", "Be kind.\n\nBe brief.\n\n{x}"),
        ("## Rules ##\n\nBe kind. {x}", "## Rules\n\nBe kind. {x}"),
        ("Go!!!! {x}", "Go! {x}"),
        ("Be kind. <!-- ask Ann -->\n\n{x}", "Be kind.\n\n{x}"),
        ("➤ one\n➤ two\n\n{x}", "- one\n- two\n\n{x}"),
    ],
)
def test_decoration_goes(before, after):
    assert applied(before) == after


@pytest.mark.parametrize(
    "text",
    [
        "Compute 2 * 3 * 4 and a_b_c. {x}",
        "Use `**bold**` here. {x}",
        "Call __init__ first. {x}",
        "Write names in **bold** type. {x}",
        'Say "**no**" then. {x}',
        "The text stands between the dashes:\n\n---\n{x}\n---",
        "Q: **a**\nA: b\n\nQ: {x}\nA:",
        "<rules>\nBe kind.\n</rules>\n{x}",
        "| **a** | b |\n|---|---|\n| c | d |\n\n{x}",
        "- one\n- two\n\n# Head\n\n{x}",
        "See https://a.example/_b_/c**d**. {x}",
        "```\n**x**\n---\n```\n{x}",
    ],
)
def test_what_means_something_stays(text):
    assert applied(text) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Title\n=====\n\n**Be *very* brief!!**", "# Title\n\nBe very brief!"),
        ("", ""),
        ("a\n\n***\n\nb", "a\n\nb"),
    ],
)
def test_plain_text(text, said):
    assert plain(text, Syntax.NONE) == said


def refused(old, new, syntax=Syntax.FSTRING):
    strategy = get("markup")
    pair = (template_of(old, syntax=syntax), template_of(new, syntax=syntax))
    return check(*pair, strategy.safety, strategy.side, strategy.rewrites).rejected


HTML = (
    "Read:\n\n<div class='a'><p>One <b>two</b> {x}</p><a href='https://a.example'>three</a></div>"
)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("**Never** guess. {x}", "Never guess. {x}"),
        ("A\n\n---\n\nB\n\n{x}", "A\n\nB\n\n{x}"),
        (HTML, "Read:\n\nOne **two** {x}\n\n[three](https://a.example)"),
        ("<p>a</p><pre>x  y</pre>{x}", "a\n\n```\nx  y\n```\n{x}"),
    ],
)
def test_the_guard_lets_decoration_go(old, new):
    assert refused(old, new) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("**Never** guess. {x}", "guess. {x}"),
        ("**Never** guess. {x}", "Never guess."),
        ("# Head\n\nText {x}", "Head\n\nText {x}"),
        ("- a\n- b {x}", "a\nb {x}"),
        ("<rules>Be kind.</rules> {x}", "Be kind. {x}"),
        ("Use `a*b*c` {x}", "Use `abc` {x}"),
        (HTML, "Read:\n\nOne **two** {x}\n\nfour"),
        (HTML, "Read:\n\n{x} One **two**\n\n[three](https://a.example)"),
        (HTML, "Read:\n\nOne **two** {x}\n\n[three](https://evil.example)"),
        ("<p>a</p><pre>x  y</pre>{x}", "a\n\n```\nx y\n```\n{x}"),
        ("<p>Hi <b>{x}</b></p><p>not</p>", "Hi {x}"),
    ],
)
def test_the_guard_keeps_what_is_said(old, new):
    assert refused(old, new)


def test_section_names_are_formatting_in_a_page_only():
    assert "section" not in formatting("<section>a</section>")
    assert "section" in formatting("<!DOCTYPE html><section>a</section>")


PIECES = st.sampled_from(
    ["**", "*", "__", "_", "a", "b c", " ", "\n", "\n\n", "---", "===", "#", "# ", "!!", "!",
     "<!--", "-->", "<b>", "</b>", "`", "```", "{x}", "- ", "• ", "never", "5 km", '"', "|",
     "\r\n", "***"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=20).map("".join))
@settings(max_examples=200, deadline=None)
def test_any_marks_keep_the_contract(text):
    applied(text, Syntax.NONE)


@given(st.lists(PIECES, max_size=14).map("".join), st.lists(PIECES, max_size=14).map("".join))
@settings(max_examples=100, deadline=None)
def test_the_guard_never_raises(old, new):
    comparable(template_of(old, syntax=Syntax.NONE), template_of(new, syntax=Syntax.NONE))


@pytest.mark.parametrize(
    "text", ["*" * 200_000, "**a** " * 20_000, "_" * 200_000, "---\n" * 30_000, "a" * 2_000_000,
             "<!--" * 50_000, "<b>" * 50_000]
)  # fmt: skip
def test_long_texts_end(text):
    after = get("markup").apply(template_of(text, syntax=Syntax.NONE), CONTEXT)
    assert CONTEXT.count(after.text) <= CONTEXT.count(text)
