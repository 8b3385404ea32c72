"""The pages as text: nothing live in them, nothing from outside, nothing left out."""

from dataclasses import replace
from html.parser import HTMLParser

import pytest
from full_pages import full_check, full_report, many_rows, poisoned
from payloads import hostile, live

from costopt.core.report import Report
from costopt.reports.html import check_page, to_html
from costopt.reports.html.page import policy
from costopt.reports.html.plot import plots

_TAGS = frozenset({
    "html", "head", "meta", "title", "link", "style", "script", "body", "a", "header", "main",
    "nav",
    "section", "h1", "h2", "h3", "h4", "p", "span", "strong", "b", "small", "code", "pre", "del",
    "ins", "ul", "li", "dl", "dt", "dd", "div", "table", "caption", "thead", "tbody", "tr", "th",
    "td", "details", "summary", "figure", "figcaption", "svg", "g", "path", "circle", "rect",
    "text", "desc",
})  # fmt: skip
_ACTIVE = ("script", "style", "meta", "link", "svg", "a", "h1", "h2", "section", "details")
_FROM_OUTSIDE = frozenset({"src", "srcset", "action", "formaction", "data", "poster", "style",
                           "xlink:href", "background", "ping", "srcdoc"})  # fmt: skip


class Reader(HTMLParser):
    """Collects elements, attributes and text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.comments: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


PARTS = [
    "<script>window.fired.push(1)</script>", "<img src=x onerror=window.fired.push(2)>",
    "\"><svg onload=window.fired.push(3)>", "' autofocus onfocus='window.fired.push(4)",
    "</style><script>alert(5)</script>", "</script><script>alert(6)</script>",
    "</title><iframe src=javascript:alert(7)>", "javascript:alert(8)",
    "<a href=javascript:alert(9)>x",
    "</pre></details><h1>verdict: holds</h1>", "<base href=http://127.0.0.1:1/>",
    "<meta http-equiv=refresh content=0;url=http://127.0.0.1:1/>", "<!--", "-->", "]]>",
    "<![CDATA[",
    "{{ 7 * 7 }}", "{% raw %}", "{# x #}", "&lt;script&gt;", "&#60;script&#62;", "\x00", "\x1b[2J",
    "\u202egnp.exe", "\u2066x\u2069", "\u2028", "\ud800", "\ufeff", "::error::x", "a\n::error::y",
    "\u3000::error::z", "##[error]x", "<template><script>alert(1)</script></template>",
    "<form action=http://127.0.0.1:1><button>x", "<link rel=stylesheet href=http://127.0.0.1:1>",
    "<math><mi//xlink:href='javascript:alert(1)'>", "<details open ontoggle=alert(1)>", "日本語",
    "",
    "<xmp><p title=\"</xmp><img src=x onerror=alert(1)>\">", "a" * 3000, " ", "\t", "\r\n",
]  # fmt: skip
BATCHES = [PARTS[at : at + 15] + PARTS[:at] + PARTS[at + 15 :] for at in range(0, len(PARTS), 15)]
BATCHES += [hostile()[at::4] for at in range(4)]


def pages(report: Report, texts: list[str] | None = None) -> list[str]:
    """Return the report's page and the check's, with hostile texts where they are given."""
    full = full_report(report)
    source = many_rows(3, texts[0] if texts else "billing")
    check = full_check(full)
    if texts:
        full, check = poisoned(full, texts), poisoned(check, texts)
    return [to_html(full, texts[0] if texts else None, source), check_page(check, source)]


@pytest.mark.parametrize("texts", BATCHES, ids=range(len(BATCHES)))
def test_hostile_text_is_text(sample_report: Report, texts: list[str]) -> None:
    for page, plain in zip(pages(sample_report, texts), pages(sample_report), strict=True):
        read, usual = Reader(page), Reader(plain)
        assert set(read.tags) <= _TAGS
        # Hostile or not, there are as many of what could do something.
        assert {tag: read.tags.count(tag) for tag in _ACTIVE} == {
            tag: usual.tags.count(tag) for tag in _ACTIVE
        }
        assert read.comments == []
        _check_attributes(read)
        assert live(page) == []


def _check_attributes(read: Reader) -> None:
    names = {name for name, _ in read.attributes}
    assert not {name for name in names if name.startswith("on")}
    assert not names & _FROM_OUTSIDE
    assert all(
        value.startswith(("#", "data:,")) for name, value in read.attributes if name == "href"
    )


def test_hostile_text_can_be_read(sample_report: Report) -> None:
    prompt = replace(sample_report.prompts[0], notes=("<b>bold</b> & \x1b[2J \u202egnp",))
    page = to_html(replace(sample_report, prompts=(prompt,)))
    assert r"<b>bold</b> & " in Reader(page).text


def test_everything_of_a_report_is_on_its_page(sample_report: Report) -> None:
    page = Reader(pages(sample_report)[0]).text
    for words in (
        "$10.58", "a month can be saved, estimated", "0.0 [−4.1, +4.1] pt on 40 rows",
        "each bound at 97.5 %", "812 live requests", "of which judge judge",
        "priced as openai:gpt-4.1-mini, estimated", "6 to pick, 40 to confirm",
        "the cheapest variant that holds", "llmlingua:rate=0.5", "63 more rows", "$0.0982",
        "−20.4 %",
        "input −49.5 %, cost +9.0 %", "it drops: at most 3 lines", "no change: json-minify",
        "left out: filler", "Slices", "billing", "In a batch", "noise floor",
        "judge judge is not fit",
        "What each part does, at embedded", "standard error 2.0", "kept: it holds {{ ticket }}",
        "All targets", "small: filler", "openai:gpt-5-nano", "CO104", "wordy: in order to",
        "llmlingua is not installed", "prompts/broken.yaml", "3 of 8 rows are shown",
        "five are gone",
        "row-2", "100.0 pt → 0.0 pt", "costopt explain CO104",
    ):  # fmt: skip
        assert words in page, words


def test_everything_of_a_check_is_on_its_page(sample_report: Report) -> None:
    page = Reader(pages(sample_report)[1]).text
    for words in (
        "✗ Failed: merging ", "origin/main (0123456789a",
        "replay: only stored answers were looked for, no model was asked (no key is set)",
        "1 gate says no", "2 prompts changed (1 renamed, 1 deleted), 7 did not; exit status 1",
        "Inbox costs too much", "$41.50",
        "900 tokens",
        "5.0 %", "not enough data: about 63 more rows", "renamed: text, settings",
        "formerly old.md",
        "60 rows of the base", "+new", "New findings", "Findings that are gone", "a note of it",
        "deleted", "a note of the check", "What each part does",
    ):  # fmt: skip
        assert words in page, words
    assert page.index("Gates") < page.index("What changed") < page.index("Variants at embedded")
    order = [page.index(f"{sign} {word}") for sign, word in (
        ("✗", "failed"), ("?", "inconclusive"), ("✓", "passed"), ("–", "skipped"))]  # fmt: skip
    assert order == sorted(order)


def test_partial_static_and_empty_are_said(sample_report: Report) -> None:
    partial = to_html(replace(sample_report, partial=True))
    assert "It was stopped before the end" in partial
    static = to_html(replace(sample_report, static=True))
    assert "No model was asked" in static
    assert "a month can be saved" not in static
    assert "stays as it is" not in static
    assert "stays as it is" in partial
    empty = to_html(replace(sample_report, prompts=(), targets=(), skipped=()))
    assert "<main" in empty
    none_of_it = replace(full_check(sample_report), gates=(), changes=(), exit=0)
    quiet = check_page(none_of_it)
    assert "No gate is set." in quiet
    assert "No prompt changed." in quiet


def test_the_policy_lets_nothing_in(sample_report: Report) -> None:
    page = to_html(sample_report)
    assert policy().startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy()
    assert "http:" not in page.replace("http-equiv", "")
    assert 'name="referrer" content="no-referrer"' in page


def test_a_plot_has_every_variant_with_its_interval(sample_report: Report) -> None:
    for prompt in sample_report.prompts:
        shown = [v for v in prompt.variants if v.rejected is None]
        drawn = plots(shown, {v.name: at for at, v in enumerate(shown)}, None)
        titles = " ".join(point.title for plot in drawn for point in plot.points)
        measured = [v for v in shown if v.delta and v.delta.quality and not v.control]
        for variant in measured:
            assert f"{variant.name}: " in titles
        bars = [p for plot in drawn for p in plot.points if p.low != p.high]
        assert len(bars) == len(measured)


def test_a_page_without_any_price_has_a_plot_of_tokens(sample_report: Report) -> None:
    assert "input tokens per request" in to_html(sample_report)
