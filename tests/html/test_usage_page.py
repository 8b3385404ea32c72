"""The page of request logs as text: its numbers are those of the JSON, and nothing is live."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from full_pages import poisoned
from payloads import live
from test_pages import _ACTIVE, _TAGS, BATCHES, Reader, _check_attributes
from usage_pages import full_usage

from costopt.reports.html.usage import usage_page
from costopt.reports.usage import show_usage
from costopt.usage.whatif.saving import WhatIf


class Tables(HTMLParser):
    """Collects tables by their captions: heads, and rows of (text, number behind it)."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: dict[str, list[dict[str, tuple[str, float | None]]]] = {}
        self._heads: list[str] = []
        self._rows: list[list[tuple[str, float | None]]] = []
        self._caption = self._at = ""
        self._sort: float | None = None
        self._text = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "table":
            self._heads, self._rows = [], []
        if tag == "tr":
            self._rows.append([])
        if tag in ("caption", "th", "td"):
            self._text = ""
            self._sort = float(given["data-sort"]) if "data-sort" in given else None

    def handle_data(self, data):
        self._text += data

    def handle_endtag(self, tag):
        text = " ".join(self._text.split())
        if tag == "caption":
            self._caption = text
        if tag == "th":
            self._heads.append(text)
        if tag == "td":
            self._rows[-1].append((text, self._sort))
        if tag == "table":
            rows = [dict(zip(self._heads, row, strict=True)) for row in self._rows if row]
            self.found[self._caption] = rows


@pytest.fixture(scope="module")
def usage():
    return full_usage()


@pytest.fixture(scope="module")
def page(usage):
    return usage_page(usage.report, usage.advice)


@pytest.fixture(scope="module")
def said(usage):
    return json.loads(show_usage(usage.report, "json", advice=usage.advice))


@pytest.fixture(scope="module")
def tables(page):
    return Tables(page).found


def _number(cell):
    return None if cell[0] == "—" else cell[1]


def test_the_log_has_what_a_page_can_show(usage):
    assert usage.advice.anomalies.found
    assert usage.report.over_time.untimed == 1
    assert usage.report.attribution.total.unpriced
    assert all(saving.features for saving in usage.advice.what_if.alone if saving.usd)


def test_groups_are_those_of_the_json(tables, said):
    rows = tables["Cost by feature, model"]
    assert len(rows) == len(said["groups"])
    for row, group in zip(rows, said["groups"], strict=True):
        assert row["Feature"][0] == (group["by"]["feature"] or "(not in log)")
        assert row["Model"][0] == group["by"]["model"]
        for column, key in (
            ("USD", "usd"), ("Share", "share"), ("$/request", "usd_per_request"),
            ("Requests", "requests"), ("Input tok", "input_tokens"), ("Failed", "errors"),
            ("Output tok", "output_tokens"), ("Cached tok", "cache_read_tokens"),
            ("In p50", "input_tokens_p50"), ("Out p95", "output_tokens_p95"),
            ("Unpriced", "unpriced"),
        ):  # fmt: skip
            assert _number(row[column]) == pytest.approx(group[key]), (column, row)


def test_cost_over_time_is_that_of_the_json(tables, said):
    found = said["over_time"]
    rows = tables[f"Cost by {found['step']} and feature, USD"]
    names = [name or "(no feature)" for name in found["features"]]
    assert len(rows) == len(found["slots"])
    for row, slot in zip(rows, found["slots"], strict=True):
        assert row[found["step"].capitalize()][0] == slot["from"][:10]
        assert _number(row["USD"]) == pytest.approx(slot["usd"])
        assert row["Requests"][1] == slot["requests"]
        assert row["Unpriced"][1] == slot["unpriced"]
        own = [_number(row[name]) for name in names]
        assert own == [pytest.approx(amount) for amount in slot["by_feature"]]
    total = sum(slot["usd"] or 0 for slot in found["slots"]) + found["untimed"]["usd"]
    assert total == pytest.approx(said["total"]["usd"])


