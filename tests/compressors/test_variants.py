import pytest

from costopt.compressors.base import StrategyContext
from costopt.compressors.contract import PieceCounter, template_of
from costopt.compressors.registry import parse_spec
from costopt.compressors.variants import (
    CONTROLS,
    DEFAULT_CHAINS,
    HARMFUL,
    lossless_chains,
    propose,
)
from costopt.core.errors import CostoptError
from costopt.core.types import StrategySpec

CONTEXT = StrategyContext(count=PieceCounter(), output_lengths=(10, 20, 30))
TEMPLATE = template_of("Please read the text carefully.   \n\n\n\nText: {text}")


def variant(chain, template=TEMPLATE, context=CONTEXT):
    (found,) = propose(template, [parse_spec(chain)], context)
    return found


def test_a_chain_has_name_side_and_safety():
    found = variant("whitespace+filler+concise:style=sentence")
    assert found.name == "whitespace+filler+concise:style=sentence"
    assert (found.side, found.safety, found.rejected) == ("output", "lossy", None)
    assert found.template.text == (
        "Read the text carefully.\n\nAnswer in one short sentence.\n\nText: {text}"
    )
    assert variant("whitespace").safety == "lossless"


def test_what_changes_nothing_says_so():
    assert variant("json-minify").rejected == "no change"


def test_what_saves_no_tokens_is_rejected():
    context = StrategyContext(count=lambda text: 7)
    found = variant("whitespace", context=context)
    assert found.rejected.startswith("saves no tokens")


def test_what_is_not_applicable_says_why():
    context = StrategyContext(count=PieceCounter())
    assert "no output lengths" in variant("max-tokens", context=context).rejected
    assert variant("filler+max-tokens", context=context).rejected.startswith("max-tokens: ")


def test_the_guard_is_asked(monkeypatch):
    from costopt.compressors import whitespace

    monkeypatch.setattr(whitespace.Whitespace, "_tidy", lambda self, text, syntax: "gone")
    assert "placeholder" in variant("whitespace").rejected
    assert variant("filler+whitespace").rejected.startswith("whitespace: ")


def test_what_a_lossy_chain_dropped_is_listed_under_an_output_side_too():
    template = template_of("Never use more than 9 words.\n\nNever use more than 9 words.\n\n{x}")
    assert variant("repeated-rule+max-tokens", template).dropped == (
        "9 words",
        "never",
        "more than",
    )
    assert variant("whitespace+max-tokens", template).dropped == ()


def test_what_stands_in_data_of_another_format_is_not_dropped():
    rows = "".join(f"| Plan {at}   | never more than {at} USD |   x   |\n" for at in range(6))
    template = template_of(
        f"Please read this.\n\n| Plan     | Rule     |   z   |\n|:---|:---|:---|\n{rows}\n{{x}}"
    )
    for chain in ("data-format", "filler+data-format"):
        found = variant(chain, template=template)
        assert found.rejected is None
        assert "```csv" in found.template.text
        assert found.dropped == ()


def test_max_tokens_changes_settings_only():
    found = variant("max-tokens")
    assert found.template.messages == TEMPLATE.messages
    assert found.template.settings.max_output_tokens == 38
    assert variant("max-tokens:truncation=0.7").template.settings.max_output_tokens == 10
    assert found.rejected is None


def test_token_budget_takes_the_measured_median():
    assert "Use at most 10 words" in variant("token-budget").template.text
    assert variant("token-budget").notes == ("budget of 14 tokens, stated as 10 words",)
    assert "Use at most 1 word " in variant("token-budget:tokens=1").template.text


def test_controls():
    found = {v.name: v for v in propose(TEMPLATE, CONTROLS, CONTEXT)}
    assert set(found) == {"none", "answer-concisely", HARMFUL}
    assert all(v.control and v.rejected is None for v in found.values())
    assert found["none"].template == found[HARMFUL].template == TEMPLATE
    assert found["answer-concisely"].side == "output"


def test_default_chains_are_singles_that_exist_and_never_controls():
    assert all(len(chain) == 1 for chain in DEFAULT_CHAINS)
    assert not any(v.control for v in propose(TEMPLATE, DEFAULT_CHAINS, CONTEXT))
    names = {spec.name for chain in lossless_chains(DEFAULT_CHAINS) for spec in chain}
    assert names == {"whitespace", "json-minify", "table-compact"}


def test_chains_can_be_keys():
    assert len({parse_spec("token-budget:tokens=3"), parse_spec("token-budget:tokens=3")}) == 1


def test_an_unknown_strategy_is_an_error():
    with pytest.raises(CostoptError, match="unknown strategy"):
        propose(TEMPLATE, [(StrategySpec("nope"),)], CONTEXT)
