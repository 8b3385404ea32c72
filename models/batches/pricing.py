"""What a request in a batch costs: never less than is known to be so."""

from ...core.configured import TargetConfig
from ...core.errors import CostoptError
from ...costs.prices import Price, batch_price, price_for


def batch_price_of(name: str, config: TargetConfig) -> Price:
    """Return the price of a target's requests in a batch.

    The provider's own, from the price table, for a hosted model; else ``batch_price`` of the
    configuration. A server that costs nothing says so with 0.

    Raises:
        CostoptError: it is not known.

    Example:
        >>> own = {"input": 1, "output": 4}
        >>> str(batch_price_of("mine", TargetConfig(name="mine", batch_price=own)).output)
        '4'
    """
    reference = config.model if config.model and ":" in config.model else name
    found: Price | None = None
    if config.batch_price is not None:
        found = price_for(reference, overrides=config.batch_price)
    elif config.base_url is None and config.price is None and config.usd_per_hour is None:
        listed = price_for(reference) if ":" in reference else None
        found = batch_price(listed) if listed else None
    if found is None or found.input is None or found.output is None:
        raise CostoptError(
            f'what a batch costs at the target "{name}" is not known, so no saving can be claimed',
            hint=f"give [targets.{name}] in costopt.toml batch_price = {{ input = …, output = … }} "
            "(USD per million tokens, 0 for a server that costs nothing), or leave --batch out",
        )
    return found
