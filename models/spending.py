"""The spending cap: reserved before a request leaves, settled when its answer is there."""

from dataclasses import dataclass
from decimal import Decimal


class BudgetExceeded(Exception):  # noqa: N818 - a limit that was set, not an error
    """The next request could pass the cap; it was not sent.

    ``settling`` says that money is set aside for requests under way, of which some may come back.
    """

    def __init__(self, message: str, *, settling: bool = False) -> None:
        super().__init__(message)
        self.settling = settling


@dataclass(frozen=True)
class Elsewhere:
    """What other runs that share the cap have spent and reserved, in USD, and sent."""

    usd: Decimal = Decimal(0)
    requests: int = 0


@dataclass(frozen=True)
class Reservation:
    """Money set aside for one request, in USD."""

    usd: Decimal


class Spending:
    """Keeps a run's money and requests within what was allowed.

    Args:
        max_usd: Cap in USD over the whole run; ``None`` is no cap.
        max_requests: Cap on live requests; ``None`` is no cap.

    Example:
        >>> spending = Spending(max_usd=Decimal("0.10"), max_requests=None)
        >>> held = spending.reserve(Decimal("0.08"))
        >>> spending.settle(held, Decimal("0.03"))
        >>> str(spending.spent_usd), str(spending.left_usd)
        ('0.03', '0.07')
    """

    def __init__(self, max_usd: Decimal | None, max_requests: int | None) -> None:
        self.max_usd = max_usd
        self.max_requests = max_requests
        self.spent_usd = Decimal(0)
        self.reserved_usd = Decimal(0)
        self.requests = 0
        self.elsewhere = Elsewhere()
        self._distrusted: str | None = None

    @property
    def left_usd(self) -> Decimal | None:
        """What may still be reserved, in USD; ``None`` without a cap."""
        if self.max_usd is None:
            return None
        return self.max_usd - self.spent_usd - self.reserved_usd - self.elsewhere.usd

    def reserve(self, worst_case_usd: Decimal) -> Reservation:
        """Set aside the most that one request can cost, and count the request.

        Args:
            worst_case_usd: USD; 0 for a target that costs nothing.

        Raises:
            BudgetExceeded: what is left does not cover it; nothing was set aside.
            ValueError: a negative or infinite amount.
        """
        if not worst_case_usd.is_finite() or worst_case_usd < 0:
            raise ValueError(f"a request cannot cost {worst_case_usd} USD")
        if self._distrusted is not None:
            raise BudgetExceeded(f"the cap of ${self.max_usd} cannot be kept: {self._distrusted}")
        sent = self.requests + self.elsewhere.requests
        if self.max_requests is not None and sent >= self.max_requests:
            raise BudgetExceeded(f"the cap of {self.max_requests} requests was reached")
        left = self.left_usd
        if left is not None and worst_case_usd > left:
            others = f", ${self.elsewhere.usd} by other runs" if self.elsewhere.usd else ""
            raise BudgetExceeded(
                f"the cap of ${self.max_usd} was reached: ${self.spent_usd} spent{others}, the "
                f"next request could cost ${worst_case_usd}",
                settling=self.reserved_usd > 0,
            )
        self.reserved_usd += worst_case_usd
        self.requests += 1
        return Reservation(worst_case_usd)

    def settle(self, reservation: Reservation, actual_usd: Decimal | None) -> None:
        """Give a reservation back and count what was really paid.

        Args:
            reservation: From `reserve`; settled once.
            actual_usd: USD; ``None`` where it is unknown, and then the worst case counts.
        """
        self.reserved_usd -= reservation.usd
        self.spent_usd += reservation.usd if actual_usd is None else actual_usd

    def distrust(self, reason: str) -> bool:
        """Refuse every further reservation under a cap in USD: what was set aside was too little.

        Returns:
            Whether there is such a cap, and this is the first time.
        """
        if self.max_usd is None or self._distrusted is not None:
            return False
        self._distrusted = reason
        return True
