"""What targets there are, and whether each is ready; nothing is asked."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

from ..core.configured import Config, TargetConfig
from ..core.errors import CostoptError
from .providers import PROVIDERS, Provider
from .targets import EMBEDDED, hosted
from .weights import MODEL, weights_path


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A target as it is listed."""

    name: str
    model: str
    where: str
    """Its address, or where it runs."""
    state: str
    """Whether its weights or its key are there."""
    extra: str | None = None
    """The extra of costopt that it needs; ``None`` where the base has all."""
    installed: bool = True
    capabilities: tuple[str, ...] | None = None
    """What is declared for it; ``None`` where nothing is, or where it depends on the model."""


def listed(config: Config) -> tuple[Listed, ...]:
    """Return the embedded target, those of the configuration, and every provider."""
    return tuple(_all(config))


def _all(config: Config) -> Iterator[Listed]:
    ready = "ready" if weights_path() is not None else "not fetched: costopt models pull"
    can = ("generate", "loglikelihood", "seed", "json_schema")
    yield Listed(name=EMBEDDED, model=MODEL, where="in this process", state=ready, capabilities=can)
    for found in config.targets.values():
        yield _configured(found)
    for provider in PROVIDERS.values():
        yield _provider(provider, f"{provider.name}:MODEL", "any", provider.key_env)


def _configured(found: TargetConfig) -> Listed:
    if found.base_url is None:
        try:
            provider, model = hosted(found)
        except CostoptError:
            return Listed(
                name=found.name, model=found.model or "", where="", state="no such provider"
            )
        return _provider(provider, found.name, model, found.api_key_env or provider.key_env)
    return Listed(
        name=found.name,
        model=found.model or found.name,
        where=found.base_url,
        state=_key_state(found.api_key_env),
        capabilities=_sorted(found.capabilities),
    )


def _provider(provider: Provider, name: str, model: str, key_env: str | None) -> Listed:
    return Listed(
        name=name,
        model=model,
        where=provider.endpoint,
        state=_key_state(key_env),
        extra=provider.extra,
        installed=provider.installed,
        capabilities=_sorted(provider.capabilities),
    )


def _key_state(variable: str | None) -> str:
    if variable is None:
        return "needs no key"
    return f"{variable} is set" if os.environ.get(variable) else f"{variable} is not set"


def _sorted(names: frozenset[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(sorted(names))
