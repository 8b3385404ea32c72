"""json-keys: short in the answer, long again in what is scored."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.compressors.base import NotApplicable, StrategyContext
from costopt.compressors.contract import check_strategy, template_of
from costopt.compressors.json_keys import JsonKeys
from costopt.compressors.registry import build, get
from costopt.compressors.variants import propose
from costopt.core.errors import CostoptError
from costopt.core.types import GenerationSettings, StrategySpec, Syntax
from costopt.costs.tokens import counter_for

CONTEXT = StrategyContext(count=counter_for("o200k_base"))
SCHEMA = {
    "type": "object",
    "properties": {
        "order_number": {"type": "string"},
        "priority_level": {"type": "string", "enum": ["very urgent", "not urgent"]},
        "line_items": {
            "type": "array",
            "items": {"type": "object", "properties": {"unit_price": {"type": "number"}}},
        },
    },
    "required": ["order_number", "priority_level"],
    "additionalProperties": False,
}


def with_schema(text="Extract the order.\n\n{email}", schema=SCHEMA):
    from dataclasses import replace

    template = template_of(text)
    return replace(template, settings=GenerationSettings(response_schema=schema))


def plain(text):
    return template_of(text, syntax=Syntax.NONE)


def test_the_line_names_each_key_that_gets_shorter():
    text = 'Return JSON: {"customer_name": "Ann Lee", "order_number": 7}\n\nEmail: x'
    strategy = JsonKeys().bind(plain(text), CONTEXT)
    assert strategy.keys == "customer_name=c;order_number=o"
    after = strategy.apply(plain(text), CONTEXT)
    assert "Write the JSON with short keys: c for customer_name, o for order_number." in after.text
    check_strategy(strategy, [plain(text)], CONTEXT)


def test_what_was_bound_is_what_the_variants_chain_names():
    text = 'Return JSON: {"customer_name": "Ann Lee"}\n\nEmail: x'
    (variant,) = propose(plain(text), [(StrategySpec("json-keys"),)], CONTEXT)
    assert variant.rejected is None
    assert variant.chain[0].params == {"keys": "customer_name=c"}
    assert variant.name == "json-keys:keys=customer_name=c"
    assert build(variant.chain[0]).restore('{"c": 1}') == '{"customer_name": 1}'


def test_a_response_schema_gets_the_short_forms_too():
    template = with_schema()
    strategy = JsonKeys().bind(template, CONTEXT)
    after = strategy.apply(template, CONTEXT)
    schema = after.settings.response_schema
    assert set(schema["properties"]) == {"o", "p", "l"}
    assert schema["required"] == ["o", "p"]
    assert schema["properties"]["p"]["enum"] == ["v", "n"]
    assert "Values of priority_level: v for very urgent, n for not urgent." in after.text
    answer = '{"o": "A1", "p": "n", "l": [{"u": 2.5}]}'
    assert json.loads(strategy.restore(answer)) == {
        "order_number": "A1", "priority_level": "not urgent", "line_items": [{"unit_price": 2.5}],
    }  # fmt: skip
    check_strategy(JsonKeys(), [template], CONTEXT)


def test_answers_with_long_keys_and_text_around_stay_readable():
    strategy = JsonKeys(keys="order_number=o", values="state.on its way=w")
    told = 'Sure:\n```json\n{"order_number": "o", "state": "w", "other": ["w"]}\n```\nDone [1].'
    restored = strategy.restore(told)
    assert '{"order_number": "o", "state": "on its way", "other": ["w"]}' in restored
    assert restored.startswith("Sure:")
    assert restored.endswith("Done [1].")
    assert strategy.restore("no JSON") == "no JSON"
    assert strategy.restore('{"o": 1, "order_number": 2}') == '{"o": 1, "order_number": 2}'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Summarise this.\n\nx", "not clear"),
        ('Return JSON: {"a": 1}\n\nx', "no key"),
        ('Return JSON as in one of:\n{"aa_b": 1}\n{"cc_d": 1}\n\nx', "not clear"),
    ],
)
def test_prompts_without_such_json_say_so(text, reason):
    with pytest.raises(NotApplicable, match=reason):
        JsonKeys().apply(plain(text), CONTEXT)


@pytest.mark.parametrize("keys", ["a", "a=b;a=c", "a=b;c=b", "=b", "a="])
def test_malformed_keys(keys):
    with pytest.raises(CostoptError, match="LONG=SHORT"):
        get("json-keys", keys=keys)
    with pytest.raises(CostoptError, match=r"KEY\.LONG"):
        get("json-keys", values="long=s")


@pytest.mark.parametrize(
    "answer", ["", "{" * 5000, "[" * 100_000, '{"o": ' * 3000, "\ud800{}", '{"o": NaN}', "{}" * 500]
)
def test_hostile_answers_stay_but_for_the_keys_of_what_is_whole(answer):
    whole = answer.replace('"o": NaN', '"order_number": NaN')
    assert JsonKeys(keys="order_number=o").restore(answer) == whole


NAMES = st.sampled_from(["customer_name", "order_number", "unit_price", "a", "b"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=4))
def test_what_is_written_short_is_restored(value):
    strategy = JsonKeys(keys="customer_name=c;order_number=o;unit_price=u")
    short = {"customer_name": "c", "order_number": "o", "unit_price": "u"}

    def shorten(one):
        if isinstance(one, dict):
            return {short.get(k, k): shorten(v) for k, v in one.items()}
        return [shorten(v) for v in one] if isinstance(one, list) else one

    assert json.loads(strategy.restore(json.dumps(shorten(value)))) == value
    assert json.loads(strategy.restore(json.dumps(value))) == value


def test_real_tokens_are_saved():
    strategy = JsonKeys().bind(with_schema(), CONTEXT)
    long = '{"order_number": "A1", "priority_level": "very urgent"}'
    keys, short = strategy.keys, long
    for pair in keys.split(";"):
        name, _, letter = pair.partition("=")
        short = short.replace(f'"{name}"', f'"{letter}"')
    assert CONTEXT.count(short) < CONTEXT.count(long)
