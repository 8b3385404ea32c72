"""What a run is expected to ask for, in words and as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal

from ..core.forecast import Estimate, Forecast
from .numbers import about, count, usd
from .safe import clean, code

SCHEMA = "costopt.forecast/1"


def forecast_line(found: Forecast, cap: Decimal | None = None) -> str:
    """Say in a line what one target will be asked for, and what that costs.

    Args:
        found: The forecast.
        cap: What may be spent in all, in USD.

    Example:
        >>> one = Forecast(target="mine", requests=Estimate(low=40, high=95),
        ...                input_tokens=Estimate(low=8123, high=20_555),
        ...                output_tokens=Estimate(low=200, high=6080),
        ...                usd_low=Decimal("0.02"), usd_high=Decimal("0.11"), stored_answers=12)
        >>> forecast_line(one).partition(" input")[0]
        'forecast for mine: about 40 to 95 requests (12 more are stored), 8,100 to 21,000'
    """
    who = f"forecast for {clean(found.target, 60)}"
    stored = f" ({count(found.stored_answers)} more are stored)" if found.stored_answers else ""
    if not found.requests.high:
        return f"{who}: no request; all answers are stored"
    tokens = f"{_range(found.input_tokens)} input, {_range(found.output_tokens)} output tokens"
    said = f"{who}: about {_range(found.requests)} requests{stored}, {tokens}, {_money(found)}"
    parts = [said, _lengths(found), *(clean(note, 200) for note in found.notes)]
    if cap is not None and found.usd_high is not None and found.usd_high > cap:
        parts.append(f"the cap of {usd(cap)} may end it before")
    return "; ".join(parts)


def _range(found: Estimate) -> str:
    low, high = _number(found.low), _number(found.high)
    return high if low == high else f"{low} to {high}"


def _number(value: int) -> str:
    return count(value) if value < 1000 else about(value)


def _money(found: Forecast) -> str:
    if found.usd_low is None or found.usd_high is None:
        return "money unknown before it ran"
    if not found.usd_high:
        return "no money"
    low, high = usd(found.usd_low), usd(found.usd_high)
    return f"{high} (estimated)" if low == high else f"{low} to {high} (estimated)"


def _lengths(found: Forecast) -> str:
    if found.lengths_from:
        return f"answers as long as {count(found.lengths_from)} stored ones, or as they may be"
    if found.lengths_logged:
        return "answers as long as request logs say (output_tokens_per_call), or as they may be"
    return "answers as long as the references, or as they may be"


def forecast_text(found: Sequence[Forecast], format: str, cap: Decimal | None) -> str:
    """Return the forecast of a run in a report's format: table, markdown or json."""
    if format == "json":
        data = {"schema": SCHEMA, "targets": [asdict(one) for one in found]}
        return json.dumps(data, indent=2, ensure_ascii=False, default=float) + "\n"
    lines = [forecast_line(one, cap) for one in found]
    if format == "markdown":
        lines = [f"- {code(line, limit=700)}" for line in lines]
    nothing = "no request: no prompt has an eval set that can be measured"
    return "\n".join(lines if found else [nothing]) + "\n"
