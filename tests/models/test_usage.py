"""Providers' usage, as our inclusive totals: each family's rules, and no count that is none."""

from typing import Any

import provider_answers as shapes
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.core.types import Usage
from costopt.models.usage import chat_usage, inclusive, without_cache

count = st.integers(0, 10**6)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (shapes.OPENAI, Usage(1000, 50, cache_read=800, reasoning=20)),
        (shapes.OPENROUTER, Usage(1000, 50, cache_read=600, cache_write=300, reasoning=20)),
        (shapes.DEEPSEEK, Usage(1000, 50, cache_read=800, reasoning=20)),
        (shapes.MOONSHOT, Usage(1000, 50, cache_read=800)),
        (shapes.XAI, Usage(1000, 50, cache_read=800, reasoning=20)),
        (shapes.GROQ, Usage(1000, 50, cache_read=800, reasoning=20)),
        (shapes.MISTRAL, Usage(1000, 50, cache_read=800)),
    ],
    ids=["openai", "openrouter", "deepseek", "moonshot", "xai", "groq", "mistral"],
)
def test_each_provider_s_shape(found: dict[str, Any], expected: Usage) -> None:
    assert chat_usage(found) == expected


def test_reasoning_beside_the_completion_without_a_total() -> None:
    found = {key: value for key, value in shapes.XAI.items() if key != "total_tokens"}
    assert chat_usage(found, reasoning_apart=True) == Usage(1000, 50, cache_read=800, reasoning=20)
    # Nothing says that it is apart, so it is taken as a part.
    assert chat_usage(found) == Usage(1000, 30, cache_read=800, reasoning=20)


def test_a_total_that_includes_reasoning_goes_before_what_is_known_of_the_provider() -> None:
    assert chat_usage(shapes.OPENAI, reasoning_apart=True) == chat_usage(shapes.OPENAI)


def test_more_reasoning_than_completion_is_apart() -> None:
    details = {"reasoning_tokens": 90}
    found = {"prompt_tokens": 5, "completion_tokens": 10, "completion_tokens_details": details}
    assert chat_usage(found) == Usage(5, 100, reasoning=90)


@pytest.mark.parametrize("found", [{}, {"prompt_tokens": 0}, {"prompt_tokens": None}])
def test_nothing_counted_is_no_usage(found: dict[str, Any]) -> None:
    assert chat_usage(found) is None


@pytest.mark.parametrize("value", [-1, 1.5, "9", True, float("inf"), float("nan"), 10**30, [1]])
@pytest.mark.parametrize("name", ["prompt_tokens", "completion_tokens", "total_tokens"])
def test_a_count_that_is_none(name: str, value: object) -> None:
    with pytest.raises(ValueError, match="no number of tokens"):
        chat_usage({"prompt_tokens": 1, "completion_tokens": 1, name: value})


def test_a_whole_number_with_a_point_is_one() -> None:
    assert chat_usage({"prompt_tokens": 9.0, "completion_tokens": 2}) == Usage(9, 2)


@pytest.mark.parametrize("details", [None, [], "x", {"cached_tokens": None}])
def test_details_that_are_none(details: object) -> None:
    found = {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": details}
    assert chat_usage(found) == Usage(9, 2)


@given(count, count, count, count, count)
def test_parts_never_exceed_their_totals(a: int, b: int, c: int, d: int, e: int) -> None:
    usage = inclusive(input=a, output=b, cache_read=c, cache_write=d, reasoning=e)
    assert (usage.input, usage.output) == (a, b)
    assert without_cache(usage) == Usage(a, b, reasoning=min(e, b))


@given(count, count, count, count, st.booleans())
def test_no_token_is_lost(prompt: int, said: int, cached: int, thought: int, apart: bool) -> None:
    usage = chat_usage(
        {
            "prompt_tokens": prompt,
            "completion_tokens": said if apart else said + thought,
            "total_tokens": prompt + said + thought,
            "prompt_tokens_details": {"cached_tokens": cached},
            "completion_tokens_details": {"reasoning_tokens": thought},
        }
    )
    if usage is not None:
        assert usage.input == prompt
        assert usage.output == said + thought
