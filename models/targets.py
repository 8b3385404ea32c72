"""Targets by name: the embedded one, those of the configuration, hosted providers."""

from ..core.config import Config, TargetConfig
from ..core.errors import CostoptError, nearest
from ..core.progress import Progress
from ..core.protocols import Target

EMBEDDED = "embedded"
HOSTED = {"openai": ("https://api.openai.com/v1", "OPENAI_API_KEY")}
"""Provider to endpoint and default key variable."""


def open_target(name: str, config: Config, *, offline: bool, progress: Progress) -> Target:
    """Return a target that is ready to be asked; the embedded model's weights are fetched.

    Args:
        name: ``embedded``, a name of ``[targets.NAME]``, or ``provider:model``.
        config: The configuration.
        offline: Fetch nothing.
        progress: Told about a download.

    Raises:
        CostoptError: an unknown name or provider, no key, no weights; nothing was asked.
    """
    found = config.targets.get(name)
    if found is None:
        found = _unnamed(name, config)
    if name == EMBEDDED or found.model == EMBEDDED:
        return _embedded(offline, progress)
    if found.base_url is not None:
        return _compatible(found, found.base_url)
    return _hosted(found)


def target_names(config: Config) -> tuple[str, ...]:
    """Return the names that need no ``provider:``: the embedded one first."""
    return (EMBEDDED, *(name for name in config.targets if name != EMBEDDED))


def _unnamed(name: str, config: Config) -> TargetConfig:
    if name != EMBEDDED and ":" not in name:
        raise CostoptError(
            f'there is no target "{name}"',
            hint=f"{nearest(name, target_names(config))}; or name a hosted one as openai:MODEL",
        )
    return TargetConfig(name=name, model=name)


def _embedded(offline: bool, progress: Progress) -> Target:
    from .embedded import EmbeddedTarget
    from .weights import pull

    return EmbeddedTarget(pull(progress, offline=offline))


def _compatible(found: TargetConfig, base_url: str) -> Target:
    from .compatible import CompatibleTarget

    return CompatibleTarget(
        name=found.name,
        model=found.model or found.name,
        base_url=base_url,
        api_key_env=found.api_key_env,
        tokenizer=_tokenizer(found),
        cache_reads=found.price is not None and "cache_read" in found.price,
    )


def _tokenizer(found: TargetConfig) -> str | None:
    """Return whose tokenizer counts: ``priced_as`` names a model only where it is the same."""
    if found.price is None and found.usd_per_hour is None and found.priced_as is not None:
        return found.priced_as
    return None


def _hosted(found: TargetConfig) -> Target:
    from .compatible import CompatibleTarget

    reference = found.model if found.model and ":" in found.model else found.name
    provider, _, model = reference.partition(":")
    if provider not in HOSTED or not model:
        raise CostoptError(
            f'"{reference}" is no target that can be reached',
            hint="possible are embedded, openai:MODEL, and any OpenAI-compatible server named in "
            "costopt.toml: [targets.NAME] with base_url and model",
        )
    base_url, key_env = HOSTED[provider]
    return CompatibleTarget(
        name=found.name,
        model=model,
        base_url=base_url,
        api_key_env=found.api_key_env or key_env,
        tokenizer=reference,
        cache_reads=True,
    )
