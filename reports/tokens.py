"""Token counts as text: a table like that of ``wc``, Markdown, JSON."""

import json
from collections.abc import Sequence
from typing import Any

from ..costs.prices import Price
from ..costs.tally import Count, Meter, Tally
from .numbers import count, usd
from .safe import clean, code, inert

SCHEMA = "costopt.tokens/1"
_PER = 1000


def show_tally(found: Tally, format: str) -> str:
    """Return a tally as ``table``, ``markdown`` or ``json``.

    Money in the table and in Markdown is USD per 1,000 requests; the JSON has that as
    ``usd_per_1k``, and in ``usd`` what sending the text once costs.
    """
    if format == "json":
        return _json(found)
    return _markdown(found) if format == "markdown" else _table(found)


def _table(found: Tally) -> str:
    """One block per model."""
    blocks = [_block(found, index, meter) for index, meter in enumerate(found.meters)]
    return "\n".join(blocks)


def _block(found: Tally, index: int, meter: Meter) -> str:
    """A model's heading and rows; a total where there is something to add up."""
    rows = [(file.models[index], clean(file.path)) for file in found.files]
    if len(rows) > 1:
        rows.append((found.total[index], "total"))
    cells = [(_tokens(counted), _money(counted), path) for counted, path in rows]
    cells.insert(0, ("tokens", "USD per 1k", "path"))
    first, second = (max(len(row[at]) for row in cells) for at in (0, 1))
    lines = [f"{row[0]:>{first}}  {row[1]:>{second}}  {row[2]}" for row in cells]
    return "\n".join([*_heading(meter), *lines]) + "\n"


def _heading(meter: Meter) -> list[str]:
    """What was counted with what, at which price."""
    counter = meter.counter
    exactness = "exact" if counter.exact else "estimated, not this model's own tokens"
    tokenizer = counter.tokenizer.removesuffix(" (estimated)")
    lines = [f"{clean(meter.model)}: {tokenizer}, {exactness}"]
    if meter.recount and meter.price:
        lines.append(f"  estimated: priced as {clean(meter.price.ref)}, by its own token counts")
    return [*lines, f"  {_price_words(meter.price)}"]


def _price_words(price: Price | None) -> str:
    """The price of input, with its date and source."""
    if price is None or price.input is None:
        return "price of input unknown"
    words = f"input ${price.input.normalize():f} per million tokens ({price.source}, {price.as_of})"
    notes = [note for note in price.notes if "cached" not in note]  # Nothing is cached here.
    return "\n  ".join([words, *notes])


def _tokens(counted: Count) -> str:
    """A count; an estimate carries a tilde."""
    return count(counted.tokens) if counted.exact else f"~{count(counted.tokens)}"


def _money(counted: Count) -> str:
    """USD per 1,000 requests."""
    return usd(None if counted.usd is None else counted.usd * _PER)


def _markdown(found: Tally) -> str:
    """One row per file and model."""
    lines = [
        "| path | model | tokenizer | tokens | USD per 1k requests |",
        "|:--|:--|:--|--:|--:|",
    ]
    rows = [
        (code(file.path, table=True), counted) for file in found.files for counted in file.models
    ]
    if len(found.files) > 1:
        rows += [("**total**", counted) for counted in found.total]
    for path, counted in rows:
        cells = (path, code(counted.model, table=True), counted.tokenizer)
        lines.append(f"| {' | '.join((*cells, _tokens(counted), _money(counted)))} |")
    return "\n".join(lines) + "\n"


def _json(found: Tally) -> str:
    """The JSON of the contract."""
    data = {
        "schema": SCHEMA,
        "files": [{"path": file.path, "models": _plain(file.models)} for file in found.files],
        "total": {"files": len(found.files), "models": _plain(found.total)},
    }
    return inert(json.dumps(data, indent=2, ensure_ascii=False)) + "\n"


def _plain(counts: Sequence[Count]) -> list[dict[str, Any]]:
    """Counts as JSON values."""
    return [
        {
            "model": counted.model,
            "tokenizer": counted.tokenizer,
            "tokens": counted.tokens,
            "exact": counted.exact,
            "usd": None if counted.usd is None else float(counted.usd),
            "usd_per_1k": None if counted.usd is None else float(counted.usd * _PER),
        }
        for counted in counts
    ]
