from dataclasses import replace

import pytest

from costopt.compressors.contract import template_of
from costopt.compressors.guard import check
from costopt.core.types import GenerationSettings, Message, Syntax


def verdict(before, after, safety="lossy", side="input", syntax=Syntax.FSTRING):
    old, new = template_of(before, syntax=syntax), template_of(before, syntax=syntax)
    new = replace(new, messages=(Message("user", after),))
    return check(old, new, safety, side)


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("Answer {q} now", "Answer now", "placeholder"),
        ("Answer {q} {c}", "Answer {c} {q}", "order of a placeholder"),
        ("Answer {q}", "Answer {q} {q}", "appeared"),
        ("```py\nx = 1\n```", "```py\nx = 2\n```", "code block"),
        ("```py\nx = 1\n```", "```js\nx = 1\n```", "code block"),
        ("```json\n{\"a\": 1.0}\n```", '```json\n{"a": 1}\n```', "code block"),
        ("Use `a_b` here", "Use a_b here", "inline code"),
        ('Like {"a": 1, "b": 2}', 'Like {"b": 2, "a": 1}', "JSON"),
        ('Like {"a": 1, "a": 2}', 'Like {"a": 2}', "JSON"),
        ('Like {"a": "1"}', 'Like {"a": 1}', "JSON"),
        ("x\n|a|b|\n|-|-|\n|1|2|\n", "x\n|a|b|\n|-|-|\n|1|3|\n", "table"),
        ("x\n|a|b|\n|:-|-|\n|1|2|\n", "x\n|a|b|\n|-|-|\n|1|2|\n", "table"),
        ("<doc>text</doc>", "<doc>text", "tag"),
        ("Sum up.\nOutput format: a list", "Sum up.", "format specification"),
        ("Sum up. Respond in valid JSON only.", "Sum up. Respond only.", "format specification"),
        ("Sum up", "   ", "nothing is left"),
        ("Answer {q}", "Answer {q}}", None),
    ],
)  # fmt: skip
def test_refusals_say_what_was_lost(before, after, says):
    result = verdict(before, after)
    assert (result.rejected is None) == (says is None)
    assert says is None or says in result.rejected


def test_a_template_that_no_longer_parses_is_refused():
    result = verdict("{% if a %}x{% endif %}", "{% if a %}x", syntax=Syntax.JINJA)
    assert "no longer parses" in result.rejected


def test_roles_and_their_order():
    before = template_of("a", "b")
    swapped = replace(before, messages=before.messages[::-1])
    assert "roles changed" in check(before, swapped, "lossy", "input").rejected


def test_variables_and_settings():
    before = template_of("a {x}")
    renamed = replace(before, variables=("y",))
    assert "variables" in check(before, renamed, "lossy", "input").rejected
    capped = replace(before, settings=GenerationSettings(max_output_tokens=9))
    assert "settings" in check(before, capped, "lossy", "input").rejected
    assert check(before, capped, "lossy", "output").rejected is None


def test_anchors_are_refused_when_lossless_and_listed_when_lossy():
    before = 'Never write more than 30 words about "cats", see https://a.example/b.'
    lossy = verdict(before, "Write about cats.")
    assert lossy.rejected is None
    assert set(lossy.dropped) == {"never", "more than", "30 words", '"cats"', "https://a.example/b"}
    lossless = verdict(before, "Write about cats.", "lossless")
    assert "lossless" in lossless.rejected
    assert "https://a.example/b" in lossless.rejected


def test_the_output_side_adds_and_takes_nothing_away():
    assert verdict("a\nb {x}", "a\nBe brief.\n\nb {x}", side="output").rejected is None
    assert "took away" in verdict("a\nb {x}", "Be brief.\nb {x}", side="output").rejected


def test_parse_equal_edits_pass():
    before = (
        '# T\n\n| a  | b |\n|:---|--:|\n| `x|y` | 1 |\n\n{"a": [1.0,  {}]}\n```json\n[ 1 ]\n```'
    )
    after = '# T\n\n|a|b|\n|:-|-:|\n|`x|y`|1|\n\n{"a":[1.0,{}]}\n```json\n[1]\n```'
    assert verdict(before, after, "lossless", syntax=Syntax.NONE).rejected is None
