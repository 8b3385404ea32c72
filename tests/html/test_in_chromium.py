"""The pages in a real browser: nothing fires, tables sort, nothing scrolls sideways."""

from dataclasses import replace
from itertools import pairwise

import pytest
from chromium import Chromium
from full_pages import full_check, full_report, many_rows
from test_pages import BATCHES, pages

from costopt.core.report import Report
from costopt.reports.html import check_page, to_html

FIRST_TABLE = "table.sortable:has(tr.pick .name)"


@pytest.fixture(scope="module", params=["report", "check"])
def which(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def page(sample_report: Report, which: str) -> str:
    full = full_report(sample_report)
    if which == "check":
        return check_page(full_check(full), many_rows(4))
    return to_html(full, "costopt analyze prompts", many_rows(4))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 768, 1280])
def test_it_opens_without_a_network(chromium: Chromium, page: str, theme: str, width: int) -> None:
    chromium.open(page, width=width, theme=theme)
    assert chromium.console() == []
    sizes = chromium.run(
        "const d = document.documentElement; return [d.scrollWidth, d.clientWidth]"
    )
    assert sizes == [width, width]
    assert chromium.run("return performance.getEntriesByType('resource').map((r) => r.name)") == []
    assert chromium.run("return document.title").startswith("costopt ")
    assert chromium.run("return document.documentElement.lang") == "en"


CONTRAST = """
const parse = (colour) => (colour.match(/[\\d.]+/g) || []).map(Number);
const light = ([r, g, b]) => {
  const part = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
};
const behind = (element) => {
  const tile = element.closest(".tile");
  if (tile) return parse(getComputedStyle(tile.querySelector("rect")).fill);
  for (let at = element; at; at = at.parentElement) {
    const found = parse(getComputedStyle(at).backgroundColor);
    if (found.length === 3 || found[3] === 1) return found;
  }
  return [255, 255, 255];
};
const bad = [];
document.querySelectorAll("details").forEach((one) => { one.open = true; });
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walk.nextNode()) {
  const element = walk.currentNode.parentElement;
  if (!walk.currentNode.data.trim() || element.closest("script, title, desc")) continue;
  const style = getComputedStyle(element);
  const ink = parse(element.closest("svg") ? style.fill : style.color);
  const pair = [light(ink), light(behind(element))].sort((one, other) => other - one);
  const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
  if (ratio < 4.5) bad.push(`${ratio.toFixed(2)} ${element.className.baseVal ?? element.className}`
    + ` ${walk.currentNode.data.slice(0, 40)}`);
}
return [...new Set(bad)];
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_has_contrast(chromium: Chromium, page: str, theme: str) -> None:
    assert chromium.open(page, theme=theme).run(CONTRAST) == []


def test_headings_are_in_order(chromium: Chromium, page: str) -> None:
    found = chromium.open(page).run(
        "return [...document.querySelectorAll('h1, h2, h3, h4')].map((h) => +h.tagName[1])"
    )
    assert found.count(1) == 1
    assert found[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(found))


def _column(chromium: Chromium, name: str) -> list[str]:
    return chromium.run(
        """
        const table = document.querySelector(arguments[0]);
        const heads = [...table.tHead.rows[0].cells];
        const at = heads.findIndex((head) => head.textContent.trim() === arguments[1]);
        return [...table.tBodies[0].rows].map((row) => row.cells[at].textContent.trim());
        """,
        FIRST_TABLE,
        name,
    )


def _focus(chromium: Chromium, name: str) -> None:
    chromium.run(
        """
        const table = document.querySelector(arguments[0]);
        [...table.querySelectorAll("th button")]
          .find((button) => button.textContent === arguments[1]).focus();
        """,
        FIRST_TABLE,
        name,
    )


def _sorted_by(chromium: Chromium) -> dict[str, str]:
    return chromium.run(
        """
        const table = document.querySelector(arguments[0]);
        return Object.fromEntries([...table.tHead.rows[0].cells].map(
          (head) => [head.textContent.trim(), head.getAttribute("aria-sort")]));
        """,
        FIRST_TABLE,
    )


def test_a_table_sorts_by_click(chromium: Chromium, sample_report: Report) -> None:
    from selenium.webdriver.common.by import By

    chromium.open(to_html(full_report(sample_report)))
    before = _column(chromium, "$ per 1,000")
    buttons = chromium.driver.find_elements(By.CSS_SELECTOR, f"{FIRST_TABLE} th button")
    button = next(one for one in buttons if one.text.startswith("$ per 1,000"))
    button.click()
    rising = _column(chromium, "$ per 1,000")
    known = sorted(text for text in before if text != "—")
    assert rising == [*known, "—"]
    assert rising != before
    assert _sorted_by(chromium)["$ per 1,000"] == "ascending"
    button.click()
    falling = _column(chromium, "$ per 1,000")
    assert falling == [*reversed(known), "—"]  # what is unknown stays at the end
    assert _sorted_by(chromium)["$ per 1,000"] == "descending"
    assert set(_sorted_by(chromium).values()) == {"descending", "none"}


def test_a_table_sorts_by_keyboard(chromium: Chromium, sample_report: Report) -> None:
    from selenium.webdriver.common.keys import Keys

    chromium.open(to_html(full_report(sample_report)))
    _focus(chromium, "#")
    chromium.press(Keys.TAB, Keys.ENTER)
    names = _column(chromium, "Variant")
    assert _sorted_by(chromium)["Variant"] == "ascending"
    assert names == sorted(names)
    chromium.press(Keys.SPACE)
    assert _column(chromium, "Variant") == names[::-1]
    outline = "return getComputedStyle(document.activeElement).outlineStyle"
    assert chromium.run(outline) == "solid"


def test_without_script_it_is_a_plain_table(chromium: Chromium, sample_report: Report) -> None:
    page = to_html(full_report(sample_report), samples=many_rows(2))
    chromium.open(page, script=False)
    assert chromium.texts("th button") == []
    rows = "return document.querySelector(arguments[0]).tBodies[0].rows.length"
    assert chromium.run(rows, FIRST_TABLE) == 8
    assert chromium.texts("th[aria-sort]") == []


def test_the_plot_shows_every_variant_with_its_interval(
    chromium: Chromium, sample_report: Report
) -> None:
    chromium.open(to_html(full_report(sample_report)))
    first = "figure:first-of-type .point"
    names = chromium.texts(f"#prompt-1 {first} > text")
    wanted = {"baseline", "whitespace+filler", "repeated-rule", "answer-only", "llmlingua:rate=0.5"}
    assert {name.partition(" ")[2] for name in names} == wanted
    spans = chromium.run(
        "return [...document.querySelectorAll(arguments[0])].map((p) => p.getBBox().height)",
        f"#prompt-1 {first} .span",
    )
    assert len(spans) == len(wanted) - 1
    assert min(spans) > 5
    assert len(chromium.texts("#prompt-1 .front")) == 1
    assert chromium.texts("#prompt-1 .margin-text") == ["margin −5.0 pt"]
    named = "document.querySelector('#prompt-1 svg[role=img]').getAttribute('aria-labelledby')"
    title, described = chromium.run(f"return {named}").split()
    assert chromium.texts(f"#{title}") == ["Cost against quality, judged by accuracy"]
    assert "whitespace+filler: $0.0982" in chromium.texts(f"#{described}")[0]


def test_labels_lie_on_no_other_label(chromium: Chromium, sample_report: Report) -> None:
    chromium.open(to_html(full_report(sample_report)))
    covered = chromium.run(
        """
        const boxes = [...document.querySelectorAll("#prompt-1 .point > text")]
          .map((text) => text.getBoundingClientRect());
        return boxes.flatMap((one, at) => boxes.slice(at + 1).filter((other) =>
          one.left < other.right && other.left < one.right &&
          one.top + 3 < other.bottom && other.top + 3 < one.bottom)).length;
        """
    )
    assert covered == 0


FIRED = """
document.querySelectorAll("details").forEach((one) => { one.open = true; });
document.querySelectorAll("[tabindex], a, summary, button").forEach((one) => one.focus());
return [window.fired, location.protocol, document.querySelectorAll("script").length,
        document.querySelectorAll("iframe, object, embed, form, img, base, template, math").length,
        [...document.querySelectorAll("*")].flatMap((one) => one.getAttributeNames())
          .filter((name) => name.startsWith("on")).length];
