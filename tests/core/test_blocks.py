"""Blocks of a text: what is code or JSON also in odd places, and in texts made to be slow."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.core.blocks import MAX_DEPTH, fences, json_blocks, parse_json
from costopt.core.ranges import Ranges


def bodies(text):
    return [text[fence.body_start : fence.body_end] for fence in fences(text)]


def test_a_fence_may_follow_a_byte_order_mark():
    assert bodies("\ufeff```py\nx = 1\n```\n") == ["x = 1\n"]
    assert bodies("a \ufeff```py\nx = 1\n") == []


def test_a_fence_of_tildes_may_say_anything():
    assert bodies("~~~~ a ~ b\nx\n~~~~") == ["x\n"]
    assert bodies("~" * 200_000 + "`\n") == []


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_json_may_be_nested_a_hundred_levels_deep(opening):
    def nested(depth):
        return opening * depth + "[]" + {"[": "]"}.get(opening, "}") * depth

    whole = nested(MAX_DEPTH - 1)
    assert list(json_blocks(whole)) == [(0, len(whole))]
    for depth in (MAX_DEPTH, 900, 100_000):
        with pytest.raises(ValueError, match="nested"):
            parse_json(nested(depth))


@pytest.mark.parametrize("part", ["[1 ", '["a" ', "[tru ", '["x\n', '{"a":'])
def test_json_that_never_ends_is_given_up(part):
    assert list(json_blocks(part * 100_000)) == []


@given(st.lists(st.sampled_from(['{"a": [1]}', "[x", "[1 ", "\n", "[[2]]"]), max_size=30))
def test_json_is_found_behind_any_number_of_errors(parts):
    text = f"[1 {'a' * 20}" * 500 + "".join(parts)
    found = [text[start:end] for start, end in json_blocks(text)]
    assert all(json.loads(block) in ({"a": [1]}, [[2]]) for block in found)
    if "[1 " not in parts and "[x" not in parts:
        assert len(found) == sum(part[-1] in "]}" for part in parts)


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(1, 9)).map(lambda r: (r[0], r[0] + r[1]))),
    st.integers(0, 20),
    st.integers(1, 9),
)
def test_ranges_are_looked_up_as_if_each_was_tried(ranges, start, size):
    tried = any(a < start + size and b > start for a, b in ranges)
    assert Ranges(ranges).touch(start, start + size) == tried
