"""Targets by name: the embedded one, those of the configuration, hosted providers."""

from pathlib import Path

from ..core.configured import Config, TargetConfig
from ..core.errors import CostoptError, nearest
from ..core.progress import Progress
from ..core.protocols import Target
from .capabilities import LEFT_OUT
from .providers import CHAT, PROVIDERS, Provider

EMBEDDED = "embedded"


def open_target(
    name: str, config: Config, *, offline: bool, progress: Progress, asked: bool = True
) -> Target:
    """Return a target that is ready to be asked; the embedded model's weights are fetched.

    Args:
        name: ``embedded``, a name of ``[targets.NAME]``, or ``provider:model``.
        config: The configuration.
        offline: Fetch nothing.
        progress: Told about a download.
        asked: Whether it will be asked. Else it says who it is, by which its stored answers are
            found: no key and no weights are needed.

    Raises:
        CostoptError: an unknown name or provider, no key, no SDK, no weights; nothing was asked.
    """
    found = config.targets.get(name)
    if found is None:
        found = _unnamed(name, config)
    if name == EMBEDDED or found.model == EMBEDDED:
        return _embedded(offline, progress, asked=asked)
    if found.base_url is not None:
        return _compatible(found, found.base_url, asked=asked)
    provider, model = hosted(found)
    build = _chat if provider.speaks == CHAT else _sdk
    return build(found, provider, model, asked=asked)


def target_names(config: Config) -> tuple[str, ...]:
    """Return the names that need no ``provider:``: the embedded one first."""
    return (EMBEDDED, *(name for name in config.targets if name != EMBEDDED))


def declared(name: str, config: Config) -> bool:
    """Return whether it is known what a target can do, or only what is taken for granted.

    Raises:
        CostoptError: an unknown name or provider.
    """
    found = config.targets.get(name) or _unnamed(name, config)
    if EMBEDDED in (name, found.model) or found.capabilities is not None:
        return True
    return found.base_url is None and hosted(found)[0].capabilities is not None


def hosted(found: TargetConfig) -> tuple[Provider, str]:
    """Return the provider and the model that a target without a ``base_url`` names.

    Raises:
        CostoptError: it names no provider that is known; the nearest is named.
    """
    reference = found.model if found.model and ":" in found.model else found.name
    name, _, model = reference.partition(":")
    provider = PROVIDERS.get(name)
    if provider is None or not model:
        known = nearest(name, PROVIDERS, "costopt models list names the providers")
        raise CostoptError(
            f'"{reference}" is no target that can be reached',
            hint=f"{known}; possible are embedded, a provider's model such as openai:MODEL, and "
            "any OpenAI-compatible server of costopt.toml: [targets.NAME] with base_url and model",
        )
    return provider, model


def _unnamed(name: str, config: Config) -> TargetConfig:
    if name != EMBEDDED and ":" not in name:
        raise CostoptError(
            f'there is no target "{name}"',
            hint=f"{nearest(name, target_names(config))}; or name a hosted one as openai:MODEL",
        )
    return TargetConfig(name=name, model=name)


def _embedded(offline: bool, progress: Progress, *, asked: bool) -> Target:
    from .embedded import EmbeddedTarget
    from .weights import pull, weights_path

    if not asked:
        return EmbeddedTarget(weights_path() or Path())
    return EmbeddedTarget(pull(progress, offline=offline))


def _compatible(found: TargetConfig, base_url: str, *, asked: bool) -> Target:
    from .compatible import OWN, CompatibleTarget

    return CompatibleTarget(
        name=found.name,
        model=found.model or found.name,
        base_url=base_url,
        paying=found.price is not None or found.usd_per_hour is not None,
        api_key_env=found.api_key_env,
        tokenizer=_tokenizer(found),
        cache_reads=found.price is not None and "cache_read" in found.price,
        capabilities=found.capabilities or OWN,
        left_out=LEFT_OUT - found.capabilities if found.capabilities else frozenset(),
        asked=asked,
    )


def _tokenizer(found: TargetConfig) -> str | None:
    """Return whose tokenizer counts: ``priced_as`` names a model only where it is the same."""
    if found.price is None and found.usd_per_hour is None and found.priced_as is not None:
        return found.priced_as
    return None


def _chat(found: TargetConfig, provider: Provider, model: str, *, asked: bool) -> Target:
    from .compatible import OWN, CompatibleTarget

    known = found.capabilities or provider.capabilities
    if known and provider.name == "openai" and found.capabilities is None:
        from .openai_models import takes_effort

        known = known if takes_effort(model) else known - {"effort"}
    return CompatibleTarget(
        name=found.name,
        model=model,
        base_url=provider.endpoint,
        api_key_env=found.api_key_env or provider.key_env,
        tokenizer=f"{provider.name}:{model}",
        cache_reads=True,
        capabilities=known or OWN,
        left_out=LEFT_OUT - known if known else frozenset(),
        refuses=provider.name == "openai" and found.capabilities is None,
        reasoning_apart=provider.reasoning_apart,
        asked=asked,
    )


def _sdk(found: TargetConfig, provider: Provider, model: str, *, asked: bool) -> Target:
    from .hosted import HostedTarget

    return HostedTarget(
        name=found.name,
        provider=provider,
        model=model,
        api_key_env=found.api_key_env,
        capabilities=found.capabilities,
        asked=asked,
    )
