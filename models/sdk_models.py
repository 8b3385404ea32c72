"""The models of providers with APIs of their own, through pydantic-ai and the provider's SDK.

Imported only where a request is made. Every SDK gets our HTTP client, which alone knows the key,
sends it to one address, follows no redirect and reads bounded responses; the SDK itself holds the
word "unused". Bedrock's takes none: see `bedrock`. None of them retries: the one retry layer is
above.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pydantic_ai.models import Model
from pydantic_ai.profiles import ModelProfile

from .wire import bounded_client, key_header

_NO_KEY = "unused"

# What is measured is what is sent: no invisible characters inside what looks like a special token.
AS_IT_IS = ModelProfile(may_tokenize_special_tokens_in_content=False)


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A model with its connections, and the secrets that they send."""

    model: Model[Any]
    close: Callable[[], Awaitable[None]]
    secrets: tuple[str, ...] = ()


def open_model(family: str, model: str, url: str, key: str | None, timeout_s: float) -> Opened:
    """Return a provider's model, ready to be asked.

    Args:
        family: The API that is spoken: one of those below.
        model: The model's name at the provider.
        url: The provider's endpoint.
        key: The key; ``None`` where Bedrock takes AWS's own credentials.
        timeout_s: Seconds for each read and write.

    Raises:
        CostoptError: AWS has no region or no credentials here.
    """
    if family == "bedrock":
        from .bedrock import open_bedrock

        converse, secrets = open_bedrock(model, url, key, timeout_s)
        return Opened(model=converse, close=_nothing, secrets=secrets)
    secrets = (key,) if key else ()
    if family == "groq":
        from .wire_httpx import httpx_client

        legacy = httpx_client(key, timeout_s)
        return Opened(model=_groq(model, url, legacy), close=legacy.aclose, secrets=secrets)
    build, header = _BUILT[family]
    client = bounded_client(key_header(key, header), timeout_s)
    return Opened(model=build(model, url, client), close=client.aclose, secrets=secrets)


def profile_of(family: str, model: str) -> ModelProfile:
    """Return what pydantic-ai knows of a model, without any connection."""
    from importlib import import_module

    provider = import_module(f"pydantic_ai.providers.{family}")
    return getattr(provider, f"{family.title()}Provider").model_profile(model) or ModelProfile()


async def _nothing() -> None:
    """Close nothing."""


def _anthropic(model: str, url: str, client: Any) -> Model[Any]:  # noqa: ANN401 - the HTTP client
    from anthropic import AsyncAnthropic
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    sdk = AsyncAnthropic(api_key=_NO_KEY, base_url=url, http_client=client, max_retries=0)
    return AnthropicModel(model, provider=AnthropicProvider(anthropic_client=sdk), profile=AS_IT_IS)


def _google(model: str, url: str, client: Any) -> Model[Any]:  # noqa: ANN401 - the HTTP client
    from pydantic_ai.models.google import GoogleModel
    from pydantic_ai.providers.google import GoogleProvider

    provider = GoogleProvider(api_key=_NO_KEY, base_url=url, http_client=client)
    return GoogleModel(model, provider=provider, profile=AS_IT_IS)


def _mistral(model: str, url: str, client: Any) -> Model[Any]:  # noqa: ANN401 - the HTTP client
    from pydantic_ai.models.mistral import MistralModel
    from pydantic_ai.providers.mistral import MistralProvider

    provider = MistralProvider(api_key=_NO_KEY, base_url=url, http_client=client)
    return MistralModel(model, provider=provider, profile=AS_IT_IS)


def _groq(model: str, url: str, client: Any) -> Model[Any]:  # noqa: ANN401 - the HTTP client
    from groq import AsyncGroq
    from pydantic_ai.models.groq import GroqModel
    from pydantic_ai.providers.groq import GroqProvider

    sdk = AsyncGroq(api_key=_NO_KEY, base_url=url, http_client=client, max_retries=0)
    return GroqModel(model, provider=GroqProvider(groq_client=sdk), profile=AS_IT_IS)


_BUILT: dict[str, tuple[Callable[[str, str, Any], Model[Any]], str]] = {
    "anthropic": (_anthropic, "x-api-key"),
    "google": (_google, "x-goog-api-key"),
    "mistral": (_mistral, "Authorization"),
}
"""What builds a family's model, and the header that carries its key."""
