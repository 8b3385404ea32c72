"""schema-diet: fewer tokens; the same values are accepted and rejected."""

import json
from dataclasses import replace

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.compressors.base import StrategyContext
from costopt.compressors.contract import check_strategy, template_of
from costopt.compressors.guard import check
from costopt.compressors.registry import get, parse_spec
from costopt.compressors.schemas import bare, is_schemas, slim
from costopt.compressors.variants import propose
from costopt.core.types import GenerationSettings, Syntax
from costopt.costs.tokens import counter_for

COUNT = counter_for("o200k_base")
CONTEXT = StrategyContext(count=COUNT)
SCHEMA = {
    "title": "Booking",
    "type": ["object"],
    "properties": {
        "title": {"type": "string", "description": "Title."},
        "checkIn": {"type": "string", "description": "Day as YYYY-MM-DD, in local time."},
        "check_out": {"type": "string", "description": "Day as YYYY-MM-DD, in local time."},
        "guests": {"type": "integer", "minimum": 1, "examples": [2], "default": None},
        "room": {"$ref": "#/$defs/room"},
    },
    "required": [],
    "additionalProperties": True,
    "$defs": {
        "room": {"enum": ["single", "double"], "$comment": "ask sales"},
        "old": {"$ref": "#/$defs/older"},
        "older": {"type": "null"},
    },
}
SLIM = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "checkIn": {"type": "string", "description": "Day as YYYY-MM-DD, in local time."},
        "check_out": {"type": "string", "description": "As checkIn."},
        "guests": {"type": "integer", "minimum": 1},
        "room": {"$ref": "#/$defs/room"},
    },
    "$defs": {"room": {"enum": ["single", "double"]}},
}
TOOL = {
    "type": "function",
    "function": {"name": "book", "description": "Book a room.", "parameters": SCHEMA},
}


def plain(text):
    return template_of(text, syntax=Syntax.NONE)


def test_what_does_not_constrain_goes():
    assert slim(SCHEMA, COUNT) == SLIM
    assert slim(SLIM, COUNT) == SLIM
    tool = slim(TOOL, COUNT)["function"]
    assert (tool["name"], tool["description"], tool["parameters"]) == (
        "book", "Book a room.", SLIM,
    )  # fmt: skip


def test_schemas_of_the_settings():
    template = replace(
        plain("Book a room.\n\nx"),
        settings=GenerationSettings(tools=(TOOL,), response_schema=SCHEMA, max_output_tokens=9),
    )
    strategy = get("schema-diet")
    after = strategy.apply(template, CONTEXT)
    assert after.settings.response_schema == SLIM
    assert after.messages == template.messages
    assert strategy.apply(after, CONTEXT) == after
    (variant,) = propose(template, [parse_spec("schema-diet")], CONTEXT)
    assert variant.rejected is None
    assert COUNT(variant.template.schemas) < 0.7 * COUNT(template.schemas)


def test_schemas_in_the_text_are_written_compactly():
    text = f"Tools:\n\n```json\n{json.dumps([TOOL], indent=2)}\n```\n\nTicket: x"
    after = get("schema-diet").apply(plain(text), CONTEXT).text
    short = json.dumps(slim([TOOL], COUNT), separators=(",", ":"))
    assert after == f"Tools:\n\n```json\n{short}\n```\n\nTicket: x"
    check_strategy(get("schema-diet"), [plain(text)], CONTEXT)


@pytest.mark.parametrize(
    "value",
    [
        {"title": "x", "properties": 3},
        {"a": 1},
        [],
        [TOOL, 3],
        {"name": "x", "title": "y"},
        3,
        None,
    ],
)
def test_other_json_is_no_schema(value):
    assert not is_schemas(value)
    text = f"Data:\n\n{json.dumps(value, indent=2)}\n\nx"
    assert get("schema-diet").apply(plain(text), CONTEXT).text == text


def refused(old, new):
    strategy = get("schema-diet")
    pair = (plain(f"Schema:\n\n{json.dumps(one)}\n\nx") for one in (old, new))
    return check(*pair, strategy.safety, strategy.side, strategy.rewrites).rejected


def test_the_guard_sees_what_constrains():
    assert refused(SCHEMA, SLIM) is None
    for change in (
        {"required": ["title"]},
        {"additionalProperties": False},
        {"type": "array"},
        {"properties": {**SLIM["properties"], "guests": {"type": "integer"}}},
        {"properties": {n: s for n, s in SLIM["properties"].items() if n != "room"}},
    ):
        assert refused(SCHEMA, {**SLIM, **change}), change
    told = {
        **SLIM,
        "properties": {**SLIM["properties"], "title": {"type": "string", "description": "Evil"}},
    }
    assert "description changed" in refused(SCHEMA, told)
    assert refused(SCHEMA, {"a": 1})


SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab", max_size=3)
INSTANCES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "title"]), inner, max_size=3)
    ),
    max_leaves=6,
)
LEAVES = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["string", "integer", ["null"], ["string", "null"], "object"]),
        "enum": st.lists(SCALARS, min_size=1, max_size=3),
        "minLength": st.sampled_from([0, 2]),
        "minItems": st.sampled_from([0, 1]),
        "uniqueItems": st.booleans(),
        "title": st.just("T"), "$comment": st.just("c"), "description": st.just("a"),
        "default": SCALARS, "examples": st.just([1]), "$ref": st.just("#/$defs/d"),
    },
)  # fmt: skip


def nested(inner):
    return st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["object", ["object"], "array"]),
            "properties": st.dictionaries(st.sampled_from(["a", "b", "title"]), inner, max_size=3),
            "required": st.lists(st.sampled_from(["a", "title"]), max_size=2, unique=True),
            "additionalProperties": st.booleans() | inner,
            "items": inner, "anyOf": st.lists(inner, min_size=1, max_size=2), "not": inner,
            "unevaluatedProperties": st.booleans(), "title": st.just("T"),
        },
    )  # fmt: skip


SCHEMAS = st.builds(
    lambda schema, defs: {**schema, "$defs": {"d": defs, "e": {"title": "x"}}},
    st.recursive(LEAVES, nested, max_leaves=5),
    LEAVES.map(lambda leaf: {k: v for k, v in leaf.items() if k != "$ref"}),
)


@given(SCHEMAS, st.lists(INSTANCES, min_size=1, max_size=6))
@settings(max_examples=300, deadline=None)
def test_the_same_values_are_accepted(schema, instances):
    small, nothing = slim(schema, COUNT), bare(schema)
    for instance in instances:
        verdicts = {
            jsonschema.Draft202012Validator(one).is_valid(instance)
            for one in (schema, small, nothing)
        }
        assert len(verdicts) == 1, (schema, small, instance)


@given(SCHEMAS)
@settings(deadline=None)
def test_slim_is_idempotent_and_bare_of_both_is_equal(schema):
    small = slim(schema, COUNT)
    assert slim(small, COUNT) == small
    assert bare(small) == bare(schema)


def test_deep_and_cyclic_references_end():
    deep = {"type": "string"}
    for _ in range(150):
        deep = {"type": "object", "title": "x", "properties": {"a": deep}}
    text = json.dumps(deep)
    assert get("schema-diet").apply(plain(text), CONTEXT).text == text
    cyclic = {"properties": {"a": {"$ref": "#"}}, "$defs": {"x": {"$ref": "#/$defs/x"}}}
    assert slim(cyclic, COUNT) == cyclic
