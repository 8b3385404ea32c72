"""Sums, groups and prices against an independent computation."""

import json
from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from costopt.core.configured import TargetConfig
from costopt.reports.usage import show_usage
from costopt.usage.analysis import usage_report
from costopt.usage.opening import open_requests
from costopt.usage.report import UsageReport

from .usage_logs import WRITERS, Ask, asks, usd

_TOKENS = ("input", "cache_read", "cache_write", "output", "reasoning")


def _report(path: Path, by: tuple[str, ...], **more: Any) -> UsageReport:
    opening = {key: more.pop(key) for key in ("targets", "mapping") if key in more}
    with open_requests([str(path)], **opening) as found:
        return usage_report(found, by, **more)


def _by_hand(made: list[Ask], *names: str) -> dict[tuple[str, ...], list[Any]]:
    sums: dict[tuple[str, ...], list[Any]] = defaultdict(lambda: [0, 0, 0, 0, 0, 0, Decimal(0), 0])
    for ask in made:
        row = sums[tuple(str(getattr(ask, name)) for name in names)]
        row[0] += 1
        for index, name in enumerate(_TOKENS, start=1):
            row[index] += getattr(ask, name)
        cost = usd(ask)
        row[6] += cost or 0
        row[7] += cost is None
    return sums


def _found(report: UsageReport) -> dict[tuple[str, ...], list[Any]]:
    return {
        tuple(str(value) for value in group.by.values()): [
            group.sums.requests,
            group.sums.input_tokens,
            group.sums.cache_read_tokens,
            group.sums.cache_write_tokens,
            group.sums.output_tokens,
            group.sums.reasoning_tokens,
            group.sums.usd or Decimal(0),
            group.sums.unpriced,
        ]
        for group in report.attribution.groups
    }


