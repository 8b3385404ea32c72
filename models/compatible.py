"""Any server with OpenAI's chat completions: Ollama, vLLM, llama.cpp, OpenRouter, OpenAI itself.

Spoken without an SDK: its layers would take most of the time that a request takes here.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..core.protocols import TargetError, TokenCounter
from ..core.types import Answer, GenerationSettings, Request, Usage
from ..costs.tokens import server_counter_for
from . import openai_models
from .api_key import read_key, without_keys
from .chat import Completion, Dialect, chat_body, read_completion
from .statuses import said, status_error
from .usage import chat_usage, without_cache

if TYPE_CHECKING:
    from .lean_http import LeanClient, Response

DEFAULT_TIMEOUT_S = 300.0
OWN = frozenset({"generate", "seed"})
"""What is taken for granted at a server that has not declared what it can do."""

_HEADERS = {"Accept": "application/json", "Content-Type": "application/json"}


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
        capabilities: What it can do.
        left_out: Of ``seed`` and ``effort``, what is not sent. It is part of the identity: with it
            the answer would be another.
        refuses: Whether the server refuses what is left out. Then there is no other answer.
        reasoning_apart: Whether its completion tokens leave those of reasoning out.
        timeout_s: Seconds for one answer.
        paying: Whether its calls are billed though it takes no key; those with a key always are.
        asked: Whether it will be asked; else no key is needed to say who it is.

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
        capabilities: frozenset[str] = OWN,
        left_out: frozenset[str] = frozenset(),
        refuses: bool = False,
        reasoning_apart: bool = False,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        paying: bool = False,
        asked: bool = True,
    ) -> None:
        self.name = name
        self.model = model
        self.capabilities = capabilities
        self._left_out = left_out
        self._refuses = refuses
        self._base_url = base_url.rstrip("/")
        self._key_env = api_key_env
        self._paying = paying or api_key_env is not None
        self._cache_reads = cache_reads
        self._reasoning_apart = reasoning_apart
        self._timeout_s = timeout_s
        self._counter = server_counter_for(tokenizer or model)
        self._client: LeanClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        if asked:
            self._key()

    @property
    def identity(self) -> Mapping[str, Any]:
        """The endpoint, the model, and what is left out of requests."""
        known = {"target": "chat/completions", "base_url": self._base_url, "model": self.model}
        if not self._left_out or self._refuses:
            return known
        return {**known, "left_out": sorted(self._left_out)}

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
        settings = self._possible(request.settings)
        body = chat_body(self.model, request.messages, settings, self._dialect(settings))
        begun = time.perf_counter()
        response = await self._post(body)
        latency_s = time.perf_counter() - begun
        if response.status != 200:
            message = self._clean(f"status {response.status}: {said(response.content)}")
            raise status_error(response.status, response.content, response.headers, message)
        return self._read(response.content, request, latency_s)

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None and self._loop is asyncio.get_running_loop():
            self._client.close()
        self._client = None

    async def _post(self, body: bytes) -> "Response":
        from .lean_http import BrokenConnectionError, NoConnectionError

        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._connected().post(body)
        except NoConnectionError as error:
            # Nothing was sent, so nothing can have been paid.
            message = self._clean(f"no connection: {error}")
            raise TargetError(message, kind="server") from None
        except TimeoutError:
            raise self._lost("no answer in time", "timeout") from None
        except BrokenConnectionError as error:
            raise self._lost(f"the connection broke: {error}", "server") from None

    def _read(self, body: bytes, request: Request, latency_s: float) -> Answer:
        try:
            found = read_completion(body)
            usage = self._usage(found, request)
        except ValueError as error:
            # It came with status 200, so it may be billed.
            raise self._lost(f"not an answer: {error}", "server") from None
        return Answer(
            text=found.text,
            usage=usage,
            finish_reason=found.finish_reason,
            latency_s=latency_s,
            model=found.model or self.model,
            created=datetime.now(UTC).isoformat(timespec="milliseconds"),
        )

    def _usage(self, found: Completion, request: Request) -> Usage:
        """Return the tokens as the server counts them; where it counts none, our own count."""
        usage = chat_usage(found.usage, reasoning_apart=self._reasoning_apart)
        if usage is None:
            read_in = sum(self._counter(message.content) for message in request.messages)
            return Usage(input=read_in, output=self._counter(found.text))
        return usage if self._cache_reads else without_cache(usage)

    def _possible(self, settings: GenerationSettings) -> GenerationSettings:
        """Leave out what only makes answers less exact, where the server does not take it."""
        return replace(settings, **dict.fromkeys(self._left_out)) if self._left_out else settings

    def _dialect(self, settings: GenerationSettings) -> Dialect:
        openai = self._base_url.startswith("https://api.openai.com/")
        return openai_models.dialect_of(self.model, settings.effort, openai=openai)

    def _connected(self) -> "LeanClient":
        """Return the HTTP client; one a loop, since its connections belong to it."""
        from .lean_http import LeanClient
        from .wire import key_header

        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            self._loop = loop
            headers = {**_HEADERS, **key_header(self._key())}
            self._client = LeanClient(f"{self._base_url}/chat/completions", headers)
        return self._client

    def _key(self) -> str | None:
        return read_key(self._key_env, self.name)

    def _clean(self, text: str) -> str:
        return without_keys(text, self._key())

    def _lost(self, message: str, kind: str) -> TargetError:
        """Return the error for an answer that may have been made, and is then paid for."""
        return TargetError(self._clean(message), kind=kind, possibly_paid=self._paying)
