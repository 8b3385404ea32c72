"""What is written to a cache for an hour costs what the provider says, in every format with it."""

import json
from datetime import date
from decimal import Decimal

import pytest

from costopt.costs.cache_rules import cache_rule, hour_write
from costopt.costs.prices import price_for
from costopt.usage.opening import open_requests
from costopt.usage.whatif.state import open_replay
from costopt.usage.whatif.summing import spent

MODEL = "claude-haiku-4-5"
# 1,000 tokens in, of which 200 are read and 300 written, 100 of these for an hour; 50 out.
# At $1 a million in, $0.1 read, $1.25 written, $2 written for an hour, $5 out:
USD = Decimal("0.00122")
USAGE = {
    "input_tokens": 500,
    "cache_read_input_tokens": 200,
    "cache_creation_input_tokens": 300,
    "cache_creation": {"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 100},
    "output_tokens": 50,
}
TIME = "2026-11-02T10:00:00Z"
PLAIN = {
    "timestamp": TIME, "provider": "anthropic", "model": MODEL, "input_tokens": 1000,
    "cache_read_tokens": 200, "cache_write_tokens": 300, "cache_write_1h_tokens": 100,
    "output_tokens": 50,
}  # fmt: skip


def litellm(usage):
    return {
        "request_id": "a", "call_type": "acompletion", "spend": 0.1, "startTime": TIME,
        "model": MODEL, "custom_llm_provider": "anthropic", "prompt_tokens": 1000,
        "completion_tokens": 50, "metadata": {"usage_object": usage},
    }  # fmt: skip


RECORDS = {
    "anthropic": {
        "timestamp": TIME,
        "response": {"id": "a", "type": "message", "model": MODEL, "usage": USAGE},
    },
    "litellm": litellm(USAGE),
    "litellm-details": litellm(
        {
            "cache_creation_input_tokens": 300,
            "prompt_tokens_details": {
                "cached_tokens": 200,
                "cache_creation_token_details": {"ephemeral_1h_input_tokens": 100},
            },
        }
    ),
    "plain": PLAIN,
}


def opened(tmp_path, *records):
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return open_requests([str(path)])


@pytest.mark.parametrize("name", RECORDS)
def test_every_format_that_has_it(tmp_path, name):
    with opened(tmp_path, RECORDS[name]) as found:
        rows = found.connection.execute("SELECT cache_write_1h_tokens, usd FROM requests")
        assert rows.fetchall() == [(100, USD)]
        # The what-if prices requests by rates of its own.
        assert spent(open_replay(found.connection)).total == int(USD.scaleb(15))


def test_a_batch_halves_it(tmp_path):
    message = {**RECORDS["anthropic"]["response"], "created_at": TIME}
    record = {"custom_id": "c", "result": {"type": "succeeded", "message": message}}
    with opened(tmp_path, record) as found:
        rows = found.connection.execute("SELECT batch, usd FROM requests").fetchall()
    assert rows == [(True, USD / 2)]


def test_where_no_such_price_is_known_it_is_an_ordinary_write(tmp_path):
    gpt = {**PLAIN, "provider": "openai", "model": "gpt-5.4-mini"}
    with opened(tmp_path, gpt, {**gpt, "cache_write_1h_tokens": None}) as found:
        one, other = found.connection.execute("SELECT usd FROM requests").fetchall()
    assert one == other != (None,)


def test_more_for_an_hour_than_in_all_is_named_and_not_priced(tmp_path):
    with opened(tmp_path, PLAIN, {**PLAIN, "cache_write_1h_tokens": 301}) as found:
        rows = found.connection.execute("SELECT usd FROM requests ORDER BY line").fetchall()
        said = [problem.what for problem in found.reading.problems]
    assert rows == [(USD,), (None,)]
    assert any("more written for an hour than written" in what for what in said)


@pytest.mark.parametrize("count", [-1, 10**9])
def test_an_impossible_count_is_unknown(tmp_path, count):
    with opened(tmp_path, PLAIN, {**PLAIN, "cache_write_1h_tokens": count}) as found:
        sql = "SELECT cache_write_1h_tokens FROM requests ORDER BY line"
        assert found.connection.execute(sql).fetchall() == [(100,), (None,)]


@pytest.mark.parametrize(
    "model",
    ["claude-haiku-4-5", "claude-sonnet-4-5", "claude-sonnet-5", "claude-opus-4-8"],
)
def test_the_rule_agrees_with_the_price_table(model):
    price = price_for(f"anthropic:{model}", on=date(2026, 11, 1))
    table = price.rates.cache_write_1h_mtok
    assert getattr(table, "base", table) == price.input * hour_write(price.ref)


def test_the_rule_is_dated_and_sourced():
    rule = cache_rule("anthropic:claude-haiku-4-5")
    assert rule.as_of
    assert "https://" in rule.source
    assert hour_write("google:gemini-2.5-pro") is None
    assert hour_write("deepseek:deepseek-chat") is None
