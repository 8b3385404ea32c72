"""Cheaper models of the same provider: only such, and only ones that can take the prompt."""

from datetime import date

import pytest

from costopt.costs import price_table
from costopt.costs.prices import price_for, usd
from costopt.costs.suggest import cheaper_models

ON = date(2026, 11, 1)
MODELS = ["openai:gpt-4o", "openai:o3", "anthropic:claude-opus-4-5", "google:gemini-2.5-pro"]


@pytest.mark.parametrize("ref", MODELS)
@pytest.mark.parametrize(("input", "output"), [(1000, 20), (100, 2000), (150_000, 500)])
def test_each_is_of_the_same_provider_cheaper_and_large_enough(
    ref: str, input: int, output: int
) -> None:
    own = price_for(ref, on=ON)
    assert own is not None
    before = usd(own, input=input, output=output)
    found = cheaper_models(ref, input=input, output=output, on=ON)
    assert before is not None
    assert found
    assert len({one.model for one in found}) == len(found)
    for one in found:
        assert one.model.partition(":")[0] == ref.partition(":")[0]
        assert one.usd_per_1k < before * 1000
        assert one.ratio == pytest.approx(float(one.usd_per_1k / before / 1000))
        entry = price_table.find(one.model)
        assert entry is not None
        assert not entry.model.deprecated
        assert (entry.model.context_window or 0) >= input + output


def test_the_prices_are_those_in_force_on_the_day() -> None:
    # o3 was five times as dear in May 2025.
    then, now = (
        {c.model: c.ratio for c in cheaper_models("openai:o3", input=1000, output=100, on=day)}
        for day in (date(2025, 5, 1), ON)
    )
    assert min(then.values()) < min(now.values())


def test_a_longer_prompt_leaves_out_what_cannot_take_it() -> None:
    def rooms(longest: int) -> list[int]:
        found = cheaper_models(
            "openai:gpt-4o", input=1000, output=100, longest=longest, on=ON, most=99
        )
        entries = [price_table.find(one.model) for one in found]
        return [entry.model.context_window or 0 for entry in entries if entry]

    assert min(rooms(1100)) < 500_000 <= min(rooms(500_000))


@pytest.mark.parametrize("ref", ["ollama:llama3.2", "mine", "embedded"])
def test_a_model_of_no_known_provider_has_none(ref: str) -> None:
    assert cheaper_models(ref, input=1000, output=100, on=ON) == ()
