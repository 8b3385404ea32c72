"""data-format: fewer tokens, and the same value when it is read back."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.compressors.base import StrategyContext
from costopt.compressors.contract import check_strategy, template_of
from costopt.compressors.encodings import decoded, encoded, load, same
from costopt.compressors.guard import check
from costopt.compressors.guard_data import comparable
from costopt.compressors.registry import get
from costopt.core.errors import CostoptError
from costopt.core.types import Syntax
from costopt.costs.tokens import counter_for

CONTEXT = StrategyContext(count=counter_for("o200k_base"))
SHOPS = [
    {"city": "Hull", "street": "Quay Road", "open": True, "area_m2": 120},
    {"city": "Bath", "street": "Mill Lane", "open": False, "area_m2": 95.5},
    {"city": "Ayr", "street": "High Street", "open": True, "area_m2": None},
]


def prompt(data, lead="These are our shops:", syntax=Syntax.JINJA, after="Where is {{ x }}?"):
    text = data if isinstance(data, str) else json.dumps(data, indent=2, ensure_ascii=False)
    return template_of(f"{lead}\n\n{text}\n\n{after}", syntax=syntax)


def applied(template, **params):
    strategy = get("data-format", **params)
    check_strategy(strategy, [template], CONTEXT)
    return strategy.apply(template, CONTEXT)


def test_a_table_becomes_csv():
    assert applied(prompt(SHOPS)).text == (
        "These are our shops:\n\n```csv\ncity,street,open,area_m2\nHull,Quay Road,true,120\n"
        "Bath,Mill Lane,false,95.5\nAyr,High Street,true,\n```\n\nWhere is {{ x }}?"
    )


def test_a_nested_table_becomes_toon():
    after = applied(prompt({"shops": SHOPS * 3, "currency": "GBP"})).text
    assert "```toon\nshops[9]{city,street,open,area_m2}:\n Hull,Quay Road,true,120" in after


def test_toon_takes_the_delimiter_that_saves_quotes():
    rows = [{"at": {"x": n, "y": n + 1}, "note": f"left, right, {n}"} for n in range(6)]
    after = applied(prompt({"rows": rows})).text
    assert "```toon\nrows[6\t]{at{x\ty}\tnote}:\n 0\t1\tleft, right, 0\n" in after


@pytest.mark.parametrize("eol", ["\n", "\r\n"])
@pytest.mark.parametrize("fence", ["", "```jsonl", "```"])
def test_json_lines_become_a_table(fence, eol):
    lines = [json.dumps(shop) for shop in SHOPS]
    text = eol.join([fence, *lines, fence[:3]] if fence else lines)
    template = template_of(f"Known:{eol}{eol}{text}{eol}{eol}End.", syntax=Syntax.NONE)
    after = applied(template).text
    assert after == (
        f"Known:{eol}{eol}```csv{eol}city,street,open,area_m2\nHull,Quay Road,true,120\n"
        f"Bath,Mill Lane,false,95.5\nAyr,High Street,true,{eol}```{eol}{eol}End."
    )


def test_json_lines_that_are_no_table_become_an_array_or_stay_lines():
    text = '{"event": "start", "at": 1.50}\n{"event": "stop", "by": ["a", "b"]}'
    after = '{"event":"start","at":1.50}\n{"event":"stop","by":["a","b"]}'
    array = f"[{after}\n{after}\n{after}]".replace("\n", ",")
    long = prompt("\n".join([text] * 3), lead="Known:")
    assert applied(long).text == prompt(array, lead="Known:").text
    assert applied(prompt(text, lead="Known:")).text == prompt(after, lead="Known:").text
    fenced = prompt(f"```jsonl\n{text}\n```", lead="Known:")
    assert f"```jsonl\n{after}\n```" in applied(fenced).text
    apart = prompt(text.replace("\n", "\n\n"), lead="Known:")
    assert after.replace("\n", "\n\n") in applied(apart).text


TABLE = """| plan  | price, EUR | note         |
|:------|-----------:|--------------|
| basic | 4.00       | for `one`    |
| team  | 12         | "two", three |
| large | 40         |              |
"""


def test_the_guard_reads_an_array_back_as_lines():
    old = '{"a": 1}\n{"a": [2]}\n\nEnd.'
    before, after = guarded(old, '[{"a":1},{"a":[2]}]\n\nEnd.')
    assert check(before, after, "lossless", "input").rejected is None
    before, after = guarded(old, '[{"a":1},{"a":[3]}]\n\nEnd.')
    assert "a JSON value was lost" in check(before, after, "lossy", "input").rejected


def test_the_guard_pairs_arrays_and_lines_of_the_same_value_in_order():
    lines = '{"a": 1}\n{"a": 2}'
    array = '[{"a":1},{"a":2}]'
    old = f"Known:\n\n{json.dumps(json.loads(array), indent=2)}\n\nRows:\n\n{lines}\n\nEnd."
    before, after = guarded(old, f"Known:\n\n{array}\n\nRows:\n\n{array}\n\nEnd.")
    assert check(before, after, "lossless", "input").rejected is None


def test_many_arrays_beside_lines_are_read_once_each():
    # No clock here: trying every array for every other one takes minutes, and would be seen.
    arrays = "\n\n".join(f"Word {at}:\n[\n  {at},\n  {at}\n]" for at in range(1_500))
    template = template_of(f'{{"a": 1}}\n{{"a": 2}}\n\n{arrays}', syntax=Syntax.NONE)
    after = get("data-format", formats="json").apply(template, CONTEXT)
    assert "[1499,1499]" in after.text


def test_backticks_in_strings_are_no_code():
    note = {"note": "The files of `harp` or ```, see `lib`.", "at": [1, 2, 3]}
    template = prompt(note, lead="Known:")
    assert '{"note":"The files of `harp`' in applied(template).text
    assert get("json-minify").apply(template, CONTEXT) == applied(template)
    code = prompt('Write `{"a": 1, "b": 2}` here.', lead="Known:")
    assert applied(code) == code


def test_markdown_tables_become_csv():
    assert applied(prompt(TABLE, lead="Plans:")).text == prompt(
        '```csv\nplan,"price, EUR",note\nbasic,4.00,for `one`\nteam,12,"""two"", three"\n'
        "large,40,\n```\n", lead="Plans:",
    ).text  # fmt: skip