def test_tiles_are_the_groups_by_feature_and_model(tables, usage):
    rows = tables["Cost by feature and model, USD"]
    wanted = {
        (group.by["feature"] or "(no feature)", group.by["model"]): group.sums
        for group in usage.by_model.attribution.groups
    }
    assert {(row["Feature"][0], row["Model"][0]) for row in rows} == set(wanted)
    for row in rows:
        sums = wanted[row["Feature"][0], row["Model"][0]]
        assert row["Requests"][1] == sums.requests
        assert _number(row["USD"]) == (None if sums.usd is None else float(sums.usd))


def test_what_it_shows_beyond_the_cost_is_that_of_the_json(tables, said, page):
    text = Reader(page).text
    anomalies = tables["Anomalies, times in UTC"]
    for row, one in zip(anomalies, said["anomalies"], strict=True):
        assert (row["Feature"][0], row["Cause"][0]) == (one["feature"], one["cause"])
        assert row["More USD, estimated"][1] == pytest.approx(one["usd"])
        assert row["New revision"][0] == one["origin"]["revision"]
        assert row["First request"][0].startswith(one["origin"]["request_id"])
    budgets = tables["Budgets of 2026-10"]
    for row, one in zip(budgets, said["budgets"], strict=True):
        assert row["Outcome"][0].endswith(one["outcome"])
        assert row["Spent"][1] == pytest.approx(one["spent"])
        assert row["Month's end (estimated)"][1] == pytest.approx(one["expected"])
    caption = next(name for name in tables if "requests replayed" in name)
    what_if = said["what_if"]
    levers = zip(tables[caption], what_if["alone"], what_if["combined"], strict=True)
    for row, alone, step in levers:
        assert row["Saves"][1] == pytest.approx(alone["usd"])
        assert row["$/month"][1] == pytest.approx(alone["month"]["usd"])
        assert row["After those above"][1] == pytest.approx(step["usd"])
    for one in said["recommendations"]:
        assert one["command"] in text
        assert one["detail"] in text


@pytest.mark.parametrize(
    ("unit", "usual", "seen", "shown"),
    [
        ("of input", 0.5, 0.25, ("50.0 %", "25.0 % of input")),
        ("USD a request", 0.01, 0.025, ("$0.01", "$0.025 a request")),
        ("requests", 40.0, 90.5, ("40", "90.5 requests")),
    ],
)
def test_what_is_usual_has_the_unit_of_what_was_seen(usage, unit, usual, seen, shown):
    (one,) = usage.advice.anomalies.found
    other = replace(one, unit=unit, usual=usual, seen=seen)
    found = replace(usage.advice.anomalies, found=(other,))
    page = usage_page(usage.report, replace(usage.advice, anomalies=found))
    (row,) = Tables(page).found["Anomalies, times in UTC"]
    assert (row["Usual"][0], row["Seen"][0]) == shown


def test_hit_curves_are_those_of_the_json(tables, said):
    curves = [rows for name, rows in tables.items() if name.endswith("at other settings")]
    wanted = [one["curve"] for one in said["what_if"]["alone"] if one["curve"]]
    assert wanted
    for rows, points in zip(curves, wanted, strict=True):
        assert [row["Setting"][0] for row in rows] == [point["setting"] for point in points]
        shares = [row["Share"][1] for row in rows]
        assert shares == [pytest.approx(point["share"]) for point in points]


def test_everything_of_a_log_is_on_its_page(page):
    text = Reader(page).text
    for words in (
        "lines that are no JSON", "bad.jsonl:3", "calm.parquet", "in-house", "1 bad",
        "requests without a time that can be read", "1 requests without a time, which cost",
        "requests have no price and are not drawn", "this is a lower bound", "✗ over", "✓ kept",
        "a month on top of", "All of it, one after the other and nothing twice",
        "Effort: low, a setting of the requests", "goes on",
    ):  # fmt: skip
        assert words in text, words


