"""A page of headings, tables and sentences that is laid out for a terminal or as Markdown.

What comes from files, prompts and answers is a `Name`: one clean line on a terminal, a code span in
Markdown. Everything else is costopt's own words.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from .safe import clean, code, visible
from .table import Column, fit, pad, widths

_NAME = 80
_LONGEST = 400


class Name(str):
    """Untrusted text: an id, a path, a prompt's name, a reason."""

    __slots__ = ()


Words = tuple[str, ...]
"""A sentence in parts, of which some may be a `Name`."""


@dataclass(frozen=True, kw_only=True)
class Header:
    """A column of a table; ``rank`` says when it goes where the page is narrow, 0 never.

    ``shrinks`` lets its cells be cut there; those of a first column of text may always be.
    """

    text: str
    right: bool = True
    rank: int = 0
    shrinks: bool = False


@dataclass(frozen=True, kw_only=True)
class Section:
    """A heading, a table, sentences below it, and a diff."""

    heading: Words = ()
    headers: tuple[Header, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    lines: tuple[Words, ...] = ()
    diff: tuple[str, ...] = ()


def words(*parts: str) -> Words:
    """Return the parts of a sentence.

    Example:
        >>> words("of ", Name("a.jsonl"))
        ('of ', 'a.jsonl')
    """
    return parts


def as_table(title: Words, sections: Sequence[Section], width: int) -> str:
    """Return the page for a terminal; narrow pages lose columns rather than wrap."""
    lines = [_line(title)]
    for section in sections:
        lines.append("")
        if section.heading:
            lines += _wrapped(section.heading, width, indent="")
        if section.rows:
            lines += _grid(section, width)
        for sentence in section.lines:
            lines += _wrapped(sentence, width, indent="  ")
        # A diff keeps its spaces: those at the end of a line may be what changed.
        lines = [line.rstrip() for line in lines]
        lines += [f"  {_diff_line(line)}" for line in section.diff]
    return "\n".join(lines) + "\n"


def _line(parts: Words) -> str:
    return "".join(clean_part(part) for part in parts)


def clean_part(part: str) -> str:
    """Return a part of a sentence as printable text."""
    return clean(part, _LONGEST) if isinstance(part, Name) else part


def _wrapped(parts: Words, width: int, *, indent: str) -> list[str]:
    found = textwrap.wrap(
        _line(parts),
        width,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_on_hyphens=False,
    )
    # Where a line is broken, what stood in its middle may come to read as a command.
    return [f"{line[: len(line) - len(line.lstrip())]}{clean(line)}" for line in found]


def _grid(section: Section, width: int) -> list[str]:
    columns = [
        Column(
            header=header.text,
            cells=tuple(_cell(row[at]) for row in section.rows),
            right=header.right,
            rank=header.rank,
            shrinks=header.shrinks or (not header.right and at == 0),
            least=14,
        )
        for at, header in enumerate(section.headers)
    ]
    kept = fit(columns, width - 2)
    sizes = widths(kept, width - 2)
    lines = [[column.header for column in kept]]
    lines += [[column.cells[at] for column in kept] for at in range(len(section.rows))]
    return [
        "  " + "  ".join(
            pad(cell, size, right=column.right)
            for cell, size, column in zip(cells, sizes, kept, strict=True)
        )
        for cells in lines
    ]  # fmt: skip


def _cell(text: str) -> str:
    return clean(text, _NAME) if isinstance(text, Name) else text


def _diff_line(line: str) -> str:
    """Return a line of a diff with what is not printable as escapes; its spaces stay."""
    sign, text = line[:1], visible(line[1:][:2000])
    # An unchanged line has no sign in front of what a CI log would obey.
    if sign == " " and text.lstrip().startswith("::"):
        text = text.replace("::", ": :", 1)
    return sign + text


def as_markdown(title: Words, sections: Sequence[Section]) -> str:
    """Return the page as GitHub-flavoured Markdown, fit to be posted as a comment."""
    lines = [f"# {_span(title)}"]
    for section in sections:
        lines.append("")
        if section.heading:
            lines += [f"## {_span(section.heading)}", ""]
        if section.rows:
            lines += [*_pipes(section), ""]
        lines += [f"- {_span(sentence)}" for sentence in section.lines]
        lines += _fenced(section.diff)
    return "\n".join(lines).rstrip().replace("\n\n\n", "\n\n") + "\n"


def _span(parts: Words) -> str:
    return "".join(code(part, limit=_LONGEST) if isinstance(part, Name) else part for part in parts)


def _pipes(section: Section) -> list[str]:
    said = [at for at in range(len(section.headers)) if any(row[at] for row in section.rows)]
    heads = " | ".join(section.headers[at].text for at in said)
    rule = "|".join("--:" if section.headers[at].right else "---" for at in said)
    rows = (" | ".join(_pipe(row[at]) for at in said) for row in section.rows)
    return [f"| {heads} |", f"|{rule}|", *(f"| {row} |" for row in rows)]


def _pipe(cell: str) -> str:
    return code(cell, table=True, limit=_NAME) if isinstance(cell, Name) else cell


def _fenced(diff: Sequence[str]) -> list[str]:
    """Return a diff in a fence that it cannot close."""
    if not diff:
        return []
    body = [_diff_line(line) for line in diff]
    longest = max((len(line) - len(line.lstrip("`+- ")) for line in body), default=0)
    fence = "`" * max(3, longest + 1)
    return ["", f"{fence}diff", *body, fence]
