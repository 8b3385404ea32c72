"""What a request costs at rates that depend on nothing: the arithmetic alone.

genai-prices computes with any unit and tier, which takes a tenth of all the time that is spent on a
request here. Most prices are a rate for each of four kinds of tokens; this comes to the same there.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice

_MILLION = 1_000_000
_COUNTS = {
    "input_mtok": "input_tokens",
    "output_mtok": "output_tokens",
    "cache_read_mtok": "cache_read_tokens",
    "cache_write_mtok": "cache_write_tokens",
}
_NEEDED = frozenset({"input_mtok", "output_mtok"})
# Of what is never asked for here, and so costs nothing.
_UNUSED = frozenset({"web_searches_kcount", "storage_searches_kcount"})


def flat_usd(rates: "ModelPrice", counts: Mapping[str, Decimal]) -> Decimal | None:
    """Return what tokens cost in USD; ``None`` where the rates have tiers, or other units.

    Args:
        rates: A model's price.
        counts: Tokens by genai-prices' names: ``input_tokens`` with the cached ones in it,
            ``output_tokens``, ``cache_read_tokens``, ``cache_write_tokens``.

    Example:
        >>> from genai_prices.types import ModelPrice
        >>> counts = {"input_tokens": Decimal(500), "output_tokens": Decimal(10),
        ...           "cache_read_tokens": Decimal(0), "cache_write_tokens": Decimal(0)}
        >>> str(flat_usd(ModelPrice(input_mtok=Decimal(1), output_mtok=Decimal(2)), counts))
        '0.00052'
    """
    given = vars(rates).items()
    found = {name: rate for name, rate in given if rate is not None and name not in _UNUSED}
    if not _NEEDED <= found.keys() <= _COUNTS.keys():
        return None
    tokens = {name: counts[_COUNTS[name]] for name in found}
    # Cached tokens without a rate of their own are paid as input.
    tokens["input_mtok"] -= sum(n for name, n in tokens.items() if name.startswith("cache_"))
    total = Decimal(0)
    for name, rate in found.items():
        if not isinstance(rate, Decimal) or tokens[name] < 0:
            return None
        total += rate * tokens[name] / _MILLION
    return total
