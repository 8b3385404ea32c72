"""Few-shot examples in prose: labelled pairs, numbered examples, ``<example>`` blocks."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from .blocks import lines

_LABEL = re.compile(r"[ \t*>#_-]{0,40}+([A-Z][A-Za-z /-]{0,24}?)[ \t]*\d{0,3}[*_]{0,3}:[*_]{0,3}")
_NUMBERED = re.compile(
    r"[ \t#*_>-]{0,40}+(?:few-shot |worked )?(?:example|sample|demonstration|demo)s?"
    r"[ \t]*(?:#?\d{1,3}|[A-Z])?[ \t]*[:.)]?[*_]{0,3}[ \t]*\r?",
    re.IGNORECASE,
)
_TAG = re.compile(r"<(examples?)\b[^<>]{0,200}>", re.IGNORECASE)

_QUESTIONS = frozenset(
    {
        "q", "question", "input", "user", "human", "customer", "problem", "text", "sentence",
        "passage", "ticket", "email", "request", "query", "prompt", "context", "document",
        "review", "message", "source", "english", "comment", "title", "task",
    }
)  # fmt: skip
_ANSWERS = frozenset(
    {
        "a", "answer", "output", "assistant", "ai", "bot", "label", "response", "result",
        "solution", "summary", "reply", "json", "category", "sentiment", "translation",
        "function", "class", "target", "completion", "model",
    }
)  # fmt: skip


@dataclass
class _Paragraph:
    start: int
    end: int
    heading: bool
    """Its first line says that an example follows."""
    body: bool
    """It holds more than the heading."""
    labels: tuple[str, ...]
    answered: bool
    """Something follows its last label."""
    open: bool
    """It holds a placeholder."""


def _paragraphs(text: str, holes: bytes) -> Iterator[_Paragraph]:
    block: list[tuple[int, int]] = []
    for start, end in lines(text):
        if text[start:end].strip():
            block.append((start, end))
        elif block:
            yield _paragraph(text, block, holes)
            block = []
    if block:
        yield _paragraph(text, block, holes)


def _paragraph(text: str, block: list[tuple[int, int]], holes: bytes) -> _Paragraph:
    heading = _NUMBERED.fullmatch(text, *block[0]) is not None
    found = [(m, end) for start, end in block if (m := _LABEL.match(text, start, end))]
    rest = text[found[-1][0].end() : block[-1][1]].strip() if found else ""
    return _Paragraph(
        start=block[0][0],
        end=block[-1][1],
        heading=heading,
        body=len(block) > 1,
        labels=tuple(match.group(1).lower() for match, _ in found),
        answered=bool(rest),
        open=1 in holes[block[0][0] : block[-1][1]],
    )


def _pair(labels: tuple[str, ...]) -> bool:
    return (
        len(labels) > 1
        and labels[0] in _QUESTIONS
        and any(label in _ANSWERS for label in labels[1:])
    )


def examples(text: str, holes: bytes) -> Iterator[tuple[int, int]]:
    r"""Yield the ranges of few-shot examples.

    A paragraph is one where its lines begin with labels such as ``Q:`` and ``A:``, or with the same
    two or more labels as another paragraph; where it follows a line such as ``Example 2``; or where
    it stands inside ``<example>``. A paragraph with a placeholder is the question, not an example.

    Args:
        text: One message's content.
        holes: One byte a character, 1 where a placeholder stands.

    Example:
        >>> text = "Add.\n\nInput: 1 1\nOutput: 2\n\nInput: 5 7\nOutput:"
        >>> [text[start:end] for start, end in examples(text, bytes(len(text)))]
        ['Input: 1 1\nOutput: 2']
    """
    ends: dict[str, int] = {}
    for match in _TAG.finditer(text):
        name, end = match.group(1), ends.get(match.group(1), 0)
        if end != -1 and end < match.end():
            end = ends[name] = text.find(f"</{name}>", match.end())
        if end != -1:
            yield match.start(), end
    found = list(_paragraphs(text, holes))
    seen = Counter(paragraph.labels for paragraph in found if len(set(paragraph.labels)) > 1)
    for before, paragraph in zip([None, *found], found, strict=False):
        announced = before is not None and before.heading and not before.body
        labelled = _pair(paragraph.labels) or seen[paragraph.labels] > 1
        numbered = paragraph.heading and paragraph.body
        if paragraph.open or (paragraph.heading and not paragraph.body):
            continue
        if numbered or (labelled and paragraph.answered) or (announced and paragraph.labels):
            yield paragraph.start, paragraph.end
        elif before is not None and _split_pair(before, paragraph):
            yield before.start, paragraph.end


def _split_pair(before: _Paragraph, after: _Paragraph) -> bool:
    """Tell whether a question's paragraph is followed by its answer's."""
    return (
        len(before.labels) == len(after.labels) == 1
        and before.labels[0] in _QUESTIONS
        and after.labels[0] in _ANSWERS
        and after.answered
        and not before.open
    )
