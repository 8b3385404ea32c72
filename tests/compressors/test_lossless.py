import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.compressors.base import StrategyContext
from costopt.compressors.contract import PieceCounter, template_of
from costopt.compressors.registry import get
from costopt.core.blocks import parse_json
from costopt.core.types import Syntax

CONTEXT = StrategyContext(count=PieceCounter())


def applied(name, text, syntax=Syntax.FSTRING, **params):
    after = get(name, **params).apply(template_of(text, syntax=syntax), CONTEXT)
    return after.messages[0].content


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a  \n\n\n\nb\t\n", "a\n\nb\n"),
        ("a \r\n\r\n \r\n\r\nb\r\n\r\n", "a\r\n\r\nb\r\n"),
        ("\n\na", "a"),
        ("a  b   c  d\n", "a  b   c  d\n"),
        ("one  gap", "one gap"),
        ("    code  here", "    code  here"),
        ('say "a  b" now', 'say "a  b" now'),
        ("`a  b` {x}   ", "`a  b` {x}"),
        ("```\na   \n\n\n\nb\n```   \nc  ", "```\na   \n\n\n\nb\n```   \nc"),
        ("a\u00a0\u00a0\u3000\nb", "a\u00a0\u00a0\u3000\nb"),
        ("\ufeffa  ", "\ufeffa"),
        ("👩‍👩‍👧  \n\n\n你好", "👩‍👩‍👧\n\n你好"),
    ],
)
def test_whitespace(before, after):
    assert applied("whitespace", before) == after


def test_hard_breaks_can_be_kept():
    assert applied("whitespace", "a   \nb \n  \nc  ", hard_breaks=True) == "a  \nb\n\nc"


def test_blanks_inside_placeholders_stay():
    text = "{% set x = 'a   \n\n\n\nb' %}{{ x }}"
    assert applied("whitespace", text, Syntax.JINJA) == text


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
).filter(lambda value: isinstance(value, dict | list))


@given(JSON, st.integers(0, 4), st.booleans())
@settings(max_examples=60, deadline=None)
def test_minified_json_is_equal_to_the_letter(value, indent, fenced):
    source = json.dumps(value, indent=indent)
    text = f"See:\n```json\n{source}\n```\n" if fenced else f"See: {source}"
    after = applied("json-minify", text, Syntax.NONE)
    start = after.index(source[0], 4)
    assert parse_json(after, start)[0] == parse_json(source)[0]
    assert len(after) <= len(text)
    if fenced and indent and len(value):
        assert len(after) < len(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": {x}}',
        'Use {"a": "{x}",   "b": 1}',
        "```python\nx = {'a':   1}\n```",
        "```json\n{\"a\": 1}  // no\n```",
        "```js\nf({\"a\":   1})\n```",
        "[not,   json] and {neither:   this}",
    ],
)  # fmt: skip
def test_json_that_is_none_is_left_alone(text):
    assert applied("json-minify", text) == text


def test_json_lines_in_a_fence_lose_their_blanks():
    before = '```jsonl\n{"a": 1.0}\n{"a": [2, 3]}\n```'
    assert applied("json-minify", before) == '```jsonl\n{"a":1.0}\n{"a":[2,3]}\n```'
    cut = before.replace("[2, 3]}", "[2, 3")
    assert applied("json-minify", cut) == cut


def test_json_keeps_duplicates_order_and_numbers():
    before = '{ "b": 1.0, "a": 1e5, "b": 12345678901234567890123, "s": "a  b\\u00e9" }'
    after = '{"b":1.0,"a":1e5,"b":12345678901234567890123,"s":"a  b\\u00e9"}'
    assert applied("json-minify", before, Syntax.NONE) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("| a   | b |\n|:----|--:|\n| x   |   |", "|a|b|\n|:---|---:|\n|x| |"),
        ("a   | b\n----|----\n1   | {x}   ", "a|b\n---|---\n1|{x}"),
        ("| a \\|  b | `c |  d` |\r\n|---|---|\r\n", "a \\|  b|`c |  d`\r\n---|---\r\n"),
        (
            "  | a  |\n  |----|\n  | b  |\n\n| no  | table  |",
            "  |a|\n  |---|\n  |b|\n\n| no  | table  |",
        ),
    ],
)
def test_tables(before, after):
    assert applied("table-compact", before) == after


@pytest.mark.parametrize(
    "row", ["| - x | 1 |", "| 1. x | 1 |", "| # | 1 |", "| <b> | 1 |", "| x | |", "| | 1 |",
            "| {x} | 1 |", "| a | {x} |", "| ``` | 1 |", "| [x]: y | 1 |", "| x |"],
)  # fmt: skip
def test_tables_keep_their_outer_pipes_where_a_row_would_read_otherwise(row):
    before = f"| name  | value  |\n| ----- | ------ |\n{row}\n| b     | 2      |"
    assert applied("table-compact", before).startswith("|name|value|\n|---|---|\n|")


@pytest.mark.parametrize("row", ['| "   | "  |', "| x \\ | 1   |"])
def test_cells_of_tables_that_pipes_would_change_stay(row):
    applied("table-compact", f"| a    | b   |\n|------|-----|\n{row}")


def test_tables_in_code_and_pipes_in_placeholders():
    code = "```\n| a   | b |\n|-----|---|\n```"
    assert applied("table-compact", code) == code
    jinja = "| a   | b |\n|-----|---|\n| {{ x | join('  |  ') }}   | 1 |"
    after = "|a|b|\n|---|---|\n|{{ x | join('  |  ') }}|1|"
    assert applied("table-compact", jinja, Syntax.JINJA) == after
