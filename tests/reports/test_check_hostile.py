"""Texts that try to be more than text, in every field of a check, in every format."""

import json
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from itertools import cycle, islice
from typing import Any
from xml.etree import ElementTree

import cmarkgfm
import pytest
import sample_check as samples
from cmarkgfm.cmark import Options
from hostile_texts import BREAKERS, TEXTS, poisoned

from costopt.core.checked import CheckReport
from costopt.reports.checks.markdown import check_to_markdown
from costopt.reports.checks.show import show_check

KEPT = ("metric", "unit", "evidence")
"""Texts that choose costopt's own words; what they do when hostile is a test of its own."""
CONTROL = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
OUR_COMMAND = re.compile(r"::(error|warning|notice) [^:]*::")
TURNS = range(len(TEXTS))


def check_of(turn: int, keep: tuple[str, ...] = KEPT) -> CheckReport:
    """Return the sample with hostile texts, beginning with another one each turn."""
    text = islice(cycle(TEXTS), turn, None).__next__
    return poisoned(samples.sample_check(), text, keep)


class Skeleton(HTMLParser):
    """What is live in a page: its tags with their attributes, and the text outside of code."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.comments: list[str] = []
        self.text: list[str] = []
        self._code = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(" ".join([tag, *(f"{key}={value}" for key, value in attrs)]))
        self._code += tag in ("code", "pre")

    def handle_endtag(self, tag: str) -> None:
        self.tags.append(f"/{tag}")
        self._code -= tag in ("code", "pre")

    def handle_comment(self, data: str) -> None:
        self.comments.append(data.strip())

    def handle_decl(self, decl: str) -> None:
        self.tags.append(f"!{decl}")

    def handle_pi(self, data: str) -> None:
        self.tags.append(f"?{data}")

    def unknown_decl(self, data: str) -> None:
        self.tags.append(f"[{data}")

    def handle_data(self, data: str) -> None:
        if not self._code and data.strip():
            self.text.append(data.strip())


def skeleton(markdown: str) -> Skeleton:
    """Render as GitHub does, but let all HTML through, so that none hides."""
    options = Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_FOOTNOTES
    html = cmarkgfm.markdown_to_html_with_extensions(
        markdown, options, ["table", "autolink", "strikethrough", "tasklist"]
    )
    found = Skeleton()
    found.feed(html)
    found.close()
    return found


def test_the_renderer_sees_what_is_live() -> None:
    live = skeleton(
        "@all #1 [a](http://x) <b>x</b> www.example.com `@b`\n\n- [ ] x[^1]\n\n[^1]: y\n"
    )
    tags = Counter(tag.split(" ")[0] for tag in live.tags)
    assert tags["a"] >= 3
    assert tags["b"] == 1
    assert tags["input"] == 1
    assert "@all" in " ".join(live.text)
    assert "@b" not in " ".join(live.text)


BENIGN = skeleton(check_to_markdown(samples.sample_check(), "costopt check"))


@pytest.mark.parametrize("first", range(0, len(TURNS), 25))
def test_the_comment_has_the_same_skeleton_whatever_the_texts(first: int) -> None:
    """0 live nodes: every tag, and every word outside of code, is costopt's own."""
    for turn in TURNS[first : first + 25]:
        found = skeleton(check_to_markdown(check_of(turn), TEXTS[turn]))
        assert found.tags == BENIGN.tags, TEXTS[turn]
        assert found.text == BENIGN.text, TEXTS[turn]
        assert found.comments == ["costopt:check"], TEXTS[turn]


def test_even_what_chooses_words_makes_nothing_live() -> None:
    allowed = {tag.split(" ")[0] for tag in BENIGN.tags}
    for turn in TURNS[::5]:
        found = skeleton(check_to_markdown(check_of(turn, ())))
        assert {tag.split(" ")[0] for tag in found.tags} <= allowed, TEXTS[turn]
        assert not re.search(r"@\w|#\d|://|www\.|GH-\d", " ".join(found.text)), TEXTS[turn]


