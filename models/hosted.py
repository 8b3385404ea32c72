"""A provider's model behind the provider's own API, through pydantic-ai's `direct` functions."""

import asyncio
import os
import time
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..core.protocols import TargetError, TokenCounter
from ..core.types import Answer, Request, Usage
from ..costs.tokens import counter_for
from .api_key import read_key
from .capabilities import LEFT_OUT
from .compatible import DEFAULT_TIMEOUT_S
from .providers import Provider, require_installed
from .usage import library_usage

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelResponse

    from .sdk_models import Opened

_FINISH = {"tool_call": "tool_calls", None: "unknown"}
# What says in the library's profile that a model takes an effort as such. Where a model has only a
# budget of thoughts, an effort would be turned into one that may exceed the answer's limit.
_EFFORT = {
    "anthropic": "anthropic_supports_effort",
    "bedrock": "bedrock_supports_effort",
    "google": "supports_thinking",
    "groq": "groq_supports_graded_reasoning_effort",
}


class HostedTarget:
    """A `Target` at a provider that needs its own SDK.

    The key is read when a request is made, and sent to ``base_url`` only.

    Args:
        name: What the user calls it.
        provider: Whose model it is.
        model: The model's name at the provider.
        api_key_env: The variable that holds the key; the provider's own by default.
        base_url: The provider's endpoint by default.
        capabilities: What it can do; by default what the provider and the library declare.
        timeout_s: Seconds for one answer.
        asked: Whether it will be asked; else no key is needed to say who it is.

    Raises:
        CostoptError: the SDK is not installed, or there is no key.
    """

    def __init__(
        self,
        *,
        name: str,
        provider: Provider,
        model: str,
        api_key_env: str | None = None,
        base_url: str | None = None,
        capabilities: frozenset[str] | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        asked: bool = True,
    ) -> None:
        require_installed(provider)
        self.name = name
        self.model = model
        self._provider = provider
        self._key_env = api_key_env or provider.key_env
        self._own_key = api_key_env is not None
        self._base_url = base_url or provider.endpoint
        self._timeout_s = timeout_s
        self._opened: Opened | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        if asked and provider.speaks == "bedrock":
            from .bedrock import aws_session

            aws_session(self._key())  # No region or no credentials: said now, not while asking.
        if asked:
            self._key()
        self.capabilities = capabilities or _capabilities(provider, model)

    @property
    def identity(self) -> Mapping[str, Any]:
        """The provider, the endpoint, the model, and what is left out of requests."""
        left_out = sorted(LEFT_OUT - self.capabilities)
        where = {"target": self._provider.name, "base_url": self._base_url, "model": self.model}
        return {**where, "left_out": left_out}

    @property
    def counter(self) -> TokenCounter:
        """The model's tokenizer where it is public, else an estimate that says so."""
        return counter_for(f"{self._provider.name}:{self.model}")

    async def answer(self, request: Request) -> Answer:
        """Ask once, without retries.

        Raises:
            TargetError: by kind, as `CompatibleTarget.answer` does.
            CostoptError: the key is gone.
        """
        if request.continuation is not None:
            raise TargetError(f'the target "{self.name}" gives no log-likelihoods', kind="rejected")
        from .failures import target_error
        from .library_request import answer_text

        opened = self._connected()
        begun = time.perf_counter()
        try:
            async with asyncio.timeout(self._timeout_s):
                response = await self._ask(opened, request)
            usage, text = library_usage(response.usage), answer_text(response)
            if usage is None and not text:
                raise ValueError("it is empty")
        except TargetError:
            raise
        except Exception as error:
            # Not chained: what the library says of itself may hold what the server said of the key.
            raise target_error(error, *opened.secrets) from None
        return Answer(
            text=text,
            usage=usage or self._counted(request, text),
            finish_reason=_FINISH.get(response.finish_reason, response.finish_reason) or "unknown",
            latency_s=time.perf_counter() - begun,
            model=response.model_name or self.model,
            created=datetime.now(UTC).isoformat(timespec="milliseconds"),
        )

    async def close(self) -> None:
        """Close the connections."""
        if self._opened is not None and self._loop is asyncio.get_running_loop():
            await self._opened.close()
        self._opened = None

    async def _ask(self, opened: "Opened", request: Request) -> "ModelResponse":
        from pydantic_ai.direct import model_request

        from .library_request import messages_of, parameters_of, settings_of

        return await model_request(
            opened.model,
            messages_of(request),
            model_settings=settings_of(request.settings, self.capabilities, self._timeout_s),
            model_request_parameters=parameters_of(request.settings),
        )

    def _counted(self, request: Request, text: str) -> Usage:
        """Return our own count, for an answer whose provider counted nothing."""
        read_in = sum(self.counter(message.content) for message in request.messages)
        return Usage(input=read_in, output=self.counter(text))

    def _connected(self) -> "Opened":
        """Return the model with its connections; one a loop, since they belong to it."""
        from .sdk_models import open_model

        loop = asyncio.get_running_loop()
        if self._opened is None or self._loop is not loop:
            # A setting that a model does not take is left out, and said before: `capabilities`.
            warnings.filterwarnings("ignore", category=UserWarning, module=r"pydantic_ai\.")
            self._loop = loop
            self._opened = open_model(
                self._provider.speaks, self.model, self._base_url, self._key(), self._timeout_s
            )
        return self._opened

    def _key(self) -> str | None:
        if self._provider.speaks == "bedrock" and not self._own_key and not self._is_set:
            return None  # AWS has credentials of its own beside the key.
        return read_key(self._key_env, self.name)

    @property
    def _is_set(self) -> bool:
        return bool(os.environ.get(self._key_env or ""))


def _capabilities(provider: Provider, model: str) -> frozenset[str]:
    """Return what both the provider declares and the library knows of the model."""
    from .sdk_models import profile_of

    profile = profile_of(provider.speaks, model)
    known = {
        "effort": profile.get(_EFFORT.get(provider.speaks, "")),
        "json_schema": profile.get("supports_json_schema_output"),
        "tools": profile.get("supports_tools", True),
    }
    missing = {name for name, there in known.items() if not there}
    return (provider.capabilities or frozenset({"generate"})) - missing