def test_what_is_left_out_is_not_mentioned(usage):
    page = usage_page(usage.report, None)
    for words in ("What to change first<", "Anomalies", "Budgets", "What if"):
        assert words not in page
    assert "What was read" in page


def test_an_empty_log_is_said(usage):
    total = replace(usage.report.attribution.total, usd=None)
    attribution = replace(usage.report.attribution, groups=(), total=total)
    times = replace(usage.report.over_time, slots=(), features=(), rest=None)
    empty = replace(usage.report, attribution=attribution, over_time=times, first=None, last=None)
    page = usage_page(empty, None)
    for words in ("Cost unknown", "No request is in this period.", "nothing to draw over time"):
        assert words in page


def test_a_lever_that_is_new_is_shown(usage):
    what_if: WhatIf = usage.advice.what_if
    alone = replace(what_if.alone[0], lever="some-new-lever", setting="at 0.95")
    more = replace(what_if, alone=(*what_if.alone, alone))
    first = replace(usage.advice.recommendations[0], lever="some-new-lever")
    page = usage_page(usage.report, replace(usage.advice, what_if=more, recommendations=(first,)))
    assert (
        "some-new-lever"
        in Tables(page).found[
            next(name for name in Tables(page).found if "requests replayed" in name)
        ][-1]["Lever"][0]
    )
    assert "<strong>some-new-lever</strong>" in page


@pytest.mark.parametrize("texts", BATCHES, ids=range(len(BATCHES)))
def test_hostile_text_is_text(usage, page, texts):
    hostile = usage_page(poisoned(usage.report, texts), poisoned(usage.advice, texts))
    read, usual = Reader(hostile), Reader(page)
    assert set(read.tags) <= _TAGS | {"ol"}
    assert {tag: read.tags.count(tag) for tag in _ACTIVE} == {
        tag: usual.tags.count(tag) for tag in _ACTIVE
    }
    assert read.comments == []
    _check_attributes(read)
    assert live(hostile) == []


def test_long_names_make_no_long_page(usage, page):
    texts = [f"{at}" + "W" * 10_000 for at in range(60)]
    long = usage_page(poisoned(usage.report, texts), poisoned(usage.advice, texts))
    assert len(long) < 4 * len(page)


def test_a_page_of_everything_is_bounded(usage):
    """500 features with the longest names, 110 slots, and more anomalies and advice than shown."""
    name = '"' * 10_000  # Each is six characters in the page.
    attribution, times, advice = usage.report.attribution, usage.report.over_time, usage.advice
    group, slot, feature = attribution.groups[0], times.slots[0], times.features[0]
    many = tuple(replace(group, by={"feature": f"{at}{name}", "model": name}) for at in range(500))
    model = replace(feature.models[0], model=name)
    report = replace(
        usage.report,
        attribution=replace(attribution, groups=many),
        over_time=replace(
            times,
            slots=tuple(
                replace(
                    slot,
                    start=slot.start + timedelta(days=at),
                    end=slot.end + timedelta(days=at),
                    usd=(Decimal(1),) * 8,
                    others=Decimal(9),
                )
                for at in range(110)
            ),
            features=tuple(
                replace(feature, feature=f"{at}{name}", models=(model,) * 6) for at in range(24)
            ),
        ),
    )
    anomaly = replace(advice.anomalies.found[0], feature=name)
    first = replace(advice.recommendations[0], feature=name, detail=name, command=name)
    more = replace(
        advice,
        anomalies=replace(advice.anomalies, found=(anomaly,) * 500),
        recommendations=(first,) * 2_500,
    )
    page = usage_page(report, more)
    assert "and 450 more (--format json)" in page
    assert "and 2,475 more (--format json)" in page
    assert len(page) < 3_000_000
