"""What the store holds, and why a request is not in it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from costopt.core.types import Answer, GenerationSettings, Message, Request, Usage
from costopt.models.inventory import (
    clear,
    explain,
    export,
    identities,
    summaries,
    take_inventory,
)
from costopt.models.keys import request_key
from costopt.models.records import summarise
from costopt.models.store import AnswerStore

HERE = {"target": "chat/completions", "base_url": "http://localhost/v1", "model": "m"}
REQUEST = Request(
    messages=(Message("system", "Be brief."), Message("user", "What is due?")),
    settings=GenerationSettings(max_output_tokens=64),
)
ANSWER = Answer(
    text="Friday",
    usage=Usage(10, 2),
    finish_reason="stop",
    latency_s=0.1,
    model="m",
    created="2026-01-01T00:00:00+00:00",
)


def put(store: AnswerStore, request: Request, answer: Answer = ANSWER, target: str = "t") -> None:
    key = request_key(HERE, request)
    store.put(key, summarise(request, HERE), answer, target=target)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AnswerStore]:
    opened = AnswerStore(tmp_path)
    put(opened, REQUEST)
    put(opened, replace(REQUEST, replicate=1), replace(ANSWER, created="2026-03-01T00:00:00+00:00"))
    put(opened, replace(REQUEST, replicate=2), replace(ANSWER, model="n"), target="u")
    yield opened
    opened.close()


def test_it_is_counted_by_target_and_model(store: AnswerStore) -> None:
    found = take_inventory(store)
    assert [(h.target, h.model, h.answers) for h in found.holdings] == [
        ("t", "m", 2),
        ("u", "n", 1),
    ]
    assert found.holdings[0].oldest < found.holdings[0].newest
    assert found.answers == 3
    assert (found.set_aside, found.damaged_files, found.lost.requests) == (0, (), 0)


def test_everything_is_written_out(store: AnswerStore) -> None:
    rows = list(export(store))
    assert [row["answer"]["text"] for row in rows] == ["Friday"] * 3
    assert rows[0]["key"] == request_key(HERE, REQUEST)
    assert "Be brief" not in str(rows)


@pytest.mark.parametrize(
    ("which", "left"),
    [
        ({"target": "u"}, 2),
        ({"target": "t", "older_than_days": 0}, 1),
        ({"older_than_days": 99999}, 3),
        ({}, 0),
    ],
)
def test_it_is_cleared(store: AnswerStore, which: dict[str, Any], left: int) -> None:
    given = {"target": None, "older_than_days": None, **which}
    assert clear(store, **given) == 3 - left
    assert len(store) == left


def test_what_is_cleared_is_in_no_file_any_more(store: AnswerStore) -> None:
    def found() -> list[Path]:
        files = [path for path in store.path.parent.rglob("*") if path.is_file()]
        return [path for path in files if ANSWER.text.encode() in path.read_bytes()]

    assert found()
    clear(store, target="t", older_than_days=None)
    clear(store, target=None, older_than_days=None)
    assert found() == []
    assert list(store.path.parent.glob("*-journal")) == []


@pytest.mark.parametrize(
    ("request_", "identity", "part"),
    [
        (
            replace(REQUEST, settings=GenerationSettings(max_output_tokens=9)),
            {},
            "max_output_tokens",
        ),
        (
            replace(REQUEST, settings=GenerationSettings(max_output_tokens=64, temperature=0.5)),
            {},
            "temperature",
        ),
        (replace(REQUEST, continuation="Friday"), {}, "mode"),
        (replace(REQUEST, replicate=7), {}, "replicate"),
        (REQUEST, {"model": "other"}, "target.model"),
        (REQUEST, {"base_url": "http://localhost/v2"}, "target.base_url"),
        (
            replace(REQUEST, messages=(REQUEST.messages[0], Message("user", "What is due now?"))),
            {},
            "text of message 2",
        ),
        (replace(REQUEST, messages=REQUEST.messages[1:]), {}, "number of messages"),
    ],
)
def test_the_first_difference_is_named(
    store: AnswerStore, request_: Request, identity: dict[str, Any], part: str
) -> None:
    found = explain(summaries(store, "t"), {**HERE, **identity}, request_)
    assert found is not None
    assert found.part == part
    assert found.here != found.stored


def test_what_an_earlier_costopt_stored_is_not_compared(store: AnswerStore) -> None:
    assert explain([{"mode": "generate", "messages": 2}], HERE, REQUEST) is None


def test_as_whom_a_models_answers_are_stored(store: AnswerStore) -> None:
    there = {**HERE, "base_url": "http://elsewhere/v1"}
    other = {**HERE, "model": "n"}
    for target, identity in (("v", there), ("t", other)):
        store.put(
            request_key(identity, REQUEST), summarise(REQUEST, identity), ANSWER, target=target
        )
    assert identities(store, "v", "m") == (there, HERE)
    assert identities(store, "t", "m") == (HERE, there)
    assert identities(store, "t", "n") == (other,)
    assert identities(store, "t", "unknown") == ()


def test_a_summary_that_is_no_json_is_passed_over_and_the_file_stays(store: AnswerStore) -> None:
    store.database.write(
        lambda connection: connection.execute("UPDATE answers SET request = '{' WHERE target = 'u'")
    )
    assert identities(store, "t", "m") == (HERE,)
    assert len(store) == 3
    assert take_inventory(store).damaged_files == ()
