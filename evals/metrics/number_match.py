r"""Number match: the answer's final number is the reference's.

Inputs: an answer and one or more accepted numbers (JSON numbers, or texts that hold one). Range: 0
or 1, higher is better. The number after the last "answer is", "answer:", "####" or "\boxed{" is
read (behind the last equals sign of that line); where there is none, the last number of the
answer. Thousands separators, a currency sign, a percent sign and units do not count; a comma before
one or two last digits is a decimal comma. Values agree within a millionth of the reference.
Limitations: numbers in words ("twelve") and fractions ("3/4") are not read; 50 % is 50, not 0.5;
"1.234" is a decimal, whatever the language; digits that are part of a word ("H2O") are skipped.
Format audit: strictly, the answer is the number and nothing else, but for its currency, percent
sign and a final stop; tolerantly, any number of the answer may be it.
Source: the answer extraction of Cobbe et al. 2021, *Training Verifiers to Solve Math Word
Problems*, arXiv:2110.14168.
"""

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from ...core.types import Failure, FailureKind, Score
from .base import Result, fraction_metric
from .text import MOST_CHARACTERS, as_text, clip

_NUMBER = re.compile(
    r"(?<![\w.])(?P<sign>[-−–+](?=[$€£¥.\d]))?[$€£¥]?(?P<minus>[-−](?=[.\d]))?"
    r"(?P<digits>\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+,\d{1,2}(?![\d,])|\d+(?:\.\d+)?|\.\d+)"
    r"(?P<power>[eE][-+]?\d{1,3}(?!\w))?"
)
_MARKER = re.compile(r"answer\s{0,3}(?:is|:|=)|####|\\boxed\{", re.IGNORECASE)
_TOLERANCE = Decimal("1e-6")


def _value(found: re.Match[str]) -> Decimal | None:
    digits = found["digits"]
    thousands = "." in digits or len(digits.rpartition(",")[2]) == 3
    digits = digits.replace(",", "" if thousands else ".") + (found["power"] or "")
    negative = (found["sign"] or "") in "-−–" if found["sign"] else bool(found["minus"])
    try:
        value = Decimal(digits)
    except InvalidOperation:
        return None
    return -value if negative else value


def numbers(text: str) -> list[Decimal]:
    """Return the numbers of a text, in order.

    Example:
        >>> numbers("from 5-3 to -$1,200.50 and 2,5 kg")
        [Decimal('5'), Decimal('3'), Decimal('-1200.50'), Decimal('2.5')]
    """
    values = (_value(found) for found in _NUMBER.finditer(text[-MOST_CHARACTERS:]))
    return [value for value in values if value is not None]


def final_number(text: str) -> Decimal | None:
    """Return the number that a text gives as its answer, or ``None``.

    Example:
        >>> final_number("3 bags of 4. The answer is 12 apples, not 7.")
        Decimal('12')
        >>> final_number("The answer is 3 * 4 = 12.")
        Decimal('12')
    """
    text = text[-MOST_CHARACTERS:]
    marked = list(_MARKER.finditer(text))
    if marked:
        rest = text[marked[-1].end() :].lstrip()[:500]
        line = next(iter(rest.splitlines()), "")
        found = numbers(line.rpartition("=")[2]) or numbers(line) or numbers(rest)
        if found:
            return found[0]
    found = numbers(text)
    return found[-1] if found else None


def number_match(
    text: str, references: Sequence[Any], labels: Sequence[str] | None = None
) -> Result:
    """Return 1 where the answer's number agrees with a reference's, else 0.

    Example:
        >>> number_match("She pays $1,200.00 in all.", ["1200"]).value
        1.0
        >>> number_match("no idea", [12]).explanation
        'no number in the answer'
    """
    if all(final_number(as_text(reference)) is None for reference in references):
        return Failure(FailureKind.SCORER, "no reference holds a number")
    given = final_number(text)
    if given is None:
        return Score(0.0, "", "no number in the answer")
    hit = _any_equal([given], references)
    return Score(float(hit), str(given)[:200], "equal" if hit else "another number")


def number_alone(
    text: str, references: Sequence[Any], labels: Sequence[str] | None = None
) -> Score:
    """Return 1 where the answer is the right number and nothing else, else 0.

    Example:
        >>> number_alone("$1,200.", ["1200"]).value, number_alone("It is 1200", ["1200"]).value
        (1.0, 0.0)
    """
    given = _only_number(text)
    return Score(float(given is not None and _any_equal([given], references)), clip(text))


def _only_number(text: str) -> Decimal | None:
    found = _NUMBER.fullmatch(text.strip().rstrip(".%€£¥$ "))
    return _value(found) if found else None


def is_number(text: str, labels: Sequence[str] | None = None) -> bool:
    """Return whether the answer is a number and nothing else.

    Example:
        >>> is_number("$1,200."), is_number("It is 1200")
        (True, False)
    """
    return _only_number(text) is not None


def number_anywhere(
    text: str, references: Sequence[Any], labels: Sequence[str] | None = None
) -> Score:
    """Return 1 where any number of the answer is the right one, else 0.

    Example:
        >>> number_anywhere("12 apples, or 13 with the last one", ["12"]).value
        1.0
    """
    return Score(float(_any_equal(numbers(text), references)), clip(text))


def _any_equal(given: Sequence[Decimal], references: Sequence[Any]) -> bool:
    wanted = [final_number(as_text(reference)) for reference in references]
    return any(
        abs(one - number) <= _TOLERANCE * abs(number)
        for number in wanted
        if number is not None
        for one in given
    )


METRIC = fraction_metric(
    "number_match",
    "The final number of the answer equals the reference's.",
    number_match,
    citation="Cobbe et al. 2021, arXiv:2110.14168",
    strict=number_alone,
    tolerant=number_anywhere,
    well_formed=is_number,
)
