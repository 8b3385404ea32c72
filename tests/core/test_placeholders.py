import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.core.errors import CostoptError
from costopt.core.placeholders import (
    TemplateSyntaxError,
    check_fstring,
    contract,
    detect,
    mentions,
    scan,
    variables,
)
from costopt.core.types import Syntax

PIECES = st.sampled_from(
    ["{{", "}}", "{%", "%}", "{#", "#}", "{{{", "}}}", "{", "}", " x ", "a.b", '"', "'", "\\", "-",
     "~", "#if ", "/if", "^", "!", "!--", "--", "&", ">", "\r\n", "raw", "endraw", "é", "=", "("]
)  # fmt: skip


@given(st.lists(PIECES, max_size=25).map("".join), st.sampled_from(list(Syntax)))
def test_tokens_tile_any_text(text, syntax):
    try:
        tokens = scan(text, syntax)
    except TemplateSyntaxError as error:
        place = error.where
        assert place is not None
        assert place.line is not None
        return
    assert "".join(text[t.start : t.end] for t in tokens) == text
    assert all(t.start < t.end for t in tokens)


@given(st.lists(PIECES, max_size=25).map("".join), st.sampled_from(list(Syntax)))
def test_nothing_but_our_error_escapes(text, syntax):
    for function in (variables, contract, mentions):
        try:
            function(text, syntax)
        except CostoptError as error:
            place = error.where
            assert place is not None


@pytest.mark.parametrize(
    ("text", "syntax", "names"),
    [
        ("{{ a }} {{ b.c }} {{ a }}", Syntax.JINJA, ("a", "b")),
        ("{% for i in xs %}{{ i.n }}{{ loop.last }}{% endfor %}{{ q }}", Syntax.JINJA, ("xs", "q")),
        ("{% set z = y %}{{ z }}{{ range(3) }}", Syntax.JINJA, ("y",)),
        ("{% raw %}{{ no }}{% endraw %}{{ yes }}", Syntax.JINJA, ("yes",)),
        ("{{ 'q}}' ~ w }}{{ {'k': {'v': d}} }}", Syntax.JINJA, ("w", "d")),
        ("{{ b }}{{ x.b }}{{ a }}", Syntax.JINJA, ("b", "x", "a")),
        ("{a} {{b}} {c}", Syntax.FSTRING, ("a", "c")),
        ("{{a}} {{{b}}} {{&c}} {{! d }}", Syntax.MUSTACHE, ("a", "b", "c")),
        ("{{#xs}}{{n}}{{/xs}}{{^ys}}{{z}}{{/ys}}", Syntax.MUSTACHE, ("xs", "ys", "z")),
        ("{{#each xs}}{{n}}{{this}}{{../q}}{{@root.r}}{{/each}}{{s}}", Syntax.HANDLEBARS,
         ("xs", "q", "r", "s")),
        ("{{#if a}}{{b}}{{else}}{{c.d}}{{/if}}", Syntax.HANDLEBARS, ("a", "b", "c")),
        ("{{!-- {{no}} --}}{{~ x ~}} \\{{y}}", Syntax.HANDLEBARS, ("x",)),
        ("{{> p}}{{role \"system\"}}{{media url=pic}}", Syntax.HANDLEBARS, ("pic",)),
        ("{a} {{b}}", Syntax.NONE, ()),
    ],
)  # fmt: skip
def test_variables(text, syntax, names):
    assert variables(text, syntax) == names


def test_mentions_adds_names_inside_mustache_sections():
    text = "{{#flag}}{{note}}{{/flag}}"
    assert variables(text, Syntax.MUSTACHE) == ("flag",)
    assert mentions(text, Syntax.MUSTACHE) == {"flag", "note"}


