"""Requests made up for tests, written as each log format writes them, and added up by hand."""

import csv
import io
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from costopt.core.types import Usage
from costopt.costs.prices import Price, batch_price, cost_of, price_for

MODELS = (
    ("openai", "gpt-4o-mini"),
    ("openai", "o3"),
    ("anthropic", "claude-haiku-4-5"),
    ("google", "gemini-2.5-pro"),
    ("openai", "no-such-model"),
)


@dataclass(frozen=True)
class Ask:
    """One request as it was; counts are inclusive."""

    id: str
    at: datetime
    provider: str
    model: str
    feature: str
    customer: str
    input: int
    cache_read: int
    cache_write: int
    output: int
    reasoning: int
    latency: float
    failed: bool = False
    batch: bool = False
    text: str = "Say hello."


def asks(many: int, seed: int = 0, *, providers: Sequence[str] = ()) -> list[Ask]:
    """Return requests of two months, in which the list price of o3 changes."""
    rng = random.Random(seed)
    models = [model for model in MODELS if not providers or model[0] in providers]
    start = datetime(2025, 5, 20, tzinfo=UTC)
    made: list[Ask] = []
    for index in range(many):
        provider, model = rng.choice(models)
        total = rng.choice([0, rng.randrange(20, 9000), rng.randrange(150_000, 300_000)])
        read = rng.randrange(total + 1) if rng.random() < 0.5 else 0
        written = rng.randrange(total - read + 1) if provider == "anthropic" else 0
        output = rng.randrange(1, 3000)
        made.append(
            Ask(
                id=f"req-{seed}-{index}",
                at=start + timedelta(milliseconds=rng.randrange(60 * 86_400_000)),
                provider=provider,
                model=model,
                feature=rng.choice(["chat", "search", "été"]),
                customer=f"c{rng.randrange(7)}",
                input=total,
                cache_read=read,
                cache_write=written,
                output=output,
                reasoning=rng.randrange(output + 1) if model == "o3" else 0,
                latency=rng.randrange(1, 30_000) / 1000,
            )
        )
    return made


@cache
def price(ref: str, on: date, batch: bool) -> Price | None:
    """The price of a day."""
    found = price_for(ref, on=on)
    return batch_price(found) if found and batch else found


def usd(ask: Ask) -> Decimal | None:
    """What a request costs, by `costs` alone; rounded to a billionth as the ledger keeps it."""
    found = price(f"{ask.provider}:{ask.model}", ask.at.date(), ask.batch)
    if found is None:
        return None
    usage = Usage(ask.input, ask.output, ask.cache_read, ask.cache_write, ask.reasoning)
    cost = cost_of(usage, found)
    return None if cost is None else cost.quantize(Decimal("1e-9"))


