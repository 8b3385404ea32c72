import pytest

from costopt.compressors.contract import template_of
from costopt.compressors.placement import add_instruction, insert, insertion_point
from costopt.core.blocks import fences
from costopt.core.types import Syntax

LINE = "Be brief."


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Sum up.", "Sum up.\n\nBe brief."),
        ("Sum up.\n", "Sum up.\n\nBe brief.\n"),
        ("Sum up.\r\n\r\nText: {x}", "Sum up.\r\n\r\nBe brief.\r\n\r\nText: {x}"),
        ("Sum up.\n\nHere is the text:\n\n{x}\n\nAnswer:",
         "Sum up.\n\nBe brief.\n\nHere is the text:\n\n{x}\n\nAnswer:"),
        ("Sum up.\n\n<doc>\n\n{x}\n</doc>", "Sum up.\n\nBe brief.\n\n<doc>\n\n{x}\n</doc>"),
        ("Sum up.\n\n```\nold\n\n{x}\n```", "Sum up.\n\nBe brief.\n\n```\nold\n\n{x}\n```"),
        ("Sum up.\n\n## Text\n\n{x}", "Sum up.\n\nBe brief.\n\n## Text\n\n{x}"),
        ("Sum up {x}.", "Be brief.\n\nSum up {x}."),
        ("Sum up.\n\nQ: 1\nA:", "Sum up.\n\nBe brief.\n\nQ: 1\nA:"),
        ("Sum up.\n\n```\nnever closed", "Sum up.\n\nBe brief.\n\n```\nnever closed"),
        ("Sum up.\n\nBe brief.\n\n{x}", "Sum up.\n\nBe brief.\n\n{x}"),
    ],
)  # fmt: skip
def test_it_goes_to_the_end_of_the_static_part(before, after):
    assert insert(before, LINE, Syntax.FSTRING) == after


def test_no_statement_is_entered():
    text = "Sum up.\n\n{% for d in docs %}\n\n{{ d }}\n{% endfor %}"
    after = "Sum up.\n\nBe brief.\n\n{% for d in docs %}\n\n{{ d }}\n{% endfor %}"
    assert insert(text, LINE, Syntax.JINJA) == after


def test_the_system_message_takes_it():
    after = add_instruction(template_of("Sum up.", "{x}"), LINE)
    assert [m.content for m in after.messages] == ["Sum up.\n\nBe brief.", "{x}"]


def test_an_example_turn_does_not():
    roles = ("user", "assistant", "user")
    after = add_instruction(template_of("1", "2", "3 {x}", roles=roles), LINE)
    assert [m.content for m in after.messages] == ["1", "2", "Be brief.\n\n3 {x}"]


def test_an_empty_prompt_stays_empty():
    assert add_instruction(template_of(" "), LINE).text == " "


def test_an_instruction_never_lands_inside_a_fence_that_an_unbalanced_one_opened() -> None:
    fence = '```json\n{\n  "a": 1\n}\n```'
    text = f"Be kind. {fence}\nBe kind.\n\n\n\n{fence}\n{{name}}"
    at = insertion_point(text, Syntax.FSTRING)
    assert not any(found.start < at < found.end for found in fences(text))
