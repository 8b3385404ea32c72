"""Looking models up in the bundled price table (genai-prices); no network."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, PriceVariant

# Providers go by these names in client libraries and in costopt's targets. The table's own
# matching takes any name that contains a provider's ("my-openai-proxy"): somebody's own server
# would be billed at list prices. So only the table's identifiers and these are looked up.
_ALIASES = {
    "openai-chat": "openai",
    "openai-responses": "openai",
    "google-gla": "google",
    "google-vertex": "google",
    "google-genai": "google",
    "gemini": "google",
    "bedrock": "aws",
    "grok": "x-ai",
    "xai": "x-ai",
}

VARIANTS = {"batch": ("processing", "batch"), "flex": ("service_tier", "flex")}
"""How the table calls the cheaper ways of asking."""


@dataclass(frozen=True)
class Entry:
    """A model in the table. ``own`` is whether the provider itself lists it.

    Where it does not, the entry is of the maker whose models the provider resells. ``listed`` are
    all models of that list.
    """

    model: "ModelInfo"
    own: bool
    listed: "tuple[ModelInfo, ...]" = ()


@lru_cache(maxsize=4096)
def find(ref: str) -> Entry | None:
    """Return the table's entry for ``provider:model``, or for a model known by its name alone."""
    from genai_prices.data_snapshot import get_snapshot

    snapshot = get_snapshot()
    provider, colon, model = ref.partition(":")
    if not colon:
        provider, model = "", ref
    provider = _ALIASES.get(provider.lower(), provider.lower())
    if provider and provider not in {known.id for known in snapshot.providers}:
        return None
    try:
        seller, found = snapshot.find_provider_model(model, None, provider or None, None)
    except LookupError:
        return None
    return Entry(found, any(found is listed for listed in seller.models), tuple(seller.models))


def named(ref: str) -> str:
    """Return ``provider:model`` for a model that is known by its name alone.

    Example:
        >>> named("gpt-5.4-mini"), named("azure:gpt-4o"), named("nobody-knows-it")
        ('openai:gpt-5.4-mini', 'azure:gpt-4o', 'nobody-knows-it')
    """
    from genai_prices.data_snapshot import get_snapshot

    if ":" in ref:
        return ref
    try:
        seller, _ = get_snapshot().find_provider_model(ref, None, None, None)
    except LookupError:
        return ref
    return f"{seller.id}:{ref}"


def rates(entry: Entry, on: date) -> "ModelPrice":
    """Return the list prices in force on a day.

    Some providers charge by the time of day; these are the rates of noon, UTC.
    """
    return entry.model.get_prices(_moment(on))


def variant_rates(entry: Entry, on: date, way: str) -> "ModelPrice | None":
    """Return the prices for asking in one of `VARIANTS`; ``None`` where the table has none.

    Asked for a variant that a model does not have, genai-prices returns the standard price
    without a word: a saving that does not exist. So the variant is looked for first. A maker's
    variants say nothing about a reseller's.
    """
    if _variant(entry, on, way) is None:
        return None
    return entry.model.get_prices(_moment(on), dict([VARIANTS[way]]))


def lists_cached_input(entry: Entry, on: date, way: str) -> bool:
    """Say whether the table has a rate for cached input of its own for one of `VARIANTS`.

    Where it has none, `variant_rates` holds the standard rate in its place.
    """
    found = _variant(entry, on, way)
    return found is not None and found.prices.cache_read_mtok is not None


def _variant(entry: Entry, on: date, way: str) -> "PriceVariant | None":
    key, value = VARIANTS[way]
    for variant in (entry.model.price_variants or ()) if entry.own else ():
        active = variant.constraint is None or variant.constraint.active(_moment(on))
        if active and variant.when == {key: value} and variant.prices.input_mtok is not None:
            return variant
    return None


def _moment(on: date) -> datetime:
    """Return noon of the day, UTC."""
    return datetime.combine(on, time(12), tzinfo=UTC)


def version() -> str:
    """Return the table's release, as a source to be named."""
    from genai_prices import __version__

    return f"genai-prices {__version__}"
