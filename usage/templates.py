"""Linking requests to prompt templates by the text that is the same in every request."""

from collections.abc import Iterator, Sequence

from ..core.placeholders import scan
from ..core.types import PromptTemplate, Syntax
from . import quoting

SHORTEST = 12
"""Characters of a piece of text that is not found in a request by chance."""
ENOUGH = 0.8
"""The part of a template's static text that has to be there: branches may leave some of it out."""


def link_expression(templates: Sequence[PromptTemplate], text: str) -> str | None:
    """Return SQL for the name of the template that a request was made from; ``None`` without any.

    A request is of the template of which it holds at least four fifths of the static text; where
    it holds that of several, of the one with the longest.

    Args:
        templates: The templates; earlier versions of one have its name.
        text: The SQL for a request's text.
    """
    told = dict.fromkeys(
        (template.name, pieces) for template in templates if (pieces := static_pieces(template))
    )
    cases = [
        f"WHEN {_holds(pieces, text)} THEN {quoting.text(name)}"
        for name, pieces in sorted(told, key=lambda one: -sum(map(len, one[1])))
    ]
    return f"CASE {' '.join(cases)} END" if cases else None


def static_pieces(template: PromptTemplate) -> tuple[str, ...]:
    """Return the pieces of a template's text between its placeholders that are long enough to tell.

    Example:
        >>> from costopt.core.types import Message, PromptTemplate, Source, Syntax
        >>> source = Source(path="a.md", format="markdown", raw="")
        >>> static_pieces(PromptTemplate(name="a", variables=("q",), syntax=Syntax.JINJA,
        ...     messages=(Message("user", "Answer in one word. {{ q }} A:"),), source=source))
        ('Answer in one word.',)
    """
    pieces = (
        piece
        for message in template.messages
        for piece in _pieces(message.content, template.syntax)
    )
    return tuple(dict.fromkeys(piece for piece in pieces if len(piece) >= SHORTEST))


def _pieces(content: str, syntax: Syntax) -> Iterator[str]:
    """Pieces end at placeholders and at line ends: engines trim the space around those."""
    parts: list[str] = []
    for token in scan(content, syntax):
        if token.kind == "escape":
            parts.append(token.inner[0] if syntax is Syntax.FSTRING else token.inner)
        elif token.kind not in ("variable", "statement", "comment"):
            parts.append(content[token.start : token.end])
        else:
            yield from _lines("".join(parts))
            parts = []
    yield from _lines("".join(parts))


def _lines(text: str) -> Iterator[str]:
    yield from (line.strip() for line in text.splitlines())


def _holds(pieces: Sequence[str], text: str) -> str:
    total = sum(map(len, pieces))
    found = " + ".join(
        f"CASE WHEN contains({text}, {quoting.text(piece)}) THEN {len(piece)} ELSE 0 END"
        for piece in pieces
    )
    return f"{found} >= {ENOUGH * total:.0f}"