"""


@pytest.mark.parametrize("texts", BATCHES, ids=range(len(BATCHES)))
def test_payloads_fire_nothing(chromium: Chromium, sample_report: Report, texts: list[str]) -> None:
    for page in pages(sample_report, texts):
        chromium.open(page)
        assert chromium.run(FIRED) == [[], "file:", 1, 0, 0]
        assert chromium.console() == []


def test_the_canary_sees_what_fires(chromium: Chromium) -> None:
    chromium.open("<!doctype html><img src=x onerror='alert(1)'><script>alert(2)</script>")
    fired = chromium.run("return new Promise((done) => setTimeout(() => done(window.fired), 200))")
    assert sorted(fired) == ["alert: 1", "alert: 2"]


def test_a_script_that_got_in_would_not_run(chromium: Chromium, sample_report: Report) -> None:
    page = to_html(sample_report)
    breached = page.replace("<main", "<script>alert(1)</script><img src=x onerror=alert(2)><main")
    chromium.open(breached)
    assert chromium.run("return window.fired") == []
    assert any("Content Security Policy" in line for line in chromium.console())


def test_two_thousand_rows_are_there(chromium: Chromium, sample_report: Report) -> None:
    first = sample_report.prompts[0]
    prompts = tuple(replace(first, name=f"prompt {at}") for at in range(10))
    report = replace(sample_report, prompts=prompts)
    chromium.open(to_html(report, samples=many_rows(200)))
    assert chromium.run("return document.querySelectorAll('.sample').length") == 2000
    assert chromium.console() == []
    opened = "const d = document.querySelectorAll('.sample')[1999]; d.open = true;"
    reached = "d.scrollIntoView(); return d.innerText"
    text = chromium.run(f"{opened} {reached}")
    assert "billing 199" in text


def test_it_can_be_printed(chromium: Chromium, page: str) -> None:
    chromium.open(page)
    chromium._call("Emulation.setEmulatedMedia", media="print")
    hidden = chromium.run("return getComputedStyle(document.querySelector('.skip')).display")
    chromium._call("Emulation.setEmulatedMedia", media="")
    assert hidden == "none"
