"""The page of request logs in a real browser: it fits, sorts, can be read, and nothing fires."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from full_pages import poisoned
from test_in_chromium import CONTRAST, FIRED
from test_pages import BATCHES
from usage_pages import full_usage

from costopt.reports.html.usage import usage_page
from costopt.reports.html.usage.bars import time_plot
from costopt.usage.slots import FeatureCost, ModelCost, OverTime, Slot

GROUPS = "#cost > .scroll table"


@pytest.fixture(scope="module")
def page():
    usage = full_usage()
    return usage_page(usage.report, usage.advice)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 768, 1280])
def test_it_opens_without_a_network(chromium, page, theme, width):
    chromium.open(page, width=width, theme=theme)
    assert chromium.console() == []
    sizes = chromium.run(
        "document.querySelectorAll('details').forEach((one) => { one.open = true; });"
        "const d = document.documentElement; return [d.scrollWidth, d.clientWidth]"
    )
    assert sizes == [width, width]
    assert chromium.run("return performance.getEntriesByType('resource').map((r) => r.name)") == []
    assert chromium.run("return document.title") == "costopt usage"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_has_contrast(chromium, theme):
    """Names in tiles of every colour, in bars' keys, marks and tables."""
    usage = full_usage()
    page = usage_page(_with(usage.report, _many(30)), usage.advice)
    chromium.open(page, theme=theme)
    named = "document.querySelectorAll('.tile:has(text) rect')"
    styles = chromium.run(f"return [...{named}].map((rect) => rect.className.baseVal)")
    assert set(styles) == {f"s{at}" for at in range(9)}
    assert chromium.run(CONTRAST) == []


def _with(report, times):
    return replace(report, over_time=times)


def _many(features, name="feature-{}"):
    """Return so many features of about the same cost, over 60 days."""
    start = datetime(2026, 9, 1)
    costs = [Decimal(100 - at) for at in range(features)]
    own = tuple(
        FeatureCost(
            feature=name.format(at),
            usd=cost,
            requests=9,
            models=(ModelCost(model=f"model-{at}", usd=cost, requests=9),),
        )
        for at, cost in enumerate(costs)
    )
    slots = tuple(
        Slot(
            start=start + timedelta(days=day),
            end=start + timedelta(days=day + 1),
            requests=9,
            unpriced=0,
            usd=tuple(cost / 60 for cost in costs[:8]),
            others=sum(costs[8:], Decimal(0)) / 60,
        )
        for day in range(60)
    )
    return OverTime(step="day", slots=slots, features=own, rest=None, untimed=0, untimed_usd=None)


def test_headings_are_in_order(chromium, page):
    found = chromium.open(page).run(
        "return [...document.querySelectorAll('h1, h2, h3, h4')].map((h) => +h.tagName[1])"
    )
    assert found.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(found))


def _column(chromium, name):
    return chromium.run(
        """
        const table = document.querySelector(arguments[0]);
        const heads = [...table.tHead.rows[0].cells];
        const at = heads.findIndex((head) => head.textContent.trim() === arguments[1]);
        return [...table.tBodies[0].rows].map((row) => row.cells[at].dataset.sort ?? null);
        """,
        GROUPS,
        name,
    )


def test_groups_sort_by_money_and_what_is_unknown_stays_last(chromium, page):
    from selenium.webdriver.common.keys import Keys

    chromium.open(page)
    chromium.run(
        """
        [...document.querySelectorAll(arguments[0] + " th button")]
          .find((button) => button.textContent === "USD").focus();
        """,
        GROUPS,
    )
    chromium.press(Keys.ENTER)
    rising = _column(chromium, "USD")
    chromium.press(Keys.ENTER)
    falling = _column(chromium, "USD")
    known = [float(value) for value in rising if value is not None]
    assert len(known) >= 3
    assert known == sorted(known)
    assert rising[-1] is None
    assert falling == [*rising[-2::-1], None]


def test_tiles_are_reached_with_keys_and_say_what_they_are(chromium, page):
    from selenium.webdriver.common.keys import Keys

    chromium.open(page)
    said = [
        element.get_attribute("aria-label")
        for element in chromium.driver.find_elements("css selector", ".tile")
    ]
    assert len(said) >= 3
    tabbable = "return document.querySelectorAll('.tile[tabindex=\"0\"]').length"
    assert chromium.run(tabbable) == 1
    chromium.run("document.querySelector('.tile').focus()")
    assert chromium.texts(".readout") == [said[0]]
    chromium.press(Keys.ARROW_RIGHT)
    assert chromium.texts(".readout") == [said[1]]
    assert chromium.run(tabbable) == 1
    chromium.press(Keys.END, Keys.ARROW_DOWN)
    assert chromium.texts(".readout") == [said[-1]]
    chromium.press(Keys.HOME, Keys.ARROW_LEFT)
    assert chromium.texts(".readout") == [said[0]]
    width = "return getComputedStyle(document.activeElement.querySelector('rect')).strokeWidth"
    assert chromium.run(width) == "5px"


def test_without_script_every_tile_can_be_reached(chromium, page):
    chromium.open(page, script=False)
    reached = "return [...document.querySelectorAll('.tile')].every((t) => t.tabIndex === 0)"
    assert chromium.run(reached)
    assert chromium.texts(".readout") == []


NAMES = ("support-triage", "MMMMMMMMWWWW", "iiiiiiiillllll", "日本語の機能名", "Ünïcödé Näme")


