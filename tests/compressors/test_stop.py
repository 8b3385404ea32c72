"""stop: a sequence that ends the answer, and stands in no accepted one."""

from dataclasses import replace

import pytest

from costopt.compressors.base import NotApplicable, StrategyContext
from costopt.compressors.contract import PieceCounter, check_strategy, template_of
from costopt.compressors.registry import get
from costopt.core.errors import CostoptError
from costopt.core.types import GenerationSettings

LABEL = template_of("Label the ticket.\n\nTicket: {ticket}\nLabel:")


def context(*references):
    return StrategyContext(count=PieceCounter(), references=references)


def stops(template, *references, **params):
    strategy = get("stop", **params)
    given = context(*references)
    check_strategy(strategy, [template], given)
    after = strategy.apply(template, given)
    assert after.messages == template.messages
    return after.settings.stop


def test_one_line_answers_end_with_the_line():
    assert stops(LABEL, "billing", "delivery\n") == ("\n",)


def test_longer_answers_end_with_a_blank_line():
    assert stops(LABEL, "one\ntwo", "three") == ("\n\n",)
    assert stops(template_of("Respond in JSON.\n\n{x}"), '{"a": 1}') == ("\n\n",)


def test_a_sequence_of_ones_own_and_those_that_are_there():
    assert stops(LABEL, "billing", at="\\n\\n") == ("\n\n",)
    own = replace(LABEL, settings=GenerationSettings(stop=("###",)))
    assert stops(own, "billing") == ("###", "\n")
    broader = replace(LABEL, settings=GenerationSettings(stop=("\n",)))
    assert stops(broader, "billing", at="\\n\\n") == ("\n",)


@pytest.mark.parametrize(
    ("template", "references", "params", "reason"),
    [
        (LABEL, (), {}, "eval set"),
        (LABEL, ("a END b",), {"at": "END"}, "accepted answer holds 'END'"),
        (LABEL, ("a\n\nb",), {}, "accepted answer holds"),
        (template_of("Think step by step.\n\n{q}"), ("4",), {}, "reasoning"),
        (replace(LABEL, settings=GenerationSettings(stop=("a", "b", "c", "d"))), ("x",), {},
         "4 stop sequences"),
    ],
)  # fmt: skip
def test_where_none_is_safe(template, references, params, reason):
    with pytest.raises(NotApplicable, match=reason):
        get("stop", **params).apply(template, context(*references))


def test_an_empty_sequence_is_an_error():
    with pytest.raises(CostoptError, match="a text that ends the answer"):
        get("stop", at="")
