"""The client that asks in batches: rounds, failures, crashes, the cap; against a real server."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from batch_runs import BatchServer, Run, question

from costopt.core.errors import CostoptError
from costopt.core.protocols import TargetError
from costopt.core.types import Answer, Usage
from costopt.models.batches import collect
from costopt.models.keys import request_key
from costopt.models.spending import BudgetExceeded

Start = Callable[..., Run]
STYLES = ("chat", "messages")
THREE = [question("France"), question("Italy"), question("Spain")]


def texts(answers: list[Any]) -> list[str]:
    return [a.text if isinstance(a, Answer) else f"{type(a).__name__}: {a}" for a in answers]


def pending(answers: list[Any]) -> bool:
    return all(isinstance(a, TargetError) and a.kind == "pending" for a in answers)


@pytest.mark.parametrize("style", STYLES)
def test_leave_and_come_back(style: str, start: Start, server: BatchServer) -> None:
    server.script({"polls": 1, "reverse": True})
    first = start(style=style)
    assert pending(first.ask(*THREE))
    assert first.client.requests == 3
    assert first.client.usd == 0
    waiting = first.client.waiting
    assert waiting is not None
    assert (waiting.requests, waiting.usd) == (3, Decimal("0.003"))
    second = start(style=style)
    assert pending(second.ask(*THREE))
    assert second.client.requests == 0
    third = start(style=style)
    answers = third.ask(*THREE)
    assert texts(answers) == ["Paris", "Rome", "Madrid"]
    assert all(answer.latency_s is None for answer in answers)
    assert third.client.requests == 0
    # 7 or 8 tokens in at 1 USD, 2 out at 4 USD per million.
    assert Decimal("0.00004") < third.client.usd < Decimal("0.00006")
    assert third.client.usd == third.spending.spent_usd
    assert third.spending.reserved_usd == 0
    assert third.client.waiting is None
    assert len(server.ledger()["batches"]) == 1


@pytest.mark.parametrize("style", STYLES)
def test_waiting_goes_through_rounds(style: str, start: Start, server: BatchServer) -> None:
    server.script({"polls": 2})
    run = start(style=style, wait=True)
    assert texts(run.ask(*THREE)) == ["Paris", "Rome", "Madrid"]
    assert run.spending.reserved_usd == 0
    assert any("in_progress" in said for said in run.said)
    assert len(server.ledger()["batches"]) == 1


def test_the_same_request_is_sent_once(start: Start, server: BatchServer) -> None:
    run = start(wait=True)
    assert texts(run.ask(THREE[0], THREE[0])) == ["Paris", "Paris"]
    assert (run.client.requests, run.client.cached_answers) == (1, 1)
    again = start(wait=True)
    assert texts(again.ask(THREE[0])) == ["Paris"]
    assert again.client.cached_answers == 1
    assert len(server.ledger()["served"]) == 1


def test_replicates_are_different_requests(start: Start, server: BatchServer) -> None:
    assert texts(start(wait=True).ask(question(), question(replicate=1))) == ["Paris", "Paris"]
    assert len(set(server.ledger()["served"])) == 2


@pytest.mark.parametrize("style", STYLES)
def test_expired_requests_are_sent_once_more(style: str, start: Start, server: BatchServer) -> None:
    server.script({"expire": [0, 2]})
    run = start(style=style, wait=True)
    assert texts(run.ask(*THREE)) == ["Paris", "Rome", "Madrid"]
    ledger = server.ledger()
    assert [len(batch["requests"]) for batch in ledger["batches"]] == [3, 2]
    assert sorted(ledger["served"]) == sorted(set(ledger["served"]))
    assert run.spending.reserved_usd == 0


@pytest.mark.parametrize("style", STYLES)
def test_what_keeps_failing_is_given_up(style: str, start: Start, server: BatchServer) -> None:
    server.script(*[{"fail": {"0": 500}}] * 9)
    run = start(style=style, wait=True)
    (error,) = run.ask(THREE[0])
    assert isinstance(error, TargetError)
    assert "given up after 4 batches" in str(error)
    assert "canary" not in str(error)
    assert len(server.ledger()["batches"]) == 4
    assert run.client.usd == 0


@pytest.mark.parametrize("style", STYLES)
def test_a_rejected_request_is_not_sent_again(
    style: str, start: Start, server: BatchServer
) -> None:
    server.script({"fail": {"1": 400}})
    for _ in range(2):
        answers = start(style=style, wait=True).ask(*THREE)
        assert isinstance(answers[1], TargetError)
        assert answers[1].kind == "rejected"
        assert texts(answers[::2]) == ["Paris", "Madrid"]
    assert len(server.ledger()["batches"]) == 1


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("fault", ["missing", "malformed"])
def test_a_lost_result_is_asked_for_once_more_and_counts_as_paid(
    style: str, fault: str, start: Start, server: BatchServer
) -> None:
    server.script({fault: [0], "strange": True})
    run = start(style=style, wait=True)
    assert texts(run.ask(*THREE)) == ["Paris", "Rome", "Madrid"]
    assert run.client.usd > Decimal("0.001")
    assert any("not of this batch" in said and "1 lost" in said for said in run.said)
    server.script(*[{fault: [0]}] * 5)
    (error,) = start(style=style, wait=True).ask(question("Japan"))
    assert isinstance(error, TargetError)
    assert error.possibly_paid
    assert len(server.ledger()["batches"]) == 4


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_lost_connection_is_not_paid_twice(
    style: str, moment: str, start: Start, server: BatchServer
) -> None:
    server.script({"lose": moment})
    assert texts(start(style=style, wait=True).ask(*THREE)) == ["Paris", "Rome", "Madrid"]
    ledger = server.ledger()
    assert len(ledger["batches"]) == 1
    assert len(ledger["served"]) == 3


def test_a_batch_is_found_without_its_tag(start: Start, server: BatchServer) -> None:
    server.script({"lose": "after"}, no_tags=True)
    assert texts(start(wait=True).ask(*THREE)) == ["Paris", "Rome", "Madrid"]
    assert len(server.ledger()["batches"]) == 1


@pytest.mark.parametrize("style", STYLES)
def test_where_nobody_knows_the_worst_case_counts(
    style: str, start: Start, server: BatchServer
) -> None:
    server.script({"lose": "after"}, no_list=True)
    run = start(style=style, wait=True)
    assert texts(run.ask(*THREE)) == ["Paris", "Rome", "Madrid"]
    assert len(server.ledger()["batches"]) == 2
    assert run.client.usd > Decimal("0.003")
    assert any("nobody knows whether it arrived" in said for said in run.said)


def test_a_strangers_batch_is_not_taken_for_ours(start: Start, server: BatchServer) -> None:
    # A batch of as many requests that another program made at the same time.
    server.script({"polls": 0})
    other = start(style="messages")
    other.ask(question("Japan"), question("Egypt"), question("Peru"))
    other.journal._connection.execute("DELETE FROM batches")
    other.journal._connection.execute("DELETE FROM requests")
    server.script({"lose": "before"})
    run = start(style="messages", wait=True)
    assert texts(run.ask(*THREE)) == ["Paris", "Rome", "Madrid"]
    assert any("3 results that are not of this batch" in said for said in run.said)


def test_a_server_error_is_tried_again(start: Start, server: BatchServer) -> None:
    server.script({"status": 503})
    assert texts(start(wait=True).ask(*THREE)) == ["Paris", "Rome", "Madrid"]
    assert len(server.ledger()["batches"]) == 1


def test_a_server_without_batches_is_one_clear_error(start: Start, server: BatchServer) -> None:
    server.script(absent=True)
    run = start()
    errors = run.ask(*THREE)
    assert all(isinstance(error, CostoptError) for error in errors)
    assert "has no batch API" in errors[0].what
    assert run.spending.reserved_usd == 0
    assert run.client.waiting is None


def test_a_batch_that_is_refused_is_unpaid_and_sent_anew(start: Start, server: BatchServer) -> None:
    server.script({"refuse": "the limit is reached"})
    run = start(wait=True)
    (error,) = run.ask(THREE[0])
    assert isinstance(error, CostoptError)
    assert "the limit is reached" in error.what
    assert (run.spending.reserved_usd, run.client.usd) == (0, 0)
    assert texts(start(wait=True).ask(THREE[0])) == ["Paris"]


def test_the_cap_holds_for_what_is_sent(start: Start, server: BatchServer) -> None:
    run = start(max_usd="0.002")
    answers = run.ask(*THREE)
    assert [type(a) for a in answers] == [TargetError, TargetError, BudgetExceeded]
    assert len(server.ledger()["batches"][0]["requests"]) == 2
    server.script()


def test_the_cap_counts_what_waits_from_before(start: Start, server: BatchServer) -> None:
    server.script({"polls": 9})
    start().ask(*THREE)
    answers = start(max_usd="0.0035").ask(*THREE, question("Japan"))
    assert pending(answers[:3])
    assert isinstance(answers[3], BudgetExceeded)
    assert len(server.ledger()["batches"]) == 1


def test_a_request_cap_counts_requests(start: Start, server: BatchServer) -> None:
    answers = start(max_requests=1, wait=True).ask(*THREE)
    assert [type(a) for a in answers] == [Answer, BudgetExceeded, BudgetExceeded]
    assert len(server.ledger()["served"]) == 1


def test_two_runs_at_once_send_each_request_once(start: Start, server: BatchServer) -> None:
    server.script({"polls": 9})
    start().ask(*THREE)
    assert pending(start().ask(*THREE, question("Japan")))
    sent = [key for batch in server.ledger()["batches"] for key in batch["requests"]]
    assert len(sent) == len(set(sent)) == 4


def test_an_answer_that_came_meanwhile_stays(start: Start, server: BatchServer) -> None:
    run = start()
    run.ask(THREE[0])
    key = request_key(run.client.target.identity, THREE[0])
    live = Answer(
        text="Paris, live", usage=Usage(7, 3), finish_reason="stop", latency_s=0.5, model="m",
        created="2026-01-01T00:00:00+00:00",
    )  # fmt: skip
    run.store.put(key, {}, live, target="mine")
    # The batch is collected since something else is asked for.
    again = start(wait=True)
    assert texts(again.ask(THREE[0], THREE[1])) == ["Paris, live", "Rome"]
    assert again.store.get(key) == replace(live, cached=True)


@pytest.mark.parametrize("style", STYLES)
def test_a_filtered_answer_is_paid_and_not_kept(
    style: str, start: Start, server: BatchServer
) -> None:
    server.script({"filtered": True})
    run = start(style=style, wait=True)
    (error,) = run.ask(THREE[0])
    assert isinstance(error, TargetError)
    assert error.kind == "refused"
    assert run.client.usd > 0
    assert len(run.store) == 0


def test_tokens_are_counted_where_the_server_counts_none(start: Start, server: BatchServer) -> None:
    server.script({"no_usage": True})
    run = start(wait=True)
    (answer,) = run.ask(THREE[0])
    counter = run.client.target.counter
    expected = Usage(counter("What is the capital of France?"), counter("Paris"))
    assert answer.usage == expected


@pytest.mark.parametrize("style", STYLES)
def test_results_that_are_cut_off_are_read_again_and_counted_once(
    style: str, start: Start, server: BatchServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collect, "_TOGETHER", 1)
    server.script(cut=900)
    run = start(style=style, wait=True)
    assert texts(run.ask(*THREE)) == ["Paris", "Rome", "Madrid"]
    assert any("the connection was lost" in said for said in run.said)
    (batch,) = run.journal.batches()
    assert run.client.usd == run.spending.spent_usd == batch.usd
    assert batch.counts == {"answered": 3}
    assert run.spending.reserved_usd == 0


def test_a_round_is_split_at_the_providers_limits(start: Start, server: BatchServer) -> None:
    run = start(wait=True)
    run.api.limits = replace(run.api.limits, requests=2)
    assert texts(run.ask(*THREE)) == ["Paris", "Rome", "Madrid"]
    assert [len(batch["requests"]) for batch in server.ledger()["batches"]] == [2, 1]


def test_results_at_another_server_get_no_key(start: Start, server: BatchServer) -> None:
    server.script(results_url="http://127.0.0.1:9/results")
    run = start(style="messages")
    run.ask(THREE[0])
    second = start(style="messages")
    assert pending(second.ask(THREE[0]))
    assert any("no key is sent" in said for said in second.said)


def test_a_batch_that_the_provider_forgot_is_lost(start: Start, server: BatchServer) -> None:
    run = start()
    run.ask(THREE[0])
    run.journal._connection.execute("UPDATE batches SET name = 'batch_99'")
    again = start(wait=True)
    assert texts(again.ask(THREE[0])) == ["Paris"]
    assert any("1 lost" in said for said in again.said)


def test_a_log_likelihood_is_no_batch(start: Start, server: BatchServer) -> None:
    (error,) = start().ask(replace(THREE[0], continuation="Paris"))
    assert isinstance(error, TargetError)
    assert error.kind == "rejected"


def test_an_interrupted_wait_leaves_the_batch(start: Start, server: BatchServer) -> None:
    import asyncio

    server.script({"polls": 99})
    run = start(wait=True)

    async def interrupted() -> None:
        asking = asyncio.create_task(run.client.ask(THREE[0]))
        while run.client.requests == 0:
            await asyncio.sleep(0.01)
        asking.cancel()
        await run.client.close()

    asyncio.run(interrupted())
    assert run.client.waiting is not None
    server.script()
    assert len(server.ledger()["batches"]) == 1


def test_a_server_that_asks_to_wait_for_days_is_not_waited_for(
    start: Start, server: BatchServer
) -> None:
    server.script({"status": 429, "retry_after": "900000"})
    run = start(wait=True)
    (error,) = run.ask(THREE[0])
    assert isinstance(error, CostoptError)
    assert "status 429" in error.what
    assert (run.spending.reserved_usd, run.client.usd) == (0, 0)
    assert texts(start(wait=True).ask(THREE[0])) == ["Paris"]
