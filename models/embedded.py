"""The embedded target: SmolLM2-135M-Instruct, run by llama.cpp in this process."""

import asyncio
import json
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
_DEEPEST = 32
_OUTWEIGHS = 10_000.0
_SOME, _ALL = 512, 49_152
_JSON_STARTS = frozenset('{["-0123456789tfn')


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
    capabilities = frozenset({"generate", "loglikelihood", "seed", "json_schema"})

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
            begun = time.perf_counter()
            if request.continuation is None:
                drawn = _generate(server, prompt, request.settings, call)
            else:
                drawn = _force(server, prompt, request.continuation, call)
            latency_s = time.perf_counter() - begun
        return Answer(
            text=drawn.text,
            usage=Usage(input=len(prompt), output=drawn.tokens),
            finish_reason=drawn.finish_reason,
            latency_s=latency_s,
            model=MODEL,
            created=datetime.now(UTC).isoformat(timespec="milliseconds"),
            logprobs=drawn.logprobs,
            logprob_segments=drawn.segments,
        )


@dataclass(frozen=True, kw_only=True)
class _Drawn:
    """What came of a prompt."""

    text: str
    tokens: int
    finish_reason: str
    logprobs: tuple[float, ...] | None = None
    segments: tuple[str, ...] | None = None


def _check(settings: GenerationSettings) -> None:
    if settings.tools:
        raise TargetError("the embedded model takes no tool definitions", kind="rejected")
    # llama.cpp follows a schema recursively, in this process.
    if settings.response_schema is not None and _too_deep(settings.response_schema, _DEEPEST):
        raise TargetError(
            f"the response schema is nested more than {_DEEPEST} deep", kind="rejected"
        )


def _too_deep(value: object, left: int) -> bool:
    if not isinstance(value, Mapping | list | tuple):
        return False
    if left == 0:
        return True
    inner = value.values() if isinstance(value, Mapping) else value
    return any(_too_deep(part, left - 1) for part in inner)


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


def _generate(
    server: LlamaServer, prompt: list[int], settings: GenerationSettings, call: Call
) -> _Drawn:
    """Return what the model writes after ``prompt``."""
    payload: dict[str, Any] = {
        "prompt": prompt,
        "n_predict": settings.max_output_tokens,
        "temperature": settings.temperature,
        # Temperature alone, as an API documents it: no cut-offs that nobody asked for.
        "samplers": ["temperature"],
        "seed": (settings.seed or 0) % 2**32,
        "stop": list(settings.stop),
        "cache_prompt": True,
        "response_fields": ["content", "tokens_predicted", "stop_type"],
    }
    if settings.response_schema is not None:
        payload["json_schema"] = settings.response_schema
    found = server.post("/completion", payload, call)
    drawn = _Drawn(
        text=str(found["content"]),
        tokens=int(found["tokens_predicted"]),
        finish_reason="length" if found["stop_type"] == "limit" else "stop",
    )
    if settings.response_schema is not None and not _is_json(drawn):
        raise TargetError("llama.cpp cannot follow this response schema", kind="rejected")
    return drawn


def _is_json(drawn: _Drawn) -> bool:
    """Say whether an answer is JSON, as far as it goes.

    llama.cpp ignores a schema that it does not understand, without a word.
    """
    if drawn.finish_reason == "length":
        return drawn.text.lstrip()[:1] in _JSON_STARTS
    try:
        json.loads(drawn.text)
    except ValueError:
        return False
    return True


def _force(server: LlamaServer, prompt: list[int], continuation: str, call: Call) -> _Drawn:
    """Return the log-probability of each token of ``continuation`` after ``prompt``.

    The tokens are the canonical ones of the text, each forced in turn by a bias that nothing
    outweighs; the log-probabilities are read before the bias. llama.cpp keeps what it computed,
    so that each step evaluates one token. A grammar of token ids gives the same numbers, no faster,
    but llama.cpp follows none through a token that is a part of a character.
    """
    forced = server.tokens(continuation)
    if not forced:
        raise TargetError("there is no text to take the log-likelihood of", kind="rejected")
    if len(prompt) + len(forced) > CONTEXT:
        raise _too_long(len(prompt), len(forced))
    entries = [
        _forced_entry(server, [*prompt, *forced[:step]], token, call)
        for step, token in enumerate(forced)
    ]
    return _Drawn(
        text=continuation,
        tokens=len(forced),
        finish_reason="stop",
        logprobs=tuple(float(entry["logprob"]) for entry in entries),
        segments=tuple(str(entry["token"]) for entry in entries),
    )


def _forced_entry(
    server: LlamaServer, prompt: list[int], token: int, call: Call
) -> Mapping[str, Any]:
    """Return what llama.cpp says of ``token`` as the next one after ``prompt``."""
    entries = _next_token(server, prompt, token, 1, call)
    if entries and entries[0]["id"] == token:
        return entries[0]
    # llama.cpp tells nothing of a token that ends within a character. So force one that does not,
    # and find ours among the others that were possible there.
    (visible,) = server.tokens("a")
    for others in (_SOME, _ALL):
        (entry,) = _next_token(server, prompt, visible, others, call)
        for other in entry["top_logprobs"]:
            if other["id"] == token:
                return dict(other)
    raise TargetError("llama.cpp did not follow the reference", kind="server")


def _next_token(
    server: LlamaServer, prompt: list[int], token: int, others: int, call: Call
) -> list[dict[str, Any]]:
    """Force ``token`` after ``prompt``; return its entry, with as many ``others``, or nothing."""
    payload = {
        "prompt": prompt,
        "n_predict": 1,
        "logit_bias": [[token, _OUTWEIGHS]],
        "n_probs": others,
        "temperature": 0,
        "cache_prompt": True,
        "response_fields": ["completion_probabilities"],
    }
    found = server.post("/completion", payload, call)
    return list(found.get("completion_probabilities", ()))


def _too_long(prompt: int, more: int) -> TargetError:
    text = f"{prompt} tokens of prompt" + (f" and {more} of reference" if more else "")
    return TargetError(
        f"{text} are more than the embedded model's {CONTEXT} positions", kind="rejected"
    )