def test_small_tables_lose_their_padding_only():
    small = "| a    | b    |\n|------|------|\n| 1    | 2    |"
    assert "\n\na|b\n---|---\n1|2\n\n" in applied(prompt(small, lead="Known:")).text


@pytest.mark.parametrize(
    "text",
    [TABLE.replace("12", "{{ price }}"), f"```\n{TABLE}```", TABLE.replace("| 40  ", ""),
     "\n".join(f"> {line}" for line in TABLE.splitlines())],
)  # fmt: skip
def test_tables_with_variables_in_code_or_ragged_stay(text):
    template = prompt(text, lead="Plans:")
    assert applied(template) == template
    shown = prompt(TABLE, lead="Return a table like this:")
    assert applied(shown) == shown


def test_the_guard_reads_tables_back_as_text():
    old = f"Plans:\n\n{TABLE}\nEnd."
    good = applied(template_of(old, syntax=Syntax.NONE)).text
    before, after = guarded(old, good)
    assert check(before, after, "lossless", "input").rejected is None
    assert "was not there" in guarded(old, good.replace("4.00", "4.0"))
    assert "was not there" in guarded(old, good.replace("large", "Large"))


CELLS = st.text(alphabet='ab1,"|`\\ -#<*\t', max_size=5)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=2, max_size=5))
def test_any_table_survives(rows):
    lines = [f"| {' | '.join(row)} |" for row in rows]
    text = "\n".join([lines[0], "|:-----|-----:|", *lines[1:]])
    template = prompt(text, lead="Known:", syntax=Syntax.NONE)
    applied(template)
    check_strategy(get("table-compact"), [template], CONTEXT)


def test_formats_can_be_chosen():
    after = applied(prompt(SHOPS), formats="json").text
    assert '[{"city":"Hull","street":"Quay Road","open":true,"area_m2":120},' in after
    assert "```toon" in applied(prompt(SHOPS), formats="json;toon").text
    with pytest.raises(CostoptError, match="of json, csv, toon"):
        get("data-format", formats="xml")


def test_a_fence_of_json_becomes_a_fence_of_csv():
    fenced = f"```json\n{json.dumps(SHOPS, indent=1)}\n```"
    assert "\n\n```csv\ncity,street" in applied(prompt(fenced)).text


