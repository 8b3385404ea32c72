"""Prices of one's own in a file: what a contract says, or what a provider announced."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from ..core.errors import CostoptError
from ..core.toml_reader import Check, money, read_toml

_KEYS: Mapping[str, Check] = dict.fromkeys(("input", "cache_read", "cache_write", "output"), money)


def read_prices(path: Path) -> Mapping[str, Mapping[str, Decimal]]:
    """Read prices in USD per million tokens: a TOML table for each ``provider:model``.

    Keys are those of ``price`` in ``costopt.toml``: ``input``, ``cache_read``, ``cache_write`` and
    ``output``. What a table leaves out stays as the price list has it.

    Raises:
        CostoptError: no such file, broken TOML, no prices in it, an unknown key, or no amount.
    """
    file = read_toml(path, kind="price", option="--prices")
    found = {name: file.values(data, (name,), _KEYS) for name, data in file.data.items()}
    for name, prices in found.items():
        if not prices:
            hint = "such as input = 0.75 and output = 4.5, in USD per million tokens"
            raise file.error(f'the table "{name}" has no price', (name,), None, hint)
    if not found:
        hint = 'give a table for each model: ["openai:gpt-5.4-mini"] with input and output'
        raise CostoptError("no prices in this file", where=file.where(()), hint=hint)
    return found
