"""What the output side asks for: the lines, the settings, and where none of it applies."""

import pytest

from costopt.compressors.base import NotApplicable, StrategyContext
from costopt.compressors.contract import PieceCounter, check_strategy, template_of
from costopt.compressors.max_tokens import most_longer
from costopt.compressors.registry import get

REASONING = ("chain-of-draft", "concise-cot", "sketch")
CONTEXT = StrategyContext(count=PieceCounter(), capabilities=frozenset({"effort"}))
STEPS = template_of("Solve the problem step by step.\n\nProblem: {problem}")
HOSTILE = (
    "", "   ", "x", "👩‍👩‍👧", "Step by step.\r\n\r\n{q}\r\n", "\ufeffThink step by step.\n{q}",
    "\ud800 step by step", "{{ step by step", "} step by step {",
)  # fmt: skip


def applied(name, template, context=CONTEXT, **params):
    strategy = get(name, **params)
    check_strategy(strategy, [template], context)
    return strategy.apply(template, context)


def test_the_line_goes_before_the_problem_and_asks_for_an_answer_line():
    assert applied("chain-of-draft", STEPS).text == (
        "Solve the problem step by step.\n\n"
        "Think step by step, but write each step as a draft of at most 5 words. "
        'End with a last line "Answer: …".\n\n'
        "Problem: {problem}"
    )
    assert "at most 1 word." in applied("chain-of-draft", STEPS, words=1).text


@pytest.mark.parametrize("name", REASONING)
@pytest.mark.parametrize(
    "text",
    [
        "Think step by step. End with #### and the number.\n\n{q}",
        "Show your work.\n\nQ: 1+1\nA: 1+1=2. 2\n\nQ: 2+2\nA: 2+2=4. 4\n\nQ: {q}\nA:",
        "Explain your reasoning, then write the final answer in capitals.\n\n{q}",
        "Think step by step.\n\n{q}\n\nSolution:",
    ],
)
def test_the_prompts_own_way_to_end_is_kept(name, text):
    after = applied(name, template_of(text)).text
    assert "Then give the answer in the format asked for." in after
    assert "Answer: …" not in after


@pytest.mark.parametrize("name", REASONING)
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Name the capital of {x}.", "does not ask for reasoning"),
        ("Do not explain your reasoning.\n\n{q}", "does not ask for reasoning"),
        ("Think step by step. Respond only with JSON.\n\n{q}", "JSON"),
        ("Think step by step. Give only the final answer.\n\n{q}", "the answer alone"),
        ("Be kind.\n\n```\nthink step by step\n```\n\n{q}", "does not ask for reasoning"),
    ],
)
def test_reasoning_is_shortened_only_where_there_is_any(name, text, reason):
    with pytest.raises(NotApplicable, match=reason):
        get(name).apply(template_of(text), CONTEXT)


@pytest.mark.parametrize("name", [*REASONING, "no-preamble", "effort"])
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts(name, text):
    from costopt.core.types import Syntax

    check_strategy(get(name), [template_of(text, syntax=Syntax.NONE)], CONTEXT)


@pytest.mark.parametrize("name", [*REASONING, "no-preamble"])
def test_long_texts_end(name):
    from costopt.core.types import Syntax

    long = template_of("Think step by step. " + "a" * 2_000_000, syntax=Syntax.NONE)
    assert len(get(name).apply(long, CONTEXT).text) > 2_000_000


def test_no_preamble_adds_its_line_unless_the_prompt_wants_one():
    assert applied("no-preamble", template_of("Explain.\n\nTerm: {t}")).text == (
        "Explain.\n\nNo greeting, no restating of the question, no closing remark.\n\nTerm: {t}"
    )
    with pytest.raises(NotApplicable, match="greet the"):
        get("no-preamble").apply(template_of("Greet the customer by name.\n\n{t}"), CONTEXT)
    denied = template_of("Do not greet the customer.\n\n{t}")
    assert "No greeting" in applied("no-preamble", denied).text


def test_effort_is_set_only_where_the_target_takes_it_and_is_never_raised():
    from dataclasses import replace

    assert applied("effort", STEPS).settings.effort == "low"
    assert applied("effort", STEPS, level="minimal").settings.effort == "minimal"
    low = replace(STEPS, settings=replace(STEPS.settings, effort="low"))
    assert applied("effort", low, level="medium") == low
    assert applied("effort", low, level="minimal").settings.effort == "minimal"
    with pytest.raises(NotApplicable, match="takes no reasoning effort"):
        get("effort").apply(STEPS, StrategyContext(count=PieceCounter()))


def lengths(*values):
    return StrategyContext(count=PieceCounter(), output_lengths=values)


def test_the_cap_is_the_longest_with_headroom():
    context = lengths(*range(1, 40), 38)
    after = applied("max-tokens", STEPS, context)
    assert after.settings.max_output_tokens == 49
    context.notes.clear()
    get("max-tokens").apply(STEPS, context)
    assert context.notes == [
        "cap 49 tokens: 0 of 40 answers were longer; at most 8 % would be (95 %)"
    ]


def test_the_cap_with_truncation_is_a_quantile():
    context = lengths(*range(1, 101))
    after = get("max-tokens", truncation=0.07).apply(STEPS, context)
    assert after.settings.max_output_tokens == 93
    assert context.notes == [
        "cap 93 tokens: 7 of 100 answers were longer; at most 13 % would be (95 %)"
    ]


def test_the_bound_is_exact():
    assert most_longer(0, 40) == pytest.approx(1 - 0.05 ** (1 / 40), abs=1e-9)
    assert most_longer(0, 1) == pytest.approx(0.95)
    # Tables of Clopper and Pearson, upper limits of the two-sided 90 % interval.
    assert most_longer(1, 10) == pytest.approx(0.3942, abs=1e-4)
    assert most_longer(5, 20) == pytest.approx(0.4556, abs=1e-4)
    assert most_longer(10, 10) == 1.0
