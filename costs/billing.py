"""What a target's calls are billed at, as its configuration and the price table say."""

from datetime import date

from ..core.configured import TargetConfig
from .prices import Price, price_for


def billed_price(name: str, config: TargetConfig, *, on: date | None = None) -> Price | None:
    """Return the price of a target's ordinary calls; ``None`` where it is unknown.

    A price of the configuration goes before the list price, which holds for the provider's own
    endpoint only.

    Args:
        name: What the user calls the target.
        config: Its configuration.
        on: The day; default: today.

    Raises:
        CostoptError: a price of the configuration is none.

    Example:
        >>> own = {"input": 1, "output": 4}
        >>> str(billed_price("mine", TargetConfig(name="mine", price=own)).output)
        '4'
        >>> billed_price("mine", TargetConfig(name="mine", base_url="http://localhost/v1")) is None
        True
    """
    reference = config.model if config.model and ":" in config.model else name
    if config.usd_per_hour is not None:
        return price_for(reference, overrides={"usd_per_hour": config.usd_per_hour}, on=on)
    if config.price is not None:
        return price_for(reference, overrides=config.price, on=on)
    return price_for(reference, on=on) if config.base_url is None and ":" in reference else None
