"""The peers of `formats.py`: payloads in other encodings, and whether they read back equal."""

import csv
import io
import json
import re
from dataclasses import dataclass
from html import unescape
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

import html_to_markdown
import toon_format
from html_to_markdown import ConversionOptions
from payloads import Payload

from costopt.compressors.contract import template_of
from costopt.compressors.guard import check
from costopt.core.types import PromptTemplate, Syntax

PEERS = ("toon-format", "html-to-markdown", "markdownify")
TITLE = re.compile(r"<title\b[^>]*>([^<]*)</title>", re.IGNORECASE)
MARKUP = frozenset({"markup"})


@dataclass(frozen=True)
class Encoded:
    """A payload as a peer encodes it, and whether that reads back equal."""

    text: str
    equal: bool


def versions() -> str:
    """Return the peers with their versions."""
    known = []
    for name in PEERS:
        try:
            known.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            known.append(f"{name} (not installed)")
    return ", ".join(known)


def peers(payload: Payload, kind: str) -> dict[str, Encoded]:
    """Return a payload in every encoding that can hold it."""
    found = {"as found": Encoded(payload.text, True)}
    if kind == "html":
        return {**found, **of_pages(payload)}
    if payload.value is None:
        return found
    value = payload.value
    pretty = json.dumps(value, indent=2, ensure_ascii=False)
    compact = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    found["pretty JSON"] = Encoded(pretty, json.loads(pretty) == value)
    found["compact JSON"] = Encoded(compact, json.loads(compact) == value)
    if text := as_csv(value):
        back = list(csv.DictReader(io.StringIO(text, newline="")))
        found["CSV"] = Encoded(text.rstrip("\n"), back == value)
    toon = toon_format.encode(value)
    found["TOON"] = Encoded(toon, toon_format.decode(toon) == value)
    return found


def as_csv(value: Any) -> str | None:  # noqa: ANN401 - any JSON
    """Return objects of scalars with the same names as CSV; `None` for any other value."""
    objects = isinstance(value, list) and value and all(isinstance(row, dict) for row in value)
    if not objects or any(set(row) != set(value[0]) for row in value):
        return None
    if any(isinstance(cell, dict | list) for row in value for cell in row.values()):
        return None
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, list(value[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(value)
    return file.getvalue()


def of_pages(payload: Payload) -> dict[str, Encoded]:
    """Return a page as the peers' Markdown.

    By default html-to-markdown puts the title and what is told of the page in front matter, which
    is judged as the title that it holds; without that it leaves the title out, so it is put before.
    """
    title = TITLE.search(payload.text)
    bare = html_to_markdown.convert(payload.text, ConversionOptions(extract_metadata=False)).content
    titled = f"{unescape(title[1]).strip() if title else ''}\n\n{bare or ''}".strip()
    equal = keeps(payload.text, titled)
    found = {
        "html-to-markdown": Encoded(html_to_markdown.convert(payload.text).content or "", equal),
        "html-to-markdown, title before": Encoded(titled, equal),
    }
    if find_spec("markdownify"):
        from markdownify import markdownify

        text = markdownify(payload.text).strip()
        found["markdownify"] = Encoded(text, keeps(payload.text, text))
    return found


def keeps(before: str, after: str) -> bool:
    """Whether the guard finds that Markdown holds all that a reader sees of a page."""
    return check(prompt(before), prompt(after), "lossy", "input", MARKUP).rejected is None


def prompt(body: str) -> PromptTemplate:
    """Return the prompt that a payload stands in."""
    return template_of(f"Known:\n\n{body}\n\nEnd.", syntax=Syntax.NONE)
