"""CO505: JSON and XML that are indented for people."""

import re
from collections.abc import Iterator

from ...compressors.data_blocks import data_blocks
from ...compressors.encodings import load
from ...core.blocks import fences
from .base import Case, Hit, Rule, per_1k

_LEAST_TOKENS = 20
_XML = re.compile(
    r"^<([A-Za-z_][\w.-]{0,60})(?:\s[^<>]{0,500})?>[ \t]*\r?\n((?:(?:[ \t][^\n]*|\r?)\n)+)</\1>",
    re.MULTILINE,
)
_TAG_LINE = re.compile(r"^[ \t]+<[^\n]*>[ \t]*\r?$", re.MULTILINE)
_BETWEEN_TAGS = re.compile(r">\s+<")
_LEAST_LINES = 3
_XML_FENCES = ("", "xml", "html", "svg")


def _find(case: Case) -> Iterator[Hit]:
    for index, message in enumerate(case.template.messages):
        text = message.content
        found = [*_xml(text)]
        # The strategy says where there is JSON that it can write closer: it is not said twice.
        found += [*_json(text)] if "CO201" not in case.said else []
        for start, end, kind, closer in sorted(found):
            saved = case.tokens(text[start:end]) - case.tokens(closer)
            if saved >= _LEAST_TOKENS:
                yield Hit(
                    message=f"{kind} is indented for people: its blanks and line breaks are tokens",
                    at=(index, start, end),
                    tokens=saved,
                    usd_per_1k=per_1k(saved, case.main.input),
                )


def _json(text: str) -> Iterator[tuple[int, int, str, str]]:
    for block in data_blocks(text):
        if block.kind == "json" and "\n" in block.source and _reads(block.source):
            start = text.index(block.source, block.start, block.end)
            closer = re.sub(r"\s*\n\s*", "", block.source)
            yield start, start + len(block.source), "JSON", closer


def _reads(source: str) -> bool:
    try:
        load(source)
    except ValueError:
        return False
    return True


def _xml(text: str) -> Iterator[tuple[int, int, str, str]]:
    code = [(fence.start, fence.end) for fence in fences(text) if fence.language not in _XML_FENCES]
    for match in _XML.finditer(text) if "</" in text else ():
        if any(start <= match.start() < end for start, end in code):
            continue
        lines = match.group(2).splitlines()
        tags = len(_TAG_LINE.findall(match.group(2)))
        # Data, and no prose that is indented below a tag: its lines are elements.
        if tags >= _LEAST_LINES and tags * 5 >= sum(1 for line in lines if line.strip()) * 4:
            yield *match.span(), "XML", _BETWEEN_TAGS.sub("><", match.group())


RULE = Rule(
    code="CO505",
    name="pretty-printed",
    summary="JSON or XML is indented for people",
    find=_find,
    why="Blanks and line breaks between values are tokens, in every request. JSON that the "
    "strategy `json-minify` (CO201) can write closer is listed under its code; this rule has what "
    "is left, such as XML.",
    before="Read the order.\n\n<order>\n    <customer>\n        <name>Ada Byron</name>\n"
    "        <city>London</city>\n        <country>England</country>\n    </customer>\n"
    "    <item>\n        <sku>LT-330</sku>\n        <quantity>12</quantity>\n    </item>\n"
    "    <item>\n        <sku>LT-415</sku>\n        <quantity>3</quantity>\n    </item>\n"
    "    <item>\n        <sku>LT-871</sku>\n        <quantity>1</quantity>\n    </item>\n"
    "</order>\n\nAnswer: {{ question }}\n",
    after="Read the order.\n\n<order><customer><name>Ada Byron</name><city>London</city>"
    "<country>England</country></customer><item><sku>LT-330</sku><quantity>12</quantity></item>"
    "<item><sku>LT-415</sku><quantity>3</quantity></item>"
    "<item><sku>LT-871</sku><quantity>1</quantity></item></order>\n\nAnswer: {{ question }}\n",
    ignore="Where the data shows how the answer is to be laid out.",
    money="What the blanks' tokens cost as input.",
)
