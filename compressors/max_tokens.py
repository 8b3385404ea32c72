"""CO404: a cap on the answer."""

import math
from dataclasses import dataclass, replace
from typing import ClassVar

from ..core.types import PromptTemplate, Safety, Side
from .base import NotApplicable, Strategy, StrategyContext


@dataclass(frozen=True, kw_only=True)
class MaxTokens(Strategy):
    """Cap the answer at what the baseline's answers needed.

    Sets ``max_output_tokens`` from the measured lengths of the baseline's answers: to the longest
    times ``slack``, or where some truncation is accepted, to the length that no more than this part
    of them exceeds. The text stays as it is. Nothing changes where the prompt's own cap is as low.
    How many of the measured answers are longer is noted, with the most that new ones may be: a
    one-sided 95 % upper bound, which supposes that they are like those measured.

    What it can break:
        An answer that is longer than the cap is cut off in the middle, which breaks JSON. It bounds
        the cost of runaway answers; ordinary answers cost what they did before.

    Args:
        truncation: The part of answers that may be cut off, in [0, 1).
        slack: The factor on top of the longest, at least 1; unused where truncation is accepted.

    Reference:
        OpenAI API reference, ``max_completion_tokens``: an upper bound on generated tokens. The
        bound is that of C. J. Clopper and E. S. Pearson, Biometrika 26 (1934); for a cap taken from
        the same lengths it is the tolerance limit of S. S. Wilks, Ann. Math. Stat. 12 (1941).
    """

    name: ClassVar[str] = "max-tokens"
    code: ClassVar[str] = "CO404"
    side: ClassVar[Side] = "output"
    safety: ClassVar[Safety] = "lossy"
    summary: ClassVar[str] = "caps the answer at what the baseline's answers needed"
    reference: ClassVar[str] = "OpenAI API reference, max_completion_tokens"
    needs: ClassVar[frozenset[str]] = frozenset({"lengths"})
    example: ClassVar[str] = "Label the ticket.\n\nTicket: {ticket}\nLabel:"

    truncation: float = 0.0
    slack: float = 1.25

    def __post_init__(self) -> None:
        """Check the ranges."""
        self._require("truncation", 0 <= self.truncation < 1, "in [0, 1)")
        self._require("slack", self.slack >= 1, "at least 1")

    def apply(self, template: PromptTemplate, context: StrategyContext) -> PromptTemplate:
        """Return the template with a lower cap in its settings.

        Raises:
            NotApplicable: no output lengths were measured.
        """
        lengths = context.output_lengths
        if not lengths:
            raise NotApplicable("no output lengths were measured")
        cap = self._cap(lengths)
        if cap >= template.settings.max_output_tokens:
            return template
        context.notes.append(_told(cap, sum(n > cap for n in lengths), len(lengths)))
        return replace(template, settings=replace(template.settings, max_output_tokens=cap))

    def _cap(self, lengths: tuple[int, ...]) -> int:
        ordered = sorted(lengths)
        if self.truncation == 0:
            return max(1, math.ceil(ordered[-1] * self.slack))
        # A product such as 0.07 * 100 may come out just under the whole number that it is.
        cut = math.floor(self.truncation * len(ordered) + 1e-9)
        return max(1, ordered[len(ordered) - 1 - cut])


def _told(cap: int, longer: int, n: int) -> str:
    unit = "token" if cap == 1 else "tokens"
    verb = "was" if longer == 1 else "were"
    most = math.ceil(100 * most_longer(longer, n) - 1e-9)
    return (
        f"cap {cap} {unit}: {longer} of {n} answers {verb} longer; at most {most} % would be (95 %)"
    )


def most_longer(longer: int, n: int) -> float:
    """Return the one-sided 95 % upper bound on a rate of which ``longer`` of ``n`` were seen.

    The exact bound of Clopper and Pearson; for none seen it is ``1 - 0.05 ** (1 / n)``, about
    ``3 / n``.

    Args:
        longer: How many were seen, in [0, n].
        n: Of how many, at least 1.

    Example:
        >>> round(most_longer(0, 40), 4), round(most_longer(2, 40), 3), most_longer(3, 3)
        (0.0722, 0.149, 1.0)
    """
    if longer >= n:
        return 1.0
    low, high = longer / n, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(longer, n, middle) > 0.05 else (low, middle)
    return high


def _at_most(k: int, n: int, rate: float) -> float:
    """Return the binomial probability of ``k`` or fewer of ``n``, for a rate inside (0, 1)."""
    if rate >= 1:
        return 0.0
    log = math.lgamma
    terms = (
        log(n + 1) - log(i + 1) - log(n - i + 1) + i * math.log(rate) + (n - i) * math.log1p(-rate)
        for i in range(k + 1)
    )
    return math.fsum(map(math.exp, terms))