@pytest.mark.parametrize("text", BREAKERS)
def test_one_text_in_all_fields_at_once_stays_text(text: str) -> None:
    check = poisoned(samples.sample_check(), lambda: text, KEPT)
    found = skeleton(check_to_markdown(check))
    assert Counter(found.tags)["/details"] == Counter(BENIGN.tags)["/details"]
    assert {tag.split(" ")[0] for tag in found.tags} <= {tag.split(" ")[0] for tag in BENIGN.tags}
    assert found.comments == ["costopt:check"]


@pytest.mark.parametrize("format", ["table", "json", "markdown", "junit", "sarif", "github"])
def test_a_terminal_and_a_log_obey_nothing(format: str) -> None:
    for turn in TURNS[::5]:
        page = show_check(check_of(turn), format, width=80, colour=False, command=TEXTS[turn])
        assert not CONTROL.search(page), TEXTS[turn]
        assert "##[" not in page, TEXTS[turn]
        for line in page.splitlines():
            ours = format == "github" and OUR_COMMAND.match(line)
            assert ours or not line.lstrip().startswith("::"), TEXTS[turn]


def test_colours_are_the_only_escapes() -> None:
    for turn in TURNS[::10]:
        page = show_check(check_of(turn), "table", width=120, colour=True, command=None)
        assert not CONTROL.search(COLOUR.sub("", page)), TEXTS[turn]


def obeyed(line: str) -> tuple[str, dict[str, str], str]:
    """Read a workflow command as the runner does: up to the first ``::`` behind its own."""
    head, message = line[2:].split("::", 1)
    name, _, rest = head.partition(" ")
    pairs = (part.split("=", 1) for part in rest.split(",") if part)
    return name, {key.strip(): _unescaped(value, ":,") for key, value in pairs}, _unescaped(message)


def _unescaped(text: str, more: str = "") -> str:
    for mark in more:
        text = text.replace(f"%{ord(mark):02X}", mark)
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


def test_annotations_say_what_they_say_and_start_no_other_command() -> None:
    for turn in TURNS:
        check = check_of(turn)
        page = show_check(check, "github", width=80, colour=False, command=None)
        found = [obeyed(line) for line in page.splitlines()]
        names = Counter(name for name, _, _ in found)
        assert names == {"error": 4, "warning": 1, "notice": 2}, TEXTS[turn]
        for _, properties, message in found:
            assert set(properties) <= {"file", "line", "col", "title"}
            assert "\n" not in message


def test_percent_signs_colons_and_commas_reach_the_reader() -> None:
    check = samples.sample_check()
    gate = replace(check.gates[0], message="50 % more: a, b%0A::error::x", path="a,b:c%3A.md")
    page = show_check(replace(check, gates=(gate,)), "github", width=80, colour=False, command=None)
    _, properties, message = obeyed(page.splitlines()[1])
    assert message == "50 % more: a, b%0A::error::x (base 812 tokens)"
    assert properties["file"] == "a,b:c%3A.md"


def test_json_is_exact_where_text_can_be_text() -> None:
    for turn in TURNS[::5]:
        check = check_of(turn)
        data = json.loads(show_check(check, "json", width=80, colour=False, command=None))
        exact = check.gates[0].message.encode("utf-8", "replace").decode()
        assert data["gates"][0]["message"] == exact


def test_sarif_holds_no_links_and_only_relative_places() -> None:
    for turn in TURNS[::3]:
        text = show_check(check_of(turn), "sarif", width=80, colour=False, command=None)
        for result in json.loads(text)["runs"][0]["results"]:
            assert "](" not in result["message"]["text"]
            uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
            assert re.fullmatch(r"[A-Za-z0-9_.~/%-]+", uri), uri
            assert not uri.startswith("/")


def _leaves(element: ElementTree.Element) -> list[Any]:
    return [element.tag, *(_leaves(child) for child in element)]


def test_junit_is_the_same_tree_whatever_the_texts() -> None:
    def tree(check: CheckReport) -> list[Any]:
        text = show_check(check, "junit", width=80, colour=False, command=None)
        return _leaves(ElementTree.fromstring(text.encode("utf-8")))

    expected = tree(samples.sample_check())
    for turn in TURNS[::3]:
        assert tree(check_of(turn)) == expected, TEXTS[turn]
