"""What a prompt's findings come to, code by code, in lines for people."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from ..core.report import Finding
from .numbers import MINUS, count, usd


@dataclass(frozen=True)
class Group:
    """All findings of one code in a prompt; the first stands for them."""

    first: Finding
    places: int
    tokens: int
    usd_per_1k: Decimal | None
    """``None`` where one of them is unknown."""
    usd_per_month: Decimal | None

    @property
    def amounts(self) -> str:
        """What mending them saves at most; empty where nothing is known of it."""
        return amounts(self.tokens, self.usd_per_1k, self.usd_per_month)


def grouped(findings: Sequence[Finding]) -> tuple[Group, ...]:
    """Return a prompt's findings by code, in the order in which the report has them."""
    by_code: dict[str, list[Finding]] = {}
    for finding in findings:
        by_code.setdefault(finding.code, []).append(finding)
    return tuple(
        Group(
            first=found[0],
            places=len(found),
            tokens=sum(one.tokens for one in found),
            usd_per_1k=_sum([one.usd_per_1k for one in found]),
            usd_per_month=_sum([one.usd_per_month for one in found]),
        )
        for found in by_code.values()
    )


def _sum(money: Sequence[Decimal | None]) -> Decimal | None:
    known = [amount for amount in money if amount is not None]
    return sum(known, Decimal(0)) if len(known) == len(money) else None


def amounts(tokens: int, usd_per_1k: Decimal | None, usd_per_month: Decimal | None) -> str:
    """Return what is saved at most, in tokens and money; what is not known is left out.

    Example:
        >>> amounts(61, Decimal("0.04575"), Decimal("2.05875"))
        '−61 tokens, $0.0458 per 1k, $2.06 a month'
        >>> amounts(0, None, None)
        ''
    """
    parts = [f"{MINUS}{count(tokens)} tokens"] if tokens > 0 else []
    parts += [f"{usd(usd_per_1k)} per 1k"] if usd_per_1k else []
    parts += [f"{usd(usd_per_month)} a month"] if usd_per_month else []
    return ", ".join(parts)