@pytest.mark.parametrize("many", [1_000, pytest.param(100_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", ["plain.csv", "plain.parquet", "openai.jsonl"])
def test_groups_equal_a_sum_by_hand(many: int, name: str, tmp_path: Path) -> None:
    made = asks(many, seed=1, providers=("openai", "google") if name == "openai.jsonl" else ())
    if name == "openai.jsonl":
        made = [ask for ask in made if not ask.cache_write]
    path = tmp_path / name
    path.write_bytes(WRITERS[name](made))
    found = _found(_report(path, ("feature", "model")))
    expected = _by_hand(made, "feature", "model")
    if name == "openai.jsonl":  # It has no field for what is written to a cache.
        found = {key: [*row[:3], row[3] or 0, *row[4:]] for key, row in found.items()}
    assert found == expected


def test_a_change_of_price_inside_the_log_counts(tmp_path: Path) -> None:
    rows = [
        {
            "at": f"2025-{month}-20T00:00:00Z",
            "model": "o3",
            "input_tokens": 1000,
            "output_tokens": 0,
        }
        for month in ("05", "07")
    ]
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    groups = _report(path, ("month",)).attribution.groups
    assert {group.by["month"]: group.sums.usd for group in groups} == {
        "2025-05": Decimal("0.01"),
        "2025-07": Decimal("0.002"),
    }


def test_a_batch_costs_what_a_batch_costs(tmp_path: Path) -> None:
    made = [Ask(**{**vars(ask), "batch": True}) for ask in asks(300, seed=2)]
    path = tmp_path / "log.csv"
    path.write_bytes(WRITERS["plain.csv"](made))
    assert _found(_report(path, ("model",))) == _by_hand(made, "model")


def test_prices_of_the_configuration_go_before_the_list(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(
        "at,model,input_tokens,output_tokens,latency_s\n"
        "2026-01-01,mine,1000000,0,1\n2026-01-01,as-mini,1000000,0,1\n"
        "2026-01-01,rented,5,5,7200\n2026-01-01,unknown,5,5,1\n"
    )
    targets = {
        "a": TargetConfig(
            name="a", model="mine", price={"input": Decimal(3), "output": Decimal(4)}
        ),
        "b": TargetConfig(name="b", model="as-mini", priced_as="openai:gpt-4o-mini"),
        "rented": TargetConfig(name="rented", usd_per_hour=Decimal("1.5")),
    }
    report = _report(path, ("model",), targets=targets)
    money = {group.by["model"]: group.sums.usd for group in report.attribution.groups}
    assert money == {
        "mine": Decimal(3),
        "as-mini": Decimal("0.15"),
        "rented": Decimal(3),
        "unknown": None,
    }
    assert [model.model for model in report.unpriced] == ["unknown"]
    assert report.attribution.total.unpriced == 1


def test_tiers_hold_for_the_whole_request(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    lines = [f"2026-01-01,google,gemini-2.5-pro,{n},0\n" for n in (200_000, 200_001)]
    path.write_text("at,provider,model,input_tokens,output_tokens\n" + "".join(lines))
    with open_requests([str(path)]) as found:
        rows = found.connection.execute("SELECT usd FROM requests ORDER BY line").fetchall()
    assert [row[0] for row in rows] == [Decimal("0.25"), Decimal("0.5000025")]


def test_the_previous_period_has_the_same_length(tmp_path: Path) -> None:
    start = datetime(2026, 1, 1)
    rows = "".join(
        f"{(start + timedelta(days=day)).isoformat()},gpt-4o-mini,{tokens},0\n"
        for day, tokens in enumerate([100, 1000, 1000, 2000, 4000, 9])
    )
    path = tmp_path / "log.csv"
    path.write_text("at,model,input_tokens,output_tokens\n" + rows)
    report = _report(path, ("model",), since=datetime(2026, 1, 4), until=datetime(2026, 1, 6))
    (group,) = report.attribution.groups
    assert report.attribution.basis == "previous period"
    assert group.sums.input_tokens == 6000
    assert group.sums.requests == 2
    assert group.trend is not None
    assert group.trend.usd == pytest.approx(2.0)
    assert group.trend.requests == 0
    said = "trend: money of this time against the one before it of the same length; in all +200.0 %"
    assert said in show_usage(report, "table", width=100)


def test_there_is_no_trend_against_a_time_that_the_log_does_not_have(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(
        "at,model,input_tokens,output_tokens\n2026-01-01,gpt-4o-mini,1,1\n"
        "2026-01-03,gpt-4o-mini,1,1\n"
    )
    report = _report(path, ("model",), since=datetime(2026, 1, 1, 12))
    assert report.attribution.trend is None
    assert report.attribution.groups[0].trend is None
    assert "the log begins at 2026-01-01T00:00:00Z" in report.notes[0]


def test_what_is_not_shown_is_in_the_total(tmp_path: Path) -> None:
    made = asks(200, seed=3)
    path = tmp_path / "log.csv"
    path.write_bytes(WRITERS["plain.csv"](made))
    found = _report(path, ("customer", "model"), top=2).attribution
    assert len(found.groups) == 2
    assert found.left_out == len(_by_hand(made, "customer", "model")) - 2
    assert found.total.requests == 200
    assert found.total.usd == sum(cost for ask in made if (cost := usd(ask)) is not None)


def test_percentiles_are_values_that_were_there(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(
        "at,model,input_tokens,output_tokens,latency\n"
        + "".join(f"2026-01-01,m,{n},{2 * n},{n / 10}\n" for n in range(1, 101))
    )
    (group,) = _report(path, ("model",)).attribution.groups
    assert (group.input.p50, group.input.p95) == (50, 95)
    assert (group.output.p50, group.output.p95) == (100, 190)
    assert (group.latency.p50, group.latency.p95) == (5.0, 9.5)


def test_what_has_no_price_does_not_get_that_of_another(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(
        "at,provider,model,batch,input_tokens,output_tokens\n"
        "2026-01-01,openai,gpt-4o-mini,false,1000000,0\n"
        "2026-01-01,nobody-knows,gpt-4o-mini,false,1000000,0\n"
        "2026-01-01,own,mine,false,1000000,0\n"
        "2026-01-01,own,mine,true,1000000,0\n"
    )
    price = {"input": Decimal(3), "output": Decimal(4)}
    targets = {"a": TargetConfig(name="a", model="own:mine", price=price)}
    with open_requests([str(path)], targets=targets) as found:
        report = usage_report(found, ("provider", "model"))
        each = found.connection.execute("SELECT usd FROM requests ORDER BY line").fetchall()
    assert [row[0] for row in each] == [Decimal("0.15"), None, Decimal(3), None]
    money = {group.by["provider"]: group.sums.usd for group in report.attribution.groups}
    assert money == {"openai": Decimal("0.15"), "nobody-knows": None, "own": Decimal(3)}
    assert report.attribution.total.unpriced == 2


def test_a_time_that_is_far_off_changes_no_price(tmp_path: Path) -> None:
    rows = [f"{day},o3,1000,0\n" for day in ("1860-01-01", "2025-05-20", "2025-07-20")]
    path = tmp_path / "log.csv"
    path.write_text("at,model,input_tokens,output_tokens\n" + "".join(rows))
    groups = _report(path, ("month",)).attribution.groups
    money = {group.by["month"]: group.sums.usd for group in groups}
    assert money["2025-05"] == Decimal("0.01")
    assert money["2025-07"] == Decimal("0.002")


def test_the_trend_is_of_the_second_half_against_the_first(tmp_path: Path) -> None:
    tokens = {"01": 100, "02": 300, "04": 500, "05": 500}
    rows = [f"2026-01-{day},gpt-4o-mini,{many},0\n" for day, many in tokens.items()]
    path = tmp_path / "log.csv"
    path.write_text("at,model,input_tokens,output_tokens\n" + "".join(rows) + ",gpt-4o-mini,7,0\n")
    (group,) = _report(path, ("model",)).attribution.groups
    assert (group.sums.requests, group.sums.input_tokens) == (5, 1407)
    assert group.trend is not None
    assert (group.trend.requests, group.trend.usd) == (0, pytest.approx(1.5))
    assert group.trend.usd_before == Decimal("0.00006")
