"""Any server with OpenAI's chat completions: Ollama, vLLM, llama.cpp, OpenRouter, OpenAI itself."""

import asyncio
import os
import time
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..core.errors import CostoptError
from ..core.protocols import TargetError, TokenCounter
from ..core.secrets import remember
from ..core.types import Answer, GenerationSettings, Message, Request, Usage
from ..costs.tokens import counter_for

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from pydantic_ai.messages import ModelMessage, ModelResponse

DEFAULT_TIMEOUT_S = 300.0
_FINISH = {"tool_call": "tool_calls", None: "unknown"}


class CompatibleTarget:
    """A `Target` behind ``POST {base_url}/chat/completions``, not streamed.

    The key is read from the variable when a request is made, sent to ``base_url`` only, and
    neither printed nor stored. It gives no log-likelihoods: such servers have no common way to.

    Args:
        name: What the user calls it.
        model: The model's name at the server.
        base_url: Such as ``http://localhost:11434/v1``.
        api_key_env: The variable that holds the key; ``None`` for a server without keys.
        tokenizer: Whose tokens are counted; default: the model's, as far as it is known.
        cache_reads: Whether the server's cache hits are billed as such. A local server's prefix
            hits are not, and are then left out of the usage.
        timeout_s: Seconds for one answer.

    Raises:
        CostoptError: the variable is named and empty.
    """

    def __init__(
        self,
        *,
        name: str,
        model: str,
        base_url: str,
        api_key_env: str | None = None,
        tokenizer: str | None = None,
        cache_reads: bool = False,
        timeout_s: float = DEFAULT_TIMEOUT_S,
    ) -> None:
        self.name = name
        self.model = model
        self.capabilities = frozenset({"generate", "seed"})
        self._base_url = base_url.rstrip("/")
        self._key_env = api_key_env
        self._cache_reads = cache_reads
        self._timeout_s = timeout_s
        self._counter = _counter(tokenizer or model)
        self._client: AsyncOpenAI | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._key()

    @property
    def identity(self) -> Mapping[str, Any]:
        """The endpoint and the model."""
        return {"target": "chat/completions", "base_url": self._base_url, "model": self.model}

    @property
    def counter(self) -> TokenCounter:
        """The model's tokenizer where it is public, else an estimate that says so."""
        return self._counter

    async def answer(self, request: Request) -> Answer:
        """Ask once, without retries.

        Raises:
            TargetError: by kind: ``rate_limit`` (with ``retry_after_s``), ``server``,
                ``timeout``, ``rejected``, ``refused``.
            CostoptError: the key is gone.
        """
        if request.continuation is not None:
            raise TargetError(f'the target "{self.name}" gives no log-likelihoods', kind="rejected")
        from .failures import target_error

        messages = _messages(request)
        begun = time.perf_counter()
        try:
            async with asyncio.timeout(self._timeout_s):
                response = await self._ask(messages, request.settings)
        except Exception as error:
            raise target_error(error, key=self._key(), paying=self._key_env is not None) from error
        latency_s = time.perf_counter() - begun
        text = _text(response)
        return Answer(
            text=text,
            usage=self._usage(response, request, text),
            finish_reason=_FINISH.get(response.finish_reason, response.finish_reason) or "unknown",
            latency_s=latency_s,
            model=response.model_name or self.model,
            created=datetime.now(UTC).isoformat(timespec="milliseconds"),
        )

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None and self._loop is asyncio.get_running_loop():
            await self._client.close()
        self._client = None

    async def _ask(
        self, messages: "list[ModelMessage]", settings: GenerationSettings
    ) -> "ModelResponse":
        from pydantic_ai.direct import model_request
        from pydantic_ai.models.openai import OpenAIChatModel, OpenAIChatModelSettings
        from pydantic_ai.profiles.openai import OpenAIModelProfile
        from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

        # What is measured is what is sent: no invisible characters inside what looks like a
        # special token. Servers other than OpenAI's often know ``max_tokens`` only.
        profile = OpenAIModelProfile(
            may_tokenize_special_tokens_in_content=False,
            openai_chat_supports_max_completion_tokens=self._is_openai,
        )
        provider = OpenAICompatibleProvider(
            self.name, openai_client=self._connected(), profile=profile
        )
        model = OpenAIChatModel(self.model, provider=provider)
        with warnings.catch_warnings():
            # A reasoning model takes no temperature; the library leaves it out and warns.
            warnings.simplefilter("ignore", UserWarning)
            return await model_request(
                model,
                messages,
                model_settings=OpenAIChatModelSettings(**_settings(settings, self._timeout_s)),
            )

    @property
    def _is_openai(self) -> bool:
        return self._base_url.startswith("https://api.openai.com/")

    def _connected(self) -> "AsyncOpenAI":
        """Return the SDK's client; one a loop, since its connections belong to it."""
        from openai import AsyncOpenAI

        from .wire import bounded_client

        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            self._loop = loop
            self._client = AsyncOpenAI(
                base_url=self._base_url,
                api_key="unused",  # The transport sends the key; the SDK insists on one.
                max_retries=0,
                http_client=bounded_client(self._key(), self._timeout_s),
            )
        return self._client

    def _key(self) -> str | None:
        if self._key_env is None:
            return None
        key = os.environ.get(self._key_env, "").strip()
        if not key:
            raise CostoptError(
                f'the target "{self.name}" needs an API key, and {self._key_env} is not set',
                hint=f"set the environment variable {self._key_env}",
            )
        if not key.isascii() or not key.isprintable() or " " in key:
            raise CostoptError(
                f"{self._key_env} does not hold an API key: it has characters that none has"
            )
        remember(key)
        return key

    def _usage(self, response: "ModelResponse", request: Request, text: str) -> Usage:
        """Return the tokens as the server counts them; where it counts none, our own count."""
        found = response.usage
        read_in, written = found.input_tokens, found.output_tokens
        if read_in == 0 and written == 0:
            read_in = sum(self._counter(message.content) for message in request.messages)
            written = self._counter(text)
        cached = min(found.cache_read_tokens, read_in) if self._cache_reads else 0
        reasoning = found.details.get("reasoning_tokens", 0) or getattr(
            found, "output_reasoning_tokens", 0
        )
        return Usage(
            input=read_in,
            output=written,
            cache_read=cached,
            cache_write=min(found.cache_write_tokens, read_in - cached) if self._cache_reads else 0,
            reasoning=min(reasoning or 0, written),
        )


