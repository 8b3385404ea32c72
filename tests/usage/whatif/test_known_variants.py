"""What saved reports say of shorter prompts, and what of it counts on a log."""

from datetime import datetime
from decimal import Decimal

import pytest
from stored_run import report, variant

from costopt.compressors.registry import parse_spec
from costopt.core.report import Runtime, TargetInfo
from costopt.usage.ledger import REQUESTS, connect
from costopt.usage.recommend import recommend
from costopt.usage.whatif import prompt_variant
from costopt.usage.whatif.combined import what_if
from costopt.usage.whatif.known_variants import known_variants
from costopt.usage.whatif.state import open_replay


def database(requests):
    connection = connect(memory_mb=200)
    connection.execute(REQUESTS)
    for number, one in enumerate(requests):
        row = {
            "request_id": f"r{number}", "at": datetime(2026, 11, 1, 0, number), "provider":
            "anthropic", "model": "claude-haiku-4-5", "feature": "f", "prompt": "greet",
            "input_tokens": 1000, "output_tokens": 100, "source": "log", "line": number, **one,
        }  # fmt: skip
        names = ", ".join(f'"{name}"' for name in row)
        marks = ", ".join("?" * len(row))
        connection.execute(f"INSERT INTO requests ({names}) VALUES ({marks})", list(row.values()))
    return connection


def lever(requests, *reports):
    replay = open_replay(database(requests))
    return prompt_variant.prompt_variant(replay, variants=known_variants(*reports))


def test_what_is_recommended_counts_with_its_numbers():
    (one,) = known_variants(report(variant("cheaper", usd=-0.5), variant("filler")))
    assert (one.name, one.holds, one.strategies) == ("filler", True, "filler")
    assert (one.input_kept, one.input_change, one.output_kept) == (800_000, -200, 900_000)
    assert one.words == (
        "input -20.0 %, output -10.0 % on the eval set; holds in a stored run: accuracy +0.010 "
        "[-0.020, +0.040], n = 200, margin 0.05"
    )
    assert parse_spec(one.strategies)


def test_where_nothing_is_recommended_the_cheapest_that_holds_is_not_shown():
    found = report(
        variant("dear", usd=-0.1),
        variant("cheap", usd=-0.3),
        variant("unsure", usd=-0.5, verdict="not enough data"),
        variant("control", usd=-0.9, control=True),
        variant("refused", usd=-0.9, rejected="no change"),
        recommended="baseline",
    )
    (one,) = known_variants(found)
    assert (one.name, one.holds) == ("cheap", False)
    assert one.words.endswith("; the run recommends the prompt as it is")
    saving = lever([{}, {}], found)
    assert saving.certain_usd == 0 < saving.usd


@pytest.mark.parametrize("verdict", ["worse", "not enough data", "not measured"])
def test_what_does_not_hold_is_no_version(verdict):
    assert known_variants(report(variant("a", verdict=verdict), recommended="baseline")) == ()


def test_of_several_reports_the_last_counts():
    old, new = report(variant("filler", saves=0.1)), report(variant("filler", saves=0.3))
    (one,) = known_variants(old, new)
    assert one.input_kept == 700_000


def test_a_longer_request_saves_the_template_and_no_more():
    """At $1 a million in and $5 out: 200 tokens in, 10 out; of 10,000 in not 2,000 but 200."""
    found = lever([{}, {"input_tokens": 10_000}], report(variant("filler")))
    assert found.usd == Decimal("0.0005")
    runtime = Runtime(tokens_before_mean=5, tokens_after_mean=4, seconds_mean=0.1, n=10)
    values = report(variant("filler", runtime=runtime))
    found = lever([{}, {"input_tokens": 10_000}], values)
    assert found.usd == Decimal("0.0023")


def test_a_shorter_request_saves_its_share():
    found = lever([{"input_tokens": 100}], report(variant("filler", output=None)))
    assert found.usd == Decimal("0.00002")


def test_tokens_that_were_read_from_a_cache_save_what_reading_costs():
    request = {"input_tokens": 9000, "cache_read_tokens": 8000}
    found = lever([request], report(variant("filler", output=None)))
    assert found.usd == Decimal("0.00002")  # 200 tokens at $0.10 a million.


def test_a_prompt_that_falls_below_the_cache_floor_is_dearer_and_left_as_it_is():
    request = {"input_tokens": 4300, "cache_read_tokens": 4100}  # The floor is 4,096.
    found = lever([request], report(variant("filler", output=None)))
    assert (found.usd, found.requests) == (0, 0)
    assert any("not cheaper on this log" in note for note in found.notes)


def test_another_model_or_prompt_has_no_version():
    for other in ({"model": "claude-sonnet-4-5"}, {"prompt": "bye"}, {"prompt": None}):
        found = lever([other], report(variant("filler")))
        assert found.usd is None
        assert found.notes == (
            "no request names a prompt of the stored run at a model of that run",
        )


def test_a_run_at_another_model_whose_money_it_was_shows_nothing():
    small = TargetInfo(name="main", model="embedded", priced_as="anthropic:claude-haiku-4-5")
    found = lever([{}, {}], report(variant("filler"), target=small))
    assert found.certain_usd == 0 < found.usd
    assert "at embedded, not at anthropic:claude-haiku-4-5" in found.features[0].detail


def test_it_is_recommended_with_the_command_that_proves_it():
    requests = [{"at": datetime(2026, 11, day, hour)} for day in range(1, 6) for hour in range(9)]
    found = what_if(database(requests), variants=known_variants(report(variant("filler"))))
    (one,) = [r for r in recommend(found, least=0) if r.lever == prompt_variant.LEVER]
    assert (one.effort, one.risk, one.evidence) == ("low", "low", "estimated")
    assert one.low is not None
    assert one.low > 0
    assert one.command == (
        "costopt analyze prompts/greet.md --target anthropic:claude-haiku-4-5 --strategy filler"
    )
    assert "holds in a stored run" in one.detail


def test_without_a_report_it_is_unknown():
    found = lever([{}])
    assert found.usd is None
    assert "--report" in found.notes[0]
