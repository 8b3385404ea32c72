"""Opens a target for batches: the model as it is known elsewhere, and its batch API."""

from collections.abc import Callable, Mapping
from typing import Any

from ...core.configured import Config, TargetConfig
from ...core.errors import CostoptError
from ...core.progress import Silent
from ...core.protocols import Target, TargetError, TokenCounter
from ...core.types import Answer, Request
from ...costs.tokens import counter_for
from ..api_key import read_key
from ..capabilities import LEFT_OUT
from ..providers import PROVIDERS
from ..targets import EMBEDDED, open_target
from .anthropic import AnthropicBatches
from .base import BatchApi
from .openai import OpenAIBatches

ANTHROPIC = "anthropic"
_ANTHROPIC_URL = "https://api.anthropic.com/v1"
_ANTHROPIC_KEY = "ANTHROPIC_API_KEY"
_ANTHROPIC_VERSION = "2023-06-01"


def open_batches(name: str, config: Config) -> tuple[Target, BatchApi]:
    """Return a target and its batch API; nothing is asked.

    Args:
        name: A name of ``[targets.NAME]``, or ``provider:model``.
        config: The configuration.

    Raises:
        CostoptError: an unknown name, no key, or a target without a batch API.
    """
    found = config.targets.get(name) or TargetConfig(name=name, model=name)
    provider, _, model = _reference(found).partition(":")
    if name == EMBEDDED or found.model == EMBEDDED:
        raise CostoptError(
            "the embedded model takes no batches",
            hint="leave --batch out, or name a hosted model or a server with a batch API",
        )
    if provider == ANTHROPIC and model:
        return _anthropic(found, model)
    target = open_target(name, config, offline=True, progress=Silent())
    if found.base_url is not None:
        cached = found.batch_price is not None and "cache_read" in found.batch_price
        headers = _bearer(name, found.api_key_env)
        url, served = found.base_url, found.model or name
        return target, OpenAIBatches(url, served, headers, cache_reads=cached)
    served_by = PROVIDERS[provider]
    if "batch" not in (served_by.capabilities or ()):
        raise CostoptError(
            f"{provider} has no batch API that is known here",
            hint="leave --batch out, or name an openai: or anthropic: model",
        )
    headers = _bearer(name, found.api_key_env or served_by.key_env)
    return target, OpenAIBatches(served_by.endpoint, model, headers, cache_reads=True)


def _reference(found: TargetConfig) -> str:
    return found.model if found.model and ":" in found.model else found.name


def _anthropic(found: TargetConfig, model: str) -> tuple[Target, BatchApi]:
    # The provider's own variable is for the provider's own endpoint.
    own = found.base_url is None
    url = (found.base_url or _ANTHROPIC_URL).rstrip("/")
    key_env = found.api_key_env or (_ANTHROPIC_KEY if own else None)

    def headers() -> dict[str, str]:
        key = read_key(key_env, found.name)
        return {"anthropic-version": _ANTHROPIC_VERSION, **({"x-api-key": key} if key else {})}

    headers()
    return BatchOnly(found.name, model, url), AnthropicBatches(url, model, headers)


def _bearer(name: str, key_env: str | None) -> Callable[[], dict[str, str]]:
    def headers() -> dict[str, str]:
        key = read_key(key_env, name)
        return {"Authorization": f"Bearer {key}"} if key else {}

    return headers


class BatchOnly:
    """A model that is asked in batches alone.

    Args:
        name: What the user calls it.
        model: The model's name.
        base_url: Where it is.
    """

    capabilities = frozenset({"generate"})

    def __init__(self, name: str, model: str, base_url: str) -> None:
        self.name = name
        self.model = model
        self.identity: Mapping[str, Any] = {
            "target": ANTHROPIC,
            "base_url": base_url.removesuffix("/v1"),
            "model": model,
            "left_out": sorted(LEFT_OUT),
        }
        self.counter: TokenCounter = counter_for(f"{ANTHROPIC}:{model}")

    async def answer(self, request: Request) -> Answer:
        """Refuse: it takes no ordinary calls."""
        del request
        raise TargetError(f'the target "{self.name}" is asked in batches only', kind="rejected")

    async def close(self) -> None:
        """Nothing is kept open."""
