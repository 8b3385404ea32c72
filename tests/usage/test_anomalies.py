"""Anomalies that were put into a log are found, with their cause, and hardly anything else is."""

from datetime import datetime, timedelta

import pytest
from injected_logs import KINDS, START, TEN, injected, judged

from costopt.usage.anomalies import find_anomalies
from costopt.usage.ledger import REQUESTS, connect


@pytest.mark.parametrize("kind", KINDS)
def test_an_anomaly_is_found_with_its_cause(kind):
    for seed in (1, 2):
        log = injected(seed, kind)
        found = find_anomalies(log.connection).found
        right, others = judged(log, found)
        assert right, (seed, found)
        assert not others, (seed, found)


def test_a_usual_month_has_none():
    for seed in range(3):
        assert find_anomalies(injected(seed, None).connection).found == ()


@pytest.mark.parametrize("kind", ["longer prompt", "longer answers"])
def test_it_names_the_revision_and_the_first_request(kind):
    log = injected(4, kind)
    (found,) = find_anomalies(log.connection).found
    assert found.origin.revision == "r2"
    assert found.origin.request_id == log.first
    assert abs(found.start - log.start) <= timedelta(hours=2)
    assert found.goes_on


def test_another_model_is_named_with_its_first_request():
    log = injected(4, "dearer model")
    (found,) = find_anomalies(log.connection).found
    assert (found.origin.model, found.origin.revision) == ("gpt-5.4", None)
    assert found.origin.request_id == log.first


def test_what_it_costs_is_near_what_was_put_in():
    log = injected(4, "longer answers")
    (found,) = find_anomalies(log.connection).found
    answers = log.connection.execute(
        "SELECT sum(output_tokens) FROM requests WHERE revision = 'r2'"
    ).fetchone()[0]
    more = float(answers) * (1 - 1 / 1.6) * 4.5 / 1e6
    assert float(found.usd) == pytest.approx(more, rel=0.3)


def test_a_short_log_is_said_to_be_short():
    log = injected(1, None, days=30)
    log.connection.execute(
        f"DELETE FROM requests WHERE \"at\" > TIMESTAMP '{START}' + INTERVAL 2 DAY"
    )
    found = find_anomalies(log.connection)
    assert (found.found, found.looked_at, found.too_short) == ((), (), ("chat",))


def test_days_are_looked_at_where_there_is_little_traffic():
    connection = connect(memory_mb=200)
    connection.execute(REQUESTS)
    connection.execute(
        """INSERT INTO requests BY NAME SELECT 'r' || d || '-' || i AS request_id,
        TIMESTAMP '2026-09-01' + INTERVAL (d) DAY + INTERVAL (i * 20) MINUTE AS "at",
        'openai' AS provider, 'gpt-5.4-mini' AS model, 'rare' AS feature,
        CASE WHEN d >= 36 THEN 3000 ELSE 1000 END + i AS input_tokens, 100 AS output_tokens
        FROM range(40) t(d), range(30) u(i)"""
    )
    (found,) = find_anomalies(connection).found
    assert (found.cause, found.start) == ("longer prompts", datetime(2026, 10, 7))
    assert found.usd is None  # Nothing is priced.


def test_an_empty_log_has_nothing():
    connection = connect(memory_mb=200)
    connection.execute(REQUESTS)
    assert find_anomalies(connection).found == ()


@pytest.mark.slow
def test_two_hundred_months_of_each_kind():
    found = alarms = months = 0
    for kind in TEN:
        for seed in range(200):
            log = injected(1000 + seed, kind)
            right, others = judged(log, find_anomalies(log.connection).found)
            log.connection.close()
            found, alarms, months = found + right, alarms + others, months + 1
    assert found >= 0.95 * months
    assert alarms <= months