def _iso(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")


def _lines(records: Sequence[Any]) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def openai(found: Sequence[Ask]) -> bytes:
    """chat.completions and responses, by turns, with the request beside."""
    return _lines([_openai(ask, chat=index % 2 == 0) for index, ask in enumerate(found)])


def _openai(ask: Ask, *, chat: bool) -> dict[str, Any]:
    if chat:
        usage = {
            "prompt_tokens": ask.input,
            "completion_tokens": ask.output,
            "total_tokens": ask.input + ask.output,
            "prompt_tokens_details": {"cached_tokens": ask.cache_read},
            "completion_tokens_details": {"reasoning_tokens": ask.reasoning},
        }
    else:
        usage = {
            "input_tokens": ask.input,
            "input_tokens_details": {"cached_tokens": ask.cache_read},
            "output_tokens": ask.output,
            "output_tokens_details": {"reasoning_tokens": ask.reasoning},
        }
    request = {"model": ask.model, "messages": [{"role": "user", "content": ask.text}]}
    return {
        "timestamp": _iso(ask.at),
        "provider": ask.provider,
        "metadata": {"feature": ask.feature, "customer": ask.customer},
        "request": request,
        "response": {
            "id": ask.id,
            "object": "chat.completion" if chat else "response",
            "model": ask.model,
            "usage": usage,
        },
        "latency_ms": ask.latency * 1000,
        "error": {"message": "rate limit"} if ask.failed else None,
    }


def anthropic(found: Sequence[Ask]) -> bytes:
    """Messages with exclusive input."""
    return _lines(
        [
            {
                "timestamp": _iso(ask.at),
                "feature": ask.feature,
                "customer": ask.customer,
                "provider": ask.provider,
                "latency_s": ask.latency,
                "request": {
                    "model": ask.model,
                    "messages": [{"role": "user", "content": [{"type": "text", "text": ask.text}]}],
                },
                "response": {
                    "id": ask.id,
                    "type": "message",
                    "role": "assistant",
                    "model": ask.model,
                    "content": [{"type": "text", "text": "hi"}],
                    "usage": {
                        "input_tokens": ask.input - ask.cache_read - ask.cache_write,
                        "cache_creation_input_tokens": ask.cache_write,
                        "cache_read_input_tokens": ask.cache_read,
                        "output_tokens": ask.output,
                        "output_tokens_details": {"thinking_tokens": ask.reasoning},
                    },
                },
            }
            for ask in found
        ]
    )


def litellm(found: Sequence[Ask]) -> bytes:
    """Spend logs; every other one with its metadata as a text."""
    records: list[dict[str, Any]] = []
    for index, ask in enumerate(found):
        metadata: Any = {
            "requester_metadata": {"feature": ask.feature, "customer": ask.customer},
            "usage_object": {
                "prompt_tokens_details": {"cached_tokens": ask.cache_read},
                "cache_creation_input_tokens": ask.cache_write,
                "completion_tokens_details": {"reasoning_tokens": ask.reasoning},
            },
        }
        records.append(
            {
                "request_id": ask.id,
                "call_type": "acompletion",
                "spend": 0.5,
                "prompt_tokens": ask.input,
                "completion_tokens": ask.output,
                "startTime": _iso(ask.at),
                "endTime": _iso(ask.at + timedelta(seconds=ask.latency)),
                "model": ask.model,
                "custom_llm_provider": ask.provider,
                "metadata": json.dumps(metadata) if index % 2 else metadata,
                "status": "failure" if ask.failed else "success",
            }
        )
    return _lines(records)


def _langfuse(ask: Ask) -> dict[str, Any]:
    return {
        "id": ask.id,
        "traceId": "t",
        "type": "GENERATION",
        "name": "answer",
        "startTime": _iso(ask.at),
        "endTime": _iso(ask.at + timedelta(seconds=ask.latency)),
        "model": ask.model,
        "metadata": {
            "feature": ask.feature,
            "customer": ask.customer,
            "provider": ask.provider,
        },
        "usageDetails": {
            "input": ask.input - ask.cache_read - ask.cache_write,
            "cache_read_input_tokens": ask.cache_read,
            "cache_creation_input_tokens": ask.cache_write,
            "output": ask.output - ask.reasoning,
            "output_reasoning_tokens": ask.reasoning,
            "total": ask.input + ask.output,
        },
        "costDetails": {"total": 0.25},
        "level": "ERROR" if ask.failed else "DEFAULT",
        "statusMessage": "boom" if ask.failed else None,
    }


def langfuse(found: Sequence[Ask]) -> bytes:
    """Observations, a span of no model between them."""
    span = {"id": "s", "traceId": "t", "type": "SPAN", "startTime": "2025-06-01T00:00:00Z"}
    return _lines([*map(_langfuse, found), span])


def langfuse_csv(found: Sequence[Ask]) -> bytes:
    """The same as a table, objects as texts."""
    rows = [_langfuse(ask) for ask in found]
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]))
    writer.writeheader()
    for row in rows:
        writer.writerow(
            {key: json.dumps(v) if isinstance(v, dict) else v for key, v in row.items()}
        )
    return file.getvalue().encode()


def langfuse_array(found: Sequence[Ask]) -> bytes:
    """The same as one JSON array."""
    return json.dumps([_langfuse(ask) for ask in found], indent=1).encode()


def helicone(found: Sequence[Ask]) -> bytes:
    """Requests as the export tool writes them; Anthropic's prompt tokens without the cached."""
    records: list[dict[str, Any]] = []
    for ask in found:
        cached = ask.cache_read + ask.cache_write if ask.provider == "anthropic" else 0
        records.append(
            {
                "request_id": ask.id,
                "request_created_at": _iso(ask.at),
                "response_status": 500 if ask.failed else 200,
                "delay_ms": round(ask.latency * 1000),
                "provider": ask.provider.upper(),
                "model": ask.model,
                "prompt_tokens": ask.input - cached,
                "prompt_cache_read_tokens": ask.cache_read,
                "prompt_cache_write_tokens": ask.cache_write,
                "completion_tokens": ask.output,
                "reasoning_tokens": ask.reasoning,
                "request_user_id": ask.customer,
                "request_properties": {"Feature": ask.feature},
            }
        )
    return _lines(records)


