"""What a run is expected to ask for, before it asks for anything."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """The least and the most that a forecast expects; whole tokens or requests."""

    low: int
    high: int


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What a run would ask one target for, estimated before its first request.

    Attributes:
        target: The target.
        requests: Low: what is certain and not stored yet. High: every candidate is followed up.
        input_tokens: Of those requests, from rendered rows.
        output_tokens: Low by stored answers' lengths, else those of request logs, else the
            references'; high by the settings' maximum.
        usd_low: USD at list or configured prices; ``None`` where no price is known.
        usd_high: Likewise.
        stored_answers: Requests of it, about, that are answered in the store already.
        lengths_from: Stored answers that the lengths were read from; 0 where there were none.
        lengths_logged: Whether they were read from what the configuration has out of request logs.
        notes: What is not in it.
    """

    target: str
    requests: Estimate
    input_tokens: Estimate
    output_tokens: Estimate
    usd_low: Decimal | None
    usd_high: Decimal | None
    stored_answers: int = 0
    lengths_from: int = 0
    lengths_logged: bool = False
    notes: tuple[str, ...] = ()