@pytest.mark.parametrize("name", NAMES)
def test_names_in_tiles_fit(chromium, name):
    usage = full_usage()
    page = usage_page(_with(usage.report, _many(24, name + "-{}")), None)
    chromium.open(page)
    lines, outside = chromium.run(
        """
        const tiles = [...document.querySelectorAll(".tile")];
        const pairs = tiles.flatMap((tile) => [...tile.querySelectorAll("text")].map((text) =>
          [text.textContent, text.getBoundingClientRect(),
           tile.querySelector("rect").getBoundingClientRect()]));
        return [pairs.length, pairs.filter(([, text, rect]) =>
          text.left < rect.left || text.right > rect.right || text.top < rect.top - 1 ||
          text.bottom > rect.bottom + 1).map(([words]) => words)];
        """
    )
    assert lines > 24
    assert outside == []


def test_texts_of_the_time_plot_lie_on_no_other(chromium):
    usage = full_usage()
    (first,) = usage.advice.anomalies.found
    times = _many(12)
    anomalies = tuple(
        replace(
            first,
            start=times.slots[0].start + timedelta(days=(at * 7) % 59),
            end=times.slots[0].start + timedelta(days=(at * 7) % 59 + at % 5 + 1),
        )
        for at in range(40)
    )
    found = replace(usage.advice.anomalies, found=anomalies)
    chromium.open(usage_page(_with(usage.report, times), replace(usage.advice, anomalies=found)))
    marks, covered, outside = chromium.run(
        """
        const svg = document.querySelector("svg.wide");
        const page = svg.getBoundingClientRect();
        const boxes = [...svg.querySelectorAll("text, .mark path")]
          .map((text) => text.getBoundingClientRect());
        const marks = svg.querySelectorAll(".mark").length;
        return [marks, boxes.flatMap((one, at) => boxes.slice(at + 1).filter((other) =>
          one.left < other.right && other.left < one.right &&
          one.top + 4 < other.bottom && other.top + 4 < one.bottom)).length,
          boxes.filter((one) => one.left < page.left || one.right > page.right).length];
        """
    )
    assert marks == len(time_plot(times, anomalies).marks)
    assert 4 < marks < 40
    assert (covered, outside) == (0, 0)
    assert f"{40 - marks} anomalies are in the table" in chromium.texts("#cost")[0]


def test_bars_are_as_high_as_what_they_cost(chromium, page):
    times = full_usage().report.over_time
    chromium.open(page)
    heights = chromium.run(
        """
        const found = {};
        for (const bar of document.querySelectorAll("svg.wide > rect")) {
          const at = bar.getAttribute("x");
          found[at] = (found[at] || 0) + Number(bar.getAttribute("height"));
        }
        return Object.entries(found).sort(([a], [b]) => a - b).map(([, high]) => high);
        """
    )
    costs = [float(slot.total) for slot in times.slots if slot.total]
    assert len(heights) == len(costs)
    for height, cost in zip(heights, costs, strict=True):
        assert height / max(heights) == pytest.approx(cost / max(costs), abs=0.01)


def test_a_name_from_right_to_left_turns_no_amount_round(chromium):
    times = _many(2, "مرحبا {}")
    chromium.open(usage_page(_with(full_usage().report, times), None))
    places = chromium.run(
        """
        return [...document.querySelectorAll(".keys li")].map((key) => {
          const range = document.createRange();
          range.selectNodeContents(key.lastChild);
          const amount = range.getBoundingClientRect();
          return amount.left - key.querySelector("span").getBoundingClientRect().right;
        });
        """
    )
    assert len(places) == 2
    assert min(places) >= 0


def test_one_long_name_pushes_no_column_out(chromium):
    usage = full_usage()
    attribution = usage.report.attribution
    first, *others = attribution.groups
    long = replace(first, by={"feature": "W" * 10_000, "model": "W" * 10_000})
    report = replace(usage.report, attribution=replace(attribution, groups=(long, *others)))
    chromium.open(usage_page(report, None))
    money = f"return document.querySelector('{GROUPS} tbody td.right').getBoundingClientRect().left"
    assert chromium.run(money) < 700


def test_a_tall_table_scrolls_in_itself(chromium, page):
    usage = full_usage()
    attribution = usage.report.attribution
    groups = tuple(
        replace(attribution.groups[0], by={"feature": f"f{at}", "model": "m"}) for at in range(500)
    )
    report = replace(usage.report, attribution=replace(attribution, groups=groups))
    chromium.open(usage_page(report, usage.advice))
    high = (
        "return document.querySelector(arguments[0]).parentElement.getBoundingClientRect().height"
    )
    assert chromium.run(high, GROUPS) < 700
    chromium._call("Emulation.setEmulatedMedia", media="print")
    printed = chromium.run(high, GROUPS)
    chromium._call("Emulation.setEmulatedMedia", media="")
    assert printed > 5_000


@pytest.mark.parametrize("texts", BATCHES[::2], ids=range(len(BATCHES[::2])))
def test_payloads_fire_nothing(chromium, texts):
    usage = full_usage()
    page = usage_page(poisoned(usage.report, texts), poisoned(usage.advice, texts))
    chromium.open(page)
    assert chromium.run(FIRED) == [[], "file:", 1, 0, 0]
    assert chromium.console() == []
    sizes = chromium.run(
        "const d = document.documentElement; return [d.scrollWidth, d.clientWidth]"
    )
    assert sizes[0] == sizes[1]