def _attribute(key: str, value: object) -> dict[str, Any]:
    kind = "stringValue"
    if isinstance(value, int):
        kind, value = "intValue", str(value)
    return {"key": key, "value": {kind: value}}


def _span(ask: Ask, *, old: bool) -> dict[str, Any]:
    names = (
        ("gen_ai.system", "gen_ai.usage.prompt_tokens", "gen_ai.usage.completion_tokens")
        if old
        else ("gen_ai.provider.name", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
    )
    start = int(ask.at.timestamp() * 1000) * 1_000_000
    return {
        "traceId": "00",
        "spanId": f"{ask.id}-span",
        "name": f"chat {ask.model}",
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + round(ask.latency * 1000) * 1_000_000),
        "attributes": [
            _attribute("gen_ai.operation.name", "chat"),
            _attribute(names[0], ask.provider),
            _attribute("gen_ai.response.id", ask.id),
            _attribute("gen_ai.request.model", ask.model),
            _attribute(names[1], ask.input),
            _attribute(names[2], ask.output),
            _attribute("gen_ai.usage.cache_read.input_tokens", ask.cache_read),
            _attribute("gen_ai.usage.cache_creation.input_tokens", ask.cache_write),
            _attribute("gen_ai.usage.reasoning.output_tokens", ask.reasoning),
            _attribute("customer", ask.customer),
            *([_attribute("error.type", "timeout")] if ask.failed else []),
        ],
        "status": {},
    }


def otel(found: Sequence[Ask]) -> bytes:
    """Batches of three spans under the service that they are from, a tool's span with each."""
    tool = {
        "spanId": "tool",
        "name": "execute_tool",
        "startTimeUnixNano": "1",
        "endTimeUnixNano": "2",
        "attributes": [_attribute("gen_ai.operation.name", "execute_tool")],
    }
    lines: list[dict[str, Any]] = []
    for feature in dict.fromkeys(ask.feature for ask in found):
        own = [ask for ask in found if ask.feature == feature]
        for at in range(0, len(own), 3):
            spans = [_span(ask, old=at % 2 == 1) for ask in own[at : at + 3]]
            lines.append(
                {
                    "resourceSpans": [
                        {
                            "resource": {"attributes": [_attribute("service.name", feature)]},
                            "scopeSpans": [{"scope": {"name": "x"}, "spans": [*spans, tool]}],
                        }
                    ]
                }
            )
    return _lines(lines)


_PLAIN = {
    "at": lambda ask: _iso(ask.at),
    "id": lambda ask: ask.id,
    "provider": lambda ask: ask.provider,
    "model": lambda ask: ask.model,
    "feature": lambda ask: ask.feature,
    "customer": lambda ask: ask.customer,
    "input_tokens": lambda ask: ask.input,
    "cached_tokens": lambda ask: ask.cache_read,
    "cache_write_tokens": lambda ask: ask.cache_write,
    "output_tokens": lambda ask: ask.output,
    "reasoning_tokens": lambda ask: ask.reasoning,
    "latency_s": lambda ask: ask.latency,
    "error": lambda ask: "timeout" if ask.failed else "",
    "batch": lambda ask: ask.batch,
}


def plain_jsonl(found: Sequence[Ask]) -> bytes:
    """One's own JSON lines."""
    return _lines([{key: value(ask) for key, value in _PLAIN.items()} for ask in found])


def plain_csv(found: Sequence[Ask]) -> bytes:
    """One's own CSV."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(_PLAIN)
    writer.writerows([value(ask) for value in _PLAIN.values()] for ask in found)
    return file.getvalue().encode()


def plain_parquet(found: Sequence[Ask]) -> bytes:
    """One's own Parquet, with times as times."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {key: [value(ask) for ask in found] for key, value in _PLAIN.items()}
    columns["at"] = [ask.at for ask in found]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue().to_pybytes()


WRITERS: dict[str, Callable[[Sequence[Ask]], bytes]] = {
    "openai.jsonl": openai,
    "anthropic.jsonl": anthropic,
    "litellm.jsonl": litellm,
    "langfuse.jsonl": langfuse,
    "langfuse.csv": langfuse_csv,
    "langfuse.json": langfuse_array,
    "helicone.jsonl": helicone,
    "otel.jsonl": otel,
    "plain.jsonl": plain_jsonl,
    "plain.csv": plain_csv,
    "plain.parquet": plain_parquet,
}
"""Each format by the name of a file in it."""
