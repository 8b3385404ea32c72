import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.compressors.base import NotApplicable, Strategy, StrategyContext
from costopt.compressors.contract import SAMPLES, PieceCounter, check_strategy, template_of
from costopt.compressors.registry import entries, get, load
from costopt.core.types import PromptTemplate, Syntax

NAMES = [entry.name for entry in entries() if entry.extra is None]
CONTEXT = StrategyContext(count=PieceCounter(), output_lengths=(5, 9, 20))

PIECES = st.sampled_from(
    [
        "Please make sure that you answer politely. ",
        "It is very important that you read, and that you never guess. ",
        "Your task is to read the text and then to summarise it. ",
        "I would like you to answer in order to help. ",
        "Once again, never guess. ",
        "Never guess. ",
        "**Please note that** it is _very_ important that you `check`. ",
        "Do not use more than 30 words, unless asked. ",
        "an extremely helpful, very helpful answer ",
        'Say "please be  very kind" or \'no\'. ',
        "Thank you very much!",
        "{name}",
        "{question}   ",
        "\n",
        "\n\n\n\n",
        "\r\n",
        "\r\n\r\n\r\n",
        "- ",
        "1. ",
        "```json\n{\n  \"a\": [1.0, 2]\n}\n```\n",
        "```\nplease   \n",
        '\n{\n "k": 1, "k": 1e5\n}\n',
        "\n| a  | b |\n|:--|--:|\n| x   | y |\n",
        "<doc>\nplease\n</doc>",
        "Q: please?\nA: very\n\n",
        "Output format: JSON\n",
        "https://a.example/very?please=1 ",
        "请不要  👩‍👩‍👧 ",
        "\ufeff",
        "\u00a0 \u200d",
        "   ",
        "*", "`", '"', "'", "|", "[", "{{", "}}",
    ]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=14).map("".join)


@pytest.mark.parametrize("name", NAMES)
def test_every_strategy_keeps_the_contract_on_the_samples(name):
    check_strategy(get(name))


@pytest.mark.parametrize("name", NAMES)
@given(texts=st.lists(TEXTS, min_size=1, max_size=2))
@settings(max_examples=40, deadline=None)
def test_every_strategy_keeps_the_contract_on_generated_templates(name, texts):
    check_strategy(get(name), [template_of(*texts)], CONTEXT)


@pytest.mark.parametrize("name", NAMES)
@given(text=st.text(max_size=80))
@settings(max_examples=25, deadline=None)
def test_any_text_is_safe(name, text):
    check_strategy(get(name), [template_of(text, syntax=Syntax.NONE)], CONTEXT)


@pytest.mark.parametrize("entry", [e for e in entries() if e.extra is None], ids=lambda e: e.name)
def test_the_registry_agrees_with_the_classes(entry):
    cls = load(entry.name)
    told = (entry.name, entry.code, entry.side, entry.safety, entry.summary)
    assert told == (cls.name, cls.code, cls.side, cls.safety, cls.summary)


class Breaking(Strategy):
    """Breaks something.

    What it can break:
        All.

    Reference:
        None.
    """

    name = "breaking"
    code = "CO999"
    safety = "lossless"
    summary = "breaks"
    reference = "none"


def broken(apply, **attributes):
    return type("Broken", (Breaking,), {"apply": apply, **attributes})()


def with_text(template: PromptTemplate, text: str) -> PromptTemplate:
    message = dataclasses.replace(template.messages[-1], content=text)
    return dataclasses.replace(template, messages=(*template.messages[:-1], message))


@pytest.mark.parametrize(
    ("apply", "attributes", "says"),
    [
        (lambda s, t, c: with_text(t, "gone"), {}, "placeholder"),
        (lambda s, t, c: with_text(t, t.messages[-1].content + " x"), {}, "idempotent"),
        (lambda s, t, c: with_text(t, "Use 31 words: {q}"), {}, "30 words"),
        (lambda s, t, c: with_text(t, "Use 30 words, say: {q}"), {}, "grew"),
        (
            lambda s, t, c: dataclasses.replace(
                t, settings=dataclasses.replace(t.settings, max_output_tokens=9999)
            ),
            {"side": "output"},
            "raised",
        ),
        (lambda s, t, c: t, {"code": "X1"}, "code"),
        (lambda s, t, c: t, {"name": "Bad Name"}, "kebab"),
        (lambda s, t, c: t, {"__doc__": "Says nothing."}, "section"),
    ],
)
def test_check_strategy_can_fail(apply, attributes, says):
    with pytest.raises(AssertionError, match=says):
        check_strategy(broken(apply, **attributes), [template_of("Use 30 words: {q}")])


def test_a_strategy_that_is_not_applicable_passes():
    def apply(strategy, template, context):
        raise NotApplicable("no")

    check_strategy(broken(apply), SAMPLES)