def _counter(model: str) -> TokenCounter:
    try:
        return counter_for(model)
    except CostoptError:  # Unknown by its name alone: an estimate, which says so.
        return counter_for(f"compatible:{model}")


def _messages(request: Request) -> "list[ModelMessage]":
    """Return the conversation in pydantic-ai's terms; the order stays."""
    from pydantic_ai import messages as ai

    spoken: list[ModelMessage] = []
    for message in request.messages:
        if message.role == "assistant":
            spoken.append(ai.ModelResponse(parts=[ai.TextPart(message.content)]))
            continue
        spoken.append(ai.ModelRequest(parts=[_part(message)]))
    return spoken


def _part(message: Message) -> Any:  # noqa: ANN401 - one of a union that has no public name
    from pydantic_ai import messages as ai

    if message.role in ("system", "developer"):
        return ai.SystemPromptPart(message.content)
    if message.role == "user":
        return ai.UserPromptPart(message.content)
    raise TargetError(f'messages of role "{message.role}" cannot be sent', kind="rejected")


def _settings(settings: GenerationSettings, timeout_s: float) -> dict[str, Any]:
    wanted: dict[str, Any] = {
        "max_tokens": settings.max_output_tokens,
        "temperature": settings.temperature,
        "timeout": timeout_s,
    }
    if settings.stop:
        wanted["stop_sequences"] = list(settings.stop)
    if settings.seed is not None:
        wanted["seed"] = settings.seed
    if settings.effort is not None:
        wanted["openai_reasoning_effort"] = settings.effort
    body = _body(settings)
    if body:
        wanted["extra_body"] = body
    return wanted


def _body(settings: GenerationSettings) -> dict[str, Any]:
    """Return what goes as it is: the API takes both as the prompt's file has them."""
    body: dict[str, Any] = {}
    if settings.tools:
        body["tools"] = [dict(tool) for tool in settings.tools]
    if settings.response_schema is not None:
        schema = {"name": "answer", "schema": dict(settings.response_schema)}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    return body


def _text(response: "ModelResponse") -> str:
    """Return the answer's text, and its tool calls as JSON."""
    import json

    from pydantic_ai import messages as ai

    said = "".join(part.content for part in response.parts if isinstance(part, ai.TextPart))
    calls = [
        {"name": part.tool_name, "arguments": part.args}
        for part in response.parts
        if isinstance(part, ai.ToolCallPart)
    ]
    if not calls:
        return said
    called = json.dumps({"tool_calls": calls}, ensure_ascii=False)
    return f"{said}\n{called}" if said else called
