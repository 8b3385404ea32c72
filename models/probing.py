"""Tells a server's rate limit from refusals that have nothing to do with the rate."""

_STRETCH = 10
_STRETCHES = 3
_MANY = (0.1, 0.6)
_WORSE = 0.25
_SURE = 3


class Probe:
    """Finds out whether refusals have to do with the rate, by going faster for a while.

    A server that is short of capacity refuses some of what comes, however slowly it comes; being
    slower and slower for that would end in standing still. So where refusals do not become rare
    in three stretches of ten requests, the next goes at twice the rate. A rate limit refuses
    clearly more of it, and is asked twice as seldom from then on; where that does not happen, the
    rate doubles until it does. (Active probing: Dong et al. 2015, "PCC", NSDI.)
    """

    def __init__(self) -> None:
        self.on = False
        self._doubled = 0
        self._need = _STRETCHES
        self._shares: list[float] = []
        self._sent = self._refused = 0
        self._usual = 0.0

    def seen(self, *, refused: bool) -> float:
        """Note what became of a request; return what the rate is to be multiplied by."""
        self._sent += 1
        self._refused += refused
        if self._sent < _STRETCH * (1 + self.on):
            return 1.0
        share = self._refused / self._sent
        self._sent = self._refused = 0
        return self._probed(share) if self.on else self._stretch(share)

    def _stretch(self, share: float) -> float:
        least, most = _MANY
        self._shares = [*self._shares, share] if least <= share <= most else []
        if len(self._shares) < self._need:
            return 1.0
        self.on = True
        self._doubled = 1
        self._usual = sum(self._shares) / len(self._shares)
        return 2.0

    def _probed(self, share: float) -> float:
        if share <= self._usual + _WORSE:
            self._doubled += 1
            return 2.0
        self.on = False
        self._need = _STRETCHES if self._doubled > _SURE else self._need * 2
        self._shares = []
        return 0.5
