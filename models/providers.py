"""The hosted providers: where each is, which variable holds its key, and what it can do."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec

from ..core.errors import CostoptError

CHAT = "chat"
"""OpenAI's chat completions, spoken without an SDK."""

_ALL = frozenset({"generate", "seed", "effort", "json_schema", "tools"})


@dataclass(frozen=True, kw_only=True)
class Provider:
    """A provider of models that are named ``provider:model``.

    ``capabilities`` are those that the provider documents for its API; what depends on the model
    as well (effort, schemas) is narrowed down by what the client library knows of the model.
    ``None`` is a provider that serves models of many makers, so that nothing holds for all.
    """

    name: str
    endpoint: str
    """The one address that the default key is sent to."""
    key_env: str | None
    speaks: str = CHAT
    """``chat``, or the family of `sdk_models` that its own API needs."""
    capabilities: frozenset[str] | None = None
    reasoning_apart: bool = False
    """Whether the tokens of reasoning are left out of ``completion_tokens``."""
    module: str | None = None
    """What has to be importable: the provider's SDK."""

    @property
    def extra(self) -> str | None:
        """The extra of costopt that brings the SDK; ``None`` where the base has all it takes."""
        return self.name if self.module else None

    @property
    def installed(self) -> bool:
        """Whether all it takes is there; nothing is imported."""
        if self.module is None:
            return True
        try:
            return find_spec(self.module) is not None
        except ModuleNotFoundError:  # A parent package is missing.
            return False


def _table(*providers: Provider) -> Mapping[str, Provider]:
    return {provider.name: provider for provider in providers}


PROVIDERS: Mapping[str, Provider] = _table(
    Provider(
        name="openai",
        endpoint="https://api.openai.com/v1",
        key_env="OPENAI_API_KEY",
        capabilities=_ALL | {"batch", "prompt_cache"},
    ),
    Provider(
        name="anthropic",
        endpoint="https://api.anthropic.com",
        key_env="ANTHROPIC_API_KEY",
        speaks="anthropic",
        capabilities=_ALL - {"seed"} | {"batch"},
        module="anthropic",
    ),
    Provider(
        name="google",
        endpoint="https://generativelanguage.googleapis.com",
        key_env="GOOGLE_API_KEY",
        speaks="google",
        capabilities=_ALL | {"prompt_cache"},
        module="google.genai",
    ),
    Provider(
        name="mistral",
        endpoint="https://api.mistral.ai",
        key_env="MISTRAL_API_KEY",
        speaks="mistral",
        # It knows no levels of effort: all or none.
        capabilities=_ALL - {"effort"},
        module="mistralai",
    ),
    Provider(
        name="groq",
        endpoint="https://api.groq.com",
        key_env="GROQ_API_KEY",
        speaks="groq",
        capabilities=_ALL,
        module="groq",
    ),
    Provider(
        name="bedrock",
        endpoint="https://bedrock-runtime.{region}.amazonaws.com",
        key_env="AWS_BEARER_TOKEN_BEDROCK",
        speaks="bedrock",
        capabilities=_ALL - {"seed"},
        module="boto3",
    ),
    Provider(
        name="openrouter",
        endpoint="https://openrouter.ai/api/v1",
        key_env="OPENROUTER_API_KEY",
    ),
    Provider(
        name="deepseek",
        endpoint="https://api.deepseek.com",
        key_env="DEEPSEEK_API_KEY",
        # Its JSON mode takes no schema.
        capabilities=frozenset({"generate", "tools", "prompt_cache"}),
    ),
    Provider(
        name="xai",
        endpoint="https://api.x.ai/v1",
        key_env="XAI_API_KEY",
        # Most of its reasoning models refuse an effort.
        capabilities=_ALL - {"effort"} | {"prompt_cache"},
        reasoning_apart=True,
    ),
    Provider(
        name="together",
        endpoint="https://api.together.xyz/v1",
        key_env="TOGETHER_API_KEY",
    ),
    Provider(
        name="fireworks",
        endpoint="https://api.fireworks.ai/inference/v1",
        key_env="FIREWORKS_API_KEY",
    ),
    Provider(name="cerebras", endpoint="https://api.cerebras.ai/v1", key_env="CEREBRAS_API_KEY"),
    Provider(
        name="cohere",
        endpoint="https://api.cohere.ai/compatibility/v1",
        key_env="CO_API_KEY",
    ),
    Provider(
        name="moonshotai",
        endpoint="https://api.moonshot.ai/v1",
        key_env="MOONSHOTAI_API_KEY",
    ),
    Provider(name="huggingface", endpoint="https://router.huggingface.co/v1", key_env="HF_TOKEN"),
    Provider(name="ollama", endpoint="http://localhost:11434/v1", key_env=None),
)
"""By name. Azure is none of them: each resource has its own address, so it is a ``base_url``."""


def require_installed(provider: Provider) -> None:
    """Check that the provider's SDK is there, before anything is sent.

    Raises:
        CostoptError: it is not; names the extra that brings it.
    """
    if not provider.installed:
        raise CostoptError(
            f"{provider.name} models need an SDK that is not installed",
            hint=f"pip install 'costopt[{provider.extra}]'",
        )
