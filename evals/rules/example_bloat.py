"""CO504: few-shot examples that are most of the prompt, or that repeat one another."""

from collections.abc import Iterator, Sequence

from ...compressors.example_units import Turn, example_units
from ...compressors.units import Unit
from ...core.anchors import anchors
from ...core.types import Syntax
from .base import Case, Hit, Rule, per_1k

_SHARE = 0.5
_LEAST_TOKENS = 300
_FEWEST = 4
_ALIKE = 90.0
_LEAST_CHARACTERS = 40
_MOST_COMPARED = 200


def _find(case: Case) -> Iterator[Hit]:
    units = example_units(case.template)
    counts = [case.tokens(unit.text) for unit in units]
    yield from _bloat(case, units, counts)
    yield from _duplicates(case, units[:_MOST_COMPARED], counts)


def _bloat(case: Case, units: Sequence[Unit | Turn], counts: Sequence[int]) -> Iterator[Hit]:
    total, whole = sum(counts), case.template_tokens
    if len(units) < _FEWEST or total < _LEAST_TOKENS or total <= _SHARE * whole:
        return
    # What is left where the one longest example stays, so that the format is still shown.
    spare = total - max(counts)
    yield Hit(
        message=f"{len(units)} examples are {total:,} of the prompt's {whole:,} tokens "
        f"({total / whole:.0%}): `examples` (CO220) finds the fewest that do as well",
        at=_range(case, units[0]),
        tokens=spare,
        usd_per_1k=per_1k(spare, case.main.input),
    )


def _duplicates(case: Case, units: Sequence[Unit | Turn], counts: Sequence[int]) -> Iterator[Hit]:
    for index, unit in enumerate(units):
        earlier = next((other for other in units[:index] if _alike(unit.text, other.text)), None)
        if earlier is not None:
            place = _range(case, earlier)
            line = case.places.at(place[0], place[1]).line
            yield Hit(
                message=f"this example is nearly the one on line {line}, with the same answer",
                at=_range(case, unit),
                tokens=counts[index],
                usd_per_1k=per_1k(counts[index], case.main.input),
            )


def _alike(one: str, other: str) -> bool:
    """Whether two examples ask nearly the same and answer the same."""
    from rapidfuzz import fuzz

    if min(len(one), len(other)) < _LEAST_CHARACTERS or _answer(one) != _answer(other):
        return False
    if fuzz.ratio(one.casefold(), other.casefold(), score_cutoff=_ALIKE) < _ALIKE:
        return False
    return anchors(one, Syntax.NONE) == anchors(other, Syntax.NONE)


def _answer(text: str) -> str:
    return text.strip().rpartition("\n")[2].strip().casefold()


def _range(case: Case, unit: Unit | Turn) -> tuple[int, int, int]:
    if isinstance(unit, Unit):
        return unit.message, unit.start, unit.end
    return unit.message, 0, len(case.template.messages[unit.message].content)


RULE = Rule(
    code="CO504",
    name="example-bloat",
    summary="examples are most of the prompt, or repeat one another",
    find=_find,
    why="Examples are paid for in every request, and fewer of them may do as well. Listed are "
    "prompts with four examples or more that are over half of the prompt's tokens (and 300 tokens "
    "or more), and examples that nearly repeat another one with the same numbers and the same "
    "answer. `--strategy examples` measures which ones may go.",
    before="Name the team that a ticket is for.\n\n"
    "Ticket: The printer on the second floor is out of paper again.\nTeam: facilities\n\n"
    "Ticket: I cannot sign in to the payroll site since this morning.\nTeam: accounts\n\n"
    "Ticket: The printer on the second floor is out of paper, again!\nTeam: facilities\n\n"
    "Ticket: {{ ticket }}\nTeam:\n",
    after="Name the team that a ticket is for.\n\n"
    "Ticket: The printer on the second floor is out of paper again.\nTeam: facilities\n\n"
    "Ticket: I cannot sign in to the payroll site since this morning.\nTeam: accounts\n\n"
    "Ticket: {{ ticket }}\nTeam:\n",
    ignore="Where each example was measured to be needed, or the examples stand in a prefix that "
    "the provider caches.",
    money="Of examples that are most of the prompt: all but the longest one, the most that can be "
    "saved. Of a repeated one: its own tokens.",
)
