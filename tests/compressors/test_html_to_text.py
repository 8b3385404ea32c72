"""html-to-text: what a reader sees stays, and what only a browser reads goes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.compressors.base import StrategyContext
from costopt.compressors.contract import PieceCounter, check_strategy, template_of
from costopt.compressors.registry import get
from costopt.core.types import Syntax

CONTEXT = StrategyContext(count=PieceCounter())


def applied(text, syntax=Syntax.JINJA):
    template = template_of(text, syntax=syntax)
    check_strategy(get("html-to-text"), [template], CONTEXT)
    return get("html-to-text").apply(template, CONTEXT).text


def test_headings_lists_links_and_code():
    html = (
        '<div class="x"><h2 id="a">Opening hours</h2><p>We are <b>open</b> on '
        '<a class="l" href="https://a.example/days">weekdays</a>.</p>'
        '<ul class="y"><li>9 to 17</li><li>use <code class="z">book()</code></li></ul></div>'
    )
    assert applied(f"Answer from this:\n\n{html}\n\nQuestion: {{{{ q }}}}") == (
        "Answer from this:\n\n## Opening hours\n\nWe are **open** on "
        "[weekdays](https://a.example/days).\n\n- 9 to 17\n- use `book()`\n\nQuestion: {{ q }}"
    )


def test_a_page_loses_its_head_and_keeps_its_title_and_placeholders():
    html = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Shop &amp; Co</title>'
        "<style>p { color: red }</style></head>\n\n"
        "<body><!-- menu --><nav><a href='/'>Home</a></nav>"
        "<form><label for='n'>Your name</label><input id='n'><button>Send</button></form>"
        "<p>Hello {{ name }}</p><img src='a.png' alt='a lamp'>"
        "<script>track()</script></body></html>"
    )
    after = applied(f"Sum up:\n\n{html}\n\nIn {{{{ language }}}}.")
    assert after.startswith("Sum up:\n\nShop & Co\n\n[Home](/)")
    for seen in ("Your name", "Send", "Hello {{ name }}", "a lamp", "In {{ language }}."):
        assert seen in after
    for hidden in ("track", "color", "menu", "a.png", "<"):
        assert hidden not in after


@pytest.mark.parametrize(
    "text",
    [
        "<instructions>\nBe kind.\n</instructions>\n<document>\n{{ d }}\n</document>",
        "Use <br> once. {{ x }}",
        "Mend this page:\n\n```html\n<div class='a'><p class='b'>Hi</p></div>\n```\n\n{{ x }}",
        "Is `<p class='a'>x</p>` valid? {{ x }}",
        "a < b and c > d, and <3 {{ x }}",
        '{"html": "<p class=\\"a\\">one</p><p>two</p>"} {{ x }}',
    ],
)
def test_sections_code_and_single_tags_stay(text):
    assert applied(text) == text


def test_sections_around_html_stay():
    text = '<page>\n<div class="a"><p class="b">One</p><p class="c">Two</p></div>\n</page>\n{{ x }}'
    assert applied(text) == "<page>\nOne\n\nTwo\n</page>\n{{ x }}"


def test_crlf_is_kept():
    text = (
        '<div class="a">\r\n<p class="b">One</p>\r\n<p class="c">Two</p>\r\n</div>\r\n\r\n{{ x }}'
    )
    assert applied(text) == "One\r\n\r\nTwo\r\n\r\n{{ x }}"


def test_links_that_show_their_own_address_are_text():
    text = (
        '<div class="a"><p>See <a href="https://a.example/x?y&amp;z">https://a.example/x?y&amp;z</a>'
        ' or <a href="docs">docs</a>.</p><p>Not <a href="y"><img></a> this.</p></div>\n{{ x }}'
    )
    assert applied(text) == ("See https://a.example/x?y&z or docs.\n\nNot  this.\n{{ x }}")


PAGE = "<!DOCTYPE html><html><body>{}</body></html>"


@pytest.mark.parametrize(
    ("body", "after"),
    [
        ("<h1>The &lt;p&gt; tag</h1><p>Use <code>&lt;p&gt;</code>.</p>",
         "# The &lt;p> tag\n\nUse `<p>`."),
        ("<p>Mend:</p><textarea rows='2'><p>Hi</p></textarea>", "Mend:\n\n&lt;p>Hi&lt;/p>"),
        ("<table><thead><tr><th>a</th><th>b</th></tr></thead><tfoot><tr><td>sum</td><td>3</td></tr>"
         "</tfoot><tbody><tr><td>x</td><td>3</td></tr></tbody></table>",
         "| a | b |\n| --- | --- |\n| sum | 3 |\n| x | 3 |"),
        ("<ul><li><input type='checkbox'> one</li><li>two</li></ul>", "- one\n- two"),
        ("<p>See</p><iframe src='https://a.example/v'></iframe><canvas id='c'></canvas>"
         "<video src='v.mp4'><p>No video</p></video><p>this</p>", "See\n\nNo video\n\nthis"),
        ("<fieldset><legend>Size</legend><p>Press <kbd>A</kbd></p></fieldset>", "Size\n\nPress A"),
        ("<p>One<a href='https://a.example/x'><img></a> two<code></code></p>", "One two"),
        ("<picture><source media='(width < 8em)' srcset='s.png'><img src='a.png' alt='Lamp'>"
         "</picture>", "Lamp"),
    ],
)  # fmt: skip
def test_what_converters_write_otherwise(body, after):
    assert applied(PAGE.format(body), Syntax.NONE) == after


TAGS = st.sampled_from(
    [
        "<p class='a'>", "</p>", "<div id=x>", "</div>", "<b>", "</b>", "<ul>", "<li>", "</ul>",
        "<br/>", "<table>", "<tr>", "<td>", "</table>", "<pre>", "</pre>", "<code>", "</code>",
        "<!-- c -->", "<a href='https://a.example'>", "</a>", "<style>", "</style>", "<html>",
        "</html>", "<doc>", "</doc>", "<", ">", "&lt;p&gt;", "&amp;", "{{ x }}", "{% if x %}",
        "{% endif %}", "`", "```\n", "\n", "\n\n", "- ", "# ", "**", "_", "|", "word ", "never ",
        "<textarea>", "</textarea>", "<legend>", "</legend>", "<tfoot>", "</tfoot>", "<iframe>",
        "<input type='checkbox'>", "<kbd>", "</kbd>", "&lt;/b", "<img alt='a < b'>", "<li>[x] ",
        "5 km ", "!", "请 ", "\r\n",
    ]
)  # fmt: skip


@given(st.lists(TAGS, max_size=24).map("".join))
@settings(max_examples=150, deadline=None)
def test_any_soup_keeps_the_contract(text):
    applied(text, Syntax.NONE)


@pytest.mark.parametrize(
    "text",
    ["<" * 300_000, "<p>" * 100_000, "<p class='a'>" * 50_000 + "x",
     "a" * 2_000_000 + "<p><b>x</b>",
     "<a " * 100_000, "<!--" * 100_000, "<p>\ud800</p><p>x</p>", "<html>" + "&" * 100_000],
)  # fmt: skip
def test_hostile_texts_end(text):
    template = template_of(text, syntax=Syntax.NONE)
    after = get("html-to-text").apply(template, CONTEXT)
    assert CONTEXT.count(after.text) <= CONTEXT.count(text)
