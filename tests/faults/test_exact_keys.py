"""Promise 6: another request is another key, and the same request said otherwise is not."""

import random
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest

from costopt.core.types import GenerationSettings, Message, Request
from costopt.models.compatible import CompatibleTarget
from costopt.models.keys import request_key

Change = Callable[[random.Random, Request], Request]
TEXTS = ("", " ", "a", "A", "a ", "a\n", "a\r\n", "\u0061\u0301", "\u00e1", "0", "null", "[]")
SCHEMAS = ({"type": "object"}, {"type": "array"}, {"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 1.5})


def some_text(chance: random.Random) -> str:
    return chance.choice(TEXTS) + chance.choice(("", str(chance.randrange(10**9)), "\u200b", "é"))


def some_request(chance: random.Random) -> Request:
    roles = ("system", "user", "assistant")
    messages = tuple(
        Message(chance.choice(roles), some_text(chance)) for _ in range(chance.randrange(1, 4))
    )
    settings = GenerationSettings(
        max_output_tokens=chance.randrange(1, 1000),
        temperature=chance.choice((0, 0.5, 1, 1.0, 0.1)),
        stop=tuple(some_text(chance) for _ in range(chance.randrange(3))),
        seed=chance.choice((None, 0, 1, 17)),
        effort=chance.choice((None, "low", "high")),
        response_schema=chance.choice((None, *SCHEMAS)),
        tools=chance.choice(((), ({"type": "function"},), ({"type": "x"}, {"type": "y"}))),
    )
    return Request(messages=messages, settings=settings, replicate=chance.randrange(3))


def of_settings(name: str, values: Callable[[random.Random], Any]) -> Change:
    def change(chance: random.Random, request: Request) -> Request:
        settings = replace(request.settings, **{name: values(chance)})
        return replace(request, settings=settings)

    return change


def one_message(chance: random.Random, request: Request) -> Request:
    at = chance.randrange(len(request.messages))
    old = request.messages[at]
    new = chance.choice(
        (Message("developer", old.content), Message(old.role, old.content + some_text(chance)))
    )
    return replace(request, messages=(*request.messages[:at], new, *request.messages[at + 1 :]))


def order(chance: random.Random, request: Request) -> Request:
    return replace(request, messages=request.messages[::-1])


def joined(chance: random.Random, request: Request) -> Request:
    whole = "".join(message.content for message in request.messages)
    return replace(request, messages=(Message(request.messages[0].role, whole),))


CHANGES: dict[str, Change] = {
    "max_output_tokens": of_settings("max_output_tokens", lambda c: c.randrange(1, 1000)),
    "temperature": of_settings("temperature", lambda c: c.choice((0.0, 0.2, 0.7, 1.0, 1.5))),
    "stop": of_settings("stop", lambda c: tuple(some_text(c) for _ in range(c.randrange(3)))),
    "seed": of_settings("seed", lambda c: c.choice((None, 0, 1, 2, 17))),
    "effort": of_settings("effort", lambda c: c.choice((None, "low", "medium", "high"))),
    "response_schema": of_settings("response_schema", lambda c: c.choice((None, *SCHEMAS))),
    "tools": of_settings("tools", lambda c: c.choice(((), ({"type": "y"}, {"type": "x"})))),
    "message": one_message,
    "order": order,
    "joined": joined,
    "replicate": lambda c, r: replace(r, replicate=r.replicate + 1 + c.randrange(3)),
    "continuation": lambda c, r: replace(r, continuation=some_text(c) + "."),
}


def identity(**more: Any) -> dict[str, Any]:
    given = {"name": "t", "model": "m", "base_url": "http://127.0.0.1:9/v1", **more}
    return dict(CompatibleTarget(**given).identity)


IDENTITIES = [
    identity(),
    identity(model="m2"),
    identity(base_url="http://127.0.0.1:9/v2"),
    identity(base_url="http://127.0.0.1:10/v1"),
    identity(base_url="https://127.0.0.1:9/v1"),
]


def same(one: Request, other: Request) -> bool:
    """Whether two requests are one: as dataclasses, and with schemas in the same order."""
    dumped = [repr((r.settings.response_schema, r.settings.tools)) for r in (one, other)]
    return one == other and dumped[0] == dumped[1]


def false_hits(count: int) -> int:
    chance, hits, tried = random.Random(count), 0, 0
    while tried < count:
        request = some_request(chance)
        changed = CHANGES[chance.choice(tuple(CHANGES))](chance, request)
        if same(request, changed):
            continue
        tried += 1
        hits += request_key(IDENTITIES[0], request) == request_key(IDENTITIES[0], changed)
    return hits


def reordered(chance: random.Random, found: dict[str, Any]) -> dict[str, Any]:
    items = list(found.items())
    chance.shuffle(items)
    return dict(items)


def false_misses(count: int) -> int:
    """Say the same otherwise: another order of the identity, numbers of another type, copies."""
    chance, misses = random.Random(count), 0
    knobs = ({"timeout_s": 9.0}, {"name": "other"}, {"tokenizer": "openai:gpt-4o"}, {})
    others = [identity(**more) for more in (*knobs, {"base_url": "http://127.0.0.1:9/v1/"})]
    for _ in range(count):
        request = some_request(chance)
        number = request.settings.temperature
        settings = replace(
            request.settings,
            temperature=chance.choice((float(number), int(number) if number % 1 == 0 else number)),
            stop=tuple(request.settings.stop),
        )
        again = replace(request, settings=settings, messages=tuple(request.messages))
        other = reordered(chance, chance.choice(others))
        misses += request_key(IDENTITIES[0], request) != request_key(other, again)
    return misses


def test_every_field_of_a_request_has_a_change() -> None:
    covered = {"message", "order", "joined"} | {item.name for item in fields(GenerationSettings)}
    covered |= {item.name for item in fields(Request)} - {"messages", "settings"}
    assert set(CHANGES) == covered


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_each_change_is_another_key(name: str) -> None:
    chance, seen = random.Random(name), 0
    for _ in range(50):
        request = some_request(chance)
        changed = CHANGES[name](chance, request)
        if not same(request, changed):
            seen += 1
            assert request_key(IDENTITIES[0], request) != request_key(IDENTITIES[0], changed)
    assert seen > 0


def test_another_endpoint_or_model_is_another_key() -> None:
    request = some_request(random.Random(0))
    assert len({request_key(found, request) for found in IDENTITIES}) == len(IDENTITIES)


@pytest.mark.parametrize("count", [1000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_no_false_hits_and_no_false_misses(count: int) -> None:
    assert false_hits(count) == 0
    assert false_misses(count) == 0