@pytest.mark.parametrize(
    ("text", "syntax", "line", "column"),
    [
        ("a\n  {{ b", Syntax.JINJA, 2, 3),
        ("a\r\n{% if x", Syntax.JINJA, 2, 1),
        ("é {# c", Syntax.JINJA, 1, 3),
        ("{% raw %} {{", Syntax.JINJA, 1, 1),
        ("x {{ 'open }}", Syntax.JINJA, 1, 3),
        ("a\n{{b", Syntax.MUSTACHE, 2, 1),
        ("{{=<% %>=}}", Syntax.MUSTACHE, 1, 1),
        ("{{#if a\n{{/if}}", Syntax.HANDLEBARS, 1, 1),
    ],
)
def test_scan_names_the_place(text, syntax, line, column):
    with pytest.raises(TemplateSyntaxError) as caught:
        scan(text, syntax)
    assert caught.value.where is not None
    assert (caught.value.where.line, caught.value.where.column) == (line, column)


@pytest.mark.parametrize(
    ("text", "syntax", "line"),
    [
        ("ok\n{% if %}", Syntax.JINJA, 2),
        ("é\n{{ a b }}", Syntax.JINJA, 2),
        ("{% if x %}\nno end", Syntax.JINJA, 1),
        ("{{#a}}\n{{/b}}", Syntax.MUSTACHE, 2),
        ("x\n{{#a}}", Syntax.MUSTACHE, 2),
        ("x\n\n{{#if a}}b", Syntax.HANDLEBARS, 3),
        ("x\n{{/if}}", Syntax.HANDLEBARS, 2),
    ],
)
def test_variables_refuse_broken_structure(text, syntax, line):
    with pytest.raises(TemplateSyntaxError) as caught:
        variables(text, syntax)
    assert caught.value.where is not None
    assert caught.value.where.line == line


@pytest.mark.parametrize("bad", ["{a.b}", "{a[0]}", "{a!r}", "{a:>10}", "{}", "}", "{0}", "x }} y"])
def test_named_fstring_holds_identifiers_only(bad):
    with pytest.raises(TemplateSyntaxError, match="not an f-string placeholder"):
        check_fstring(f"fine {{x}}\n{bad}")


def test_fstring_accepts_escapes():
    check_fstring('{{"a": {{"b": {x}}}}} {y}')


def test_detected_fstring_keeps_json_braces_as_text():
    text = '{name} {"a": {"b": 1}}'
    assert [t.kind for t in scan(text, Syntax.FSTRING)] == ["variable", "text"]


@pytest.mark.parametrize(
    ("text", "syntax"),
    [
        ("Hi {{ x }}", Syntax.JINJA),
        ("{% if a %}b{% endif %}", Syntax.JINJA),
        ("{{#s}}x{{/s}}", Syntax.MUSTACHE),
        ("{{{ s }}}", Syntax.MUSTACHE),
        ("Hi {name}", Syntax.FSTRING),
        ('# Doc\n```json\n{"a": [{"b": 1}]}\n```', Syntax.NONE),
        ("plain", Syntax.NONE),
    ],
)
def test_detect(text, syntax):
    assert detect(text) is syntax


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("a {{ x }} b", "c {{x}}", True),
        ("{{ x }}{# note #}", "{{ x }}", True),
        ("{{ x  |  f }}", "{{ x | f }}", True),
        ("{{ x }}", "{{- x }}", False),
        ("{{ 'a  b' }}", "{{ 'a b' }}", False),
        ("{{ x }}", "{{ y }}", False),
        ("{{ x }} {{ y }}", "{{ y }} {{ x }}", False),
        ("{{ x }}", "{{ x }}{{ x }}", False),
        ("{% if a %}b{% endif %}", "b", False),
    ],
)
def test_contract(before, after, same):
    assert (contract(before, Syntax.JINJA) == contract(after, Syntax.JINJA)) is same


def test_contract_keeps_escapes_and_kinds_apart():
    assert contract("{{x}}", Syntax.FSTRING) != contract("{x}", Syntax.FSTRING)
    assert contract("{{{x}}}", Syntax.MUSTACHE) != contract("{{x}}", Syntax.MUSTACHE)
