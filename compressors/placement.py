"""Where an added instruction goes: into the static part, so that prefix caches keep working."""

import re

from ..core.blocks import fences, lines
from ..core.placeholders import scan
from ..core.spans import spans
from ..core.types import PromptTemplate, SpanKind, Syntax
from .base import newline, replace_content, rewritable

_LEADS = re.compile(r":[*_]{0,3}\s*$|^\s*<[^<>/][^<>]*>\s*$|^\s*(?:`{3,}|~{3,})|^\s*#{1,6}\s")
_CUE = re.compile(r"\s*[*_]{0,3}[A-Z][\w /-]{0,30}[*_]{0,3}:[*_]{0,3}\s*")


def insertion_point(text: str, syntax: Syntax) -> int:
    r"""Return the offset at which an instruction is inserted: the start of a line, or the end.

    It is the start of the paragraph that holds the first placeholder or statement; what leads up to
    it ("Here is the passage:", an opening tag or fence, a heading) stays with it. A text without
    any takes the instruction at its end, but before a closing label such as "Answer:".

    Example:
        >>> text = "Classify the ticket.\n\nTicket:\n{t}\nLabel:"
        >>> text[insertion_point(text, Syntax.FSTRING):]
        'Ticket:\n{t}\nLabel:'
    """
    marks = (t.start for t in scan(text, syntax) if t.kind in ("variable", "statement"))
    first = next(marks, None)
    if first is None:
        return _before_cue(text)
    for fence in fences(text):
        first = fence.start if fence.start < first < fence.end else first
    for span in spans(text, syntax):
        if span.kind is SpanKind.DATA and span.start <= first <= span.end:
            first = span.start
            break
    start = _paragraph_start(text, first)
    # A paragraph may begin inside a fence that an earlier, unbalanced one opened.
    return next((f.start for f in fences(text) if f.start < start < f.end), start)


def _before_cue(text: str) -> int:
    for fence in fences(text):
        if fence.body_end == len(text):  # it is not closed: what comes after would be code
            return _paragraph_start(text, fence.start)
    body = text.rstrip()
    last = body.rfind("\n") + 1
    if last and _CUE.fullmatch(body, last):
        return _paragraph_start(text, last)
    return len(text)


def _paragraph_start(text: str, at: int) -> int:
    before = [line for line in lines(text) if line[0] <= at]
    start = before.pop()[0]
    blank = False
    while before:
        begin, end = before.pop()
        line = text[begin:end]
        if not line.strip():
            blank = True
        elif blank and not _LEADS.search(line):
            break
        else:
            start, blank = begin, False
    return start


def insert(text: str, instruction: str, syntax: Syntax) -> str:
    r"""Return ``text`` with an instruction as a paragraph of its own; unchanged if it is there.

    Example:
        >>> insert("Be kind.\n\nQuestion: {q}", "Be brief.", Syntax.FSTRING)
        'Be kind.\n\nBe brief.\n\nQuestion: {q}'
    """
    if any(text[start:end].strip() == instruction for start, end in lines(text)):
        return text
    at = insertion_point(text, syntax)
    eol = newline(text)
    head, tail = text[:at], text[at:]
    gap = "" if not head.strip() else _missing(head, eol)
    if tail.strip():
        return f"{head}{gap}{instruction}{eol}{eol}{tail}"
    body = head.rstrip("\r\n")
    return f"{body}{eol * 2 if body.strip() else ''}{instruction}{head[len(body) :]}{tail}"


def _missing(head: str, eol: str) -> str:
    """Return the newlines that ``head`` lacks to end with a blank line."""
    if re.search(r"\n[ \t]*\r?\n[ \t]*\Z", head):
        return ""
    return eol if head.endswith("\n") else eol * 2


def add_instruction(template: PromptTemplate, instruction: str) -> PromptTemplate:
    """Return the template with an instruction added to its static part.

    It goes into the last system message, else into the first message that instructs: before the
    first placeholder, so that all of what is the same in every request stays in front, and a
    provider's prefix cache still matches it.
    """
    if not template.messages:
        return template
    free = list(rewritable(template))
    systems = [i for i in free if template.messages[i].role in ("system", "developer")]
    chosen = systems[-1] if systems else free[0] if free else 0
    content = template.messages[chosen].content
    if not content.strip():
        return template
    return replace_content(template, {chosen: insert(content, instruction, template.syntax)})