@pytest.mark.parametrize(
    "lead",
    ["Return JSON like this:", "Output format:", "Example:", "Answer in this structure:",
     "Here is the JSON of our shops:"],
)  # fmt: skip
def test_what_shows_the_answer_stays(lead):
    template = prompt(SHOPS, lead=lead)
    assert applied(template) == template


def test_schemas_placeholders_and_inline_values_stay():
    schema = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}
    for text in (json.dumps(schema, indent=2), '[{"a": "{{ y }}"}, {"a": 1}]', '{"a": 1, "a": 2}'):
        template = prompt(text, lead="Known:")
        assert applied(template) == template
    inline = template_of("Shops: " + json.dumps(SHOPS) + " are ours.", syntax=Syntax.NONE)
    assert "```" not in applied(inline).text


def test_strings_that_read_as_something_else_are_quoted():
    rows = [
        {"a": "7", "b": "", "c": " x", "d": 'say "hi", ok'},
        {"a": "true", "b": None, "c": "y\nz", "d": 1.50},
    ]
    text = encoded(load(json.dumps(rows)), "csv")
    assert text == 'a,b,c,d\n"7",""," x","say ""hi"", ok"\n"true",,"y\nz",1.5'
    assert same(load(json.dumps(rows)), decoded(text, "csv"))


def guarded(old, new):
    return comparable(template_of(old, syntax=Syntax.NONE), template_of(new, syntax=Syntax.NONE))


def test_the_guard_reads_everything_back():
    old = f"Shops:\n\n{json.dumps(SHOPS)}\n\nEnd."
    good = "Shops:\n\n```csv\ncity,street,open,area_m2\nHull,Quay Road,true,120\nBath,Mill Lane,false,95.5\nAyr,High Street,true,\n```\n\nEnd."  # noqa: E501
    before, after = guarded(old, good)
    assert check(before, after, "lossless", "input").rejected is None
    assert "was not there" in guarded(old, good.replace("120", "121"))
    assert "was not there" in guarded(old, good.replace("true,120", '"true",120'))
    assert "cannot be read back" in guarded(old, good.replace("Hull,", ""))
    for changed in (
        good.replace("Shops:", "Shops: 5 days"),
        good.replace("\n```csv", "\n`x`\n```csv"),
    ):
        before, after = guarded(old, changed)
        assert changed == good or before != after
    lost = good[: good.index("```csv")] + "End."
    before, after = guarded(old, lost)
    assert check(before, after, "lossy", "input").rejected is not None


NAMES = st.sampled_from(["id", "a b", "x:y", "", "naïve", "a,b", "n"])
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8) | st.sampled_from(["null", "1", "-", "#", "[2]: a", "- x", '"', " "])
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
TABLES = st.lists(NAMES, min_size=1, max_size=4, unique=True).flatmap(
    lambda names: st.lists(
        st.fixed_dictionaries(dict.fromkeys(names, SCALARS)), min_size=2, max_size=5
    )
)


@given(VALUES | TABLES)
def test_any_value_survives(value):
    template = prompt(
        json.dumps(value, indent=2, ensure_ascii=False), lead="Known:", syntax=Syntax.NONE
    )
    applied(template)


@given(TABLES)
def test_csv_reads_back(rows):
    value = load(json.dumps(rows))
    text = encoded(value, "csv")
    assert text is None or same(value, decoded(text, "csv"))


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1}' * 10_000,
        "|" * 300_000,
        "|-\n" * 10_000,
        "[" * 50_000,
        "{" * 50_000,
        '[{"a":' * 5000,
        "[1]" * 5000,
        "a" * 2_000_000,
        "```json\n[1,2",
    ],
)
def test_hostile_texts(text):
    template = template_of(text, syntax=Syntax.NONE)
    after = get("data-format").apply(template, CONTEXT)
    assert CONTEXT.count(after.text) <= CONTEXT.count(text)


def test_fences_in_fences_are_rewritten_only_where_the_guard_lets_them_through():
    data = '```json\n{\n  "a": [1.0, 2]\n}\n```\n'
    template = template_of(f"Please be polite. {data}```\nplease   \n{data}")
    for count in (len, CONTEXT.count):
        check_strategy(get("data-format"), [template], StrategyContext(count=count))
