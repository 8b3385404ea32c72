"""The embedded target: SmolLM2-135M-Instruct, run by llama.cpp in this process."""

import asyncio
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..core.protocols import TargetError, TokenCounter
from ..core.types import Answer, GenerationSettings, Message, Request, Usage
from .llama import Call, LlamaServer
from .weights import IDENTITY, MODEL, check_weights

CONTEXT = 8192
"""The model's positions: prompt and answer together, in tokens."""
DEFAULT_SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
"""What the model's own chat template puts before a conversation without a system message."""
_TEMPLATE = "smollm2-chat/1"


@dataclass(frozen=True)
class _Counter:
    """Counts with the model's own tokenizer."""

    target: "EmbeddedTarget"
    tokenizer: str = "smollm2"
    exact: bool = True

    def __call__(self, text: str) -> int:
        clean = text.encode("utf-8", "replace").decode("utf-8")
        return len(self.target.server().tokens(clean))


class EmbeddedTarget:
    """A `Target` that needs no key and no network; the model is loaded when it is first needed.

    Requests run one after another; a prompt's beginning that the request before it shared is not
    computed again. These prefix hits are llama.cpp's own: no provider would bill them as cache
    reads, and ``usage.cache_read`` is always 0.

    Args:
        weights: The file that `weights.pull` returned.
        threads: How many; default: the processors that this process may use.
    """

    name = "embedded"
    model = MODEL
    capabilities = frozenset({"generate", "loglikelihood", "seed"})

    def __init__(self, weights: Path, *, threads: int | None = None) -> None:
        self._weights = weights
        self._threads = threads
        self._server: LlamaServer | None = None
        self._loading = threading.Lock()
        self._one_at_a_time = threading.Lock()

    @property
    def identity(self) -> Mapping[str, Any]:
        """The weights, the chat template and llama.cpp's version."""
        return {
            "target": "embedded",
            "model": MODEL,
            "weights": IDENTITY,
            "template": _TEMPLATE,
            "engine": f"xllamacpp {version('xllamacpp')}",
        }

    @property
    def counter(self) -> TokenCounter:
        """The model's own tokenizer; exact."""
        return _Counter(self)

    def server(self) -> LlamaServer:
        """Return the loaded model; loads it where need be (about a second).

        Raises:
            CostoptError: the weights are damaged.
        """
        with self._loading:
            if self._server is None:
                check_weights(self._weights)
                self._server = LlamaServer(self._weights, context=CONTEXT, threads=self._threads)
            return self._server

    async def answer(self, request: Request) -> Answer:
        """Generate, or take the log-likelihood of the request's continuation.

        Cancelling stops the work within seconds.

        Raises:
            TargetError: ``rejected``: too long, invalid Unicode, tools; ``server``: llama.cpp
                failed.
            CostoptError: the weights are damaged.
        """
        call = Call()
        work = asyncio.ensure_future(asyncio.to_thread(self._answer, request, call))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            call.cancel()
            work.add_done_callback(lambda done: done.cancelled() or done.exception())
            raise

    async def close(self) -> None:
        """Free the model."""
        with self._loading:
            if self._server is not None:
                self._server.close()
            self._server = None

    def _answer(self, request: Request, call: Call) -> Answer:
        _check(request.settings)
        server = self.server()
        with self._one_at_a_time:
            prompt = _prompt(server, request.messages)
            forced = None
            if request.continuation is not None:
                forced = server.tokens(request.continuation)
            payload = (
                _generation(prompt, request.settings)
                if forced is None
                else _forcing(prompt, forced)
            )
            begun = time.perf_counter()
            found = server.post("/completion", payload, call)
            latency_s = time.perf_counter() - begun
        likelihoods = None if forced is None else _logprobs(found, forced)
        return Answer(
            text=found["content"],
            usage=Usage(input=len(prompt), output=int(found["tokens_predicted"])),
            finish_reason=_finish_reason(found, request),
            latency_s=latency_s,
            model=MODEL,
            created=datetime.now(UTC).isoformat(timespec="milliseconds"),
            logprobs=likelihoods,
            logprob_segments=_segments(found) if likelihoods is not None else None,
        )


def _check(settings: GenerationSettings) -> None:
    if settings.tools:
        raise TargetError("the embedded model takes no tool definitions", kind="rejected")


def _prompt(server: LlamaServer, messages: Sequence[Message]) -> list[int]:
    """Return the token ids of a conversation in the model's chat template.

    The template's marks become special tokens; whatever looks like one inside a message stays
    text, so that a message cannot end itself and begin another one.
    """
    (start,) = server.tokens("<|im_start|>", special=True)
    (end,) = server.tokens("<|im_end|>", special=True)
    newline = server.tokens("\n")
    spoken = list(messages)
    if not spoken or spoken[0].role != "system":
        spoken.insert(0, Message("system", DEFAULT_SYSTEM))
    ids: list[int] = []
    for message in spoken:
        ids += [start, *server.tokens(f"{message.role}\n{message.content}"), end, *newline]
    ids += [start, *server.tokens("assistant\n")]
    if len(ids) >= CONTEXT:
        raise _too_long(len(ids), 0)
    return ids


def _generation(prompt: list[int], settings: GenerationSettings) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "prompt": prompt,
        "n_predict": settings.max_output_tokens,
        "temperature": settings.temperature,
        # Temperature alone, as an API documents it: no cut-offs that nobody asked for.
        "samplers": ["temperature"],
        "seed": (settings.seed or 0) % 2**32,
        "stop": list(settings.stop),
        "cache_prompt": True,
    }
    if settings.response_schema is not None:
        payload["json_schema"] = settings.response_schema
    return payload


def _forcing(prompt: list[int], forced: Sequence[int]) -> dict[str, Any]:
    """Return the request that lets only ``forced`` come, token by token, with log-probabilities."""
    if not forced:
        raise TargetError("there is no text to take the log-likelihood of", kind="rejected")
    if len(prompt) + len(forced) > CONTEXT:
        raise _too_long(len(prompt), len(forced))
    return {
        "prompt": prompt,
        "n_predict": len(forced),
        "grammar": "root ::= " + " ".join(f"<[{token}]>" for token in forced),
        "n_probs": 1,
        "temperature": 0,
        "cache_prompt": True,
    }


def _too_long(prompt: int, more: int) -> TargetError:
    text = f"{prompt} tokens of prompt" + (f" and {more} of reference" if more else "")
    return TargetError(
        f"{text} are more than the embedded model's {CONTEXT} positions", kind="rejected"
    )


def _logprobs(found: Mapping[str, Any], forced: Sequence[int]) -> tuple[float, ...]:
    entries = found["completion_probabilities"]
    if [entry["id"] for entry in entries] != list(forced):
        raise TargetError("llama.cpp did not follow the reference's tokens", kind="rejected")
    return tuple(float(entry["logprob"]) for entry in entries)


def _segments(found: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(entry["token"]) for entry in found["completion_probabilities"])


def _finish_reason(found: Mapping[str, Any], request: Request) -> str:
    limited = found["stop_type"] == "limit" and request.continuation is None
    return "length" if limited else "stop"
