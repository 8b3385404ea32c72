"""What of a prompt a provider's prefix cache can hold."""

import re
from collections import Counter
from collections.abc import Callable, Iterator

from ..core.placeholders import Token, scan
from ..core.types import PromptTemplate, Syntax
from .cache_rules import cache_rule

_TELLING = 12
"""Characters of a sentence that is not found in a text by chance."""


def cache_floor(ref: str) -> int | None:
    """Return from how many tokens a provider caches a prompt's prefix; ``None`` where unknown.

    Args:
        ref: ``provider:model``.

    Example:
        >>> cache_floor("openai:gpt-5.4-mini"), cache_floor("anthropic:claude-haiku-4-5")
        (1024, 4096)
    """
    rule = cache_rule(ref)
    return rule.floor if rule is not None else None


def static_prefix(template: PromptTemplate) -> str:
    r"""Return the text that every request of a template begins with.

    It ends at the first placeholder or statement, in whichever message that is: from there on,
    requests differ, and no provider's cache holds more. Comments are left out, as rendering does.

    Raises:
        TemplateSyntaxError: a message cannot be cut into tokens.

    Example:
        >>> from costopt.core.types import Message, PromptTemplate, Source, Syntax
        >>> messages = (Message("system", "Be kind."), Message("user", "Q: {{ q }} A:"))
        >>> source = Source(path="a.md", format="markdown", raw="")
        >>> static_prefix(PromptTemplate(name="a", messages=messages, variables=("q",),
        ...                              syntax=Syntax.JINJA, source=source, chat=True))
        'Be kind.\n\nQ: '
    """
    parts: list[str] = []
    for index, message in enumerate(template.messages):
        parts += ["\n\n"] if index else []
        for token in scan(message.content, template.syntax):
            if token.kind in ("variable", "statement"):
                return "".join(parts)
            parts.append(_rendered(message.content, token, template.syntax))
    return "".join(parts)


def _rendered(text: str, token: Token, syntax: Syntax) -> str:
    """Return what a token that is the same in every request becomes."""
    if token.kind == "comment":
        return ""
    if token.kind == "escape":  # "{{" in an f-string is one brace; elsewhere `inner` is literal.
        return token.inner[0] if syntax is Syntax.FSTRING else token.inner
    return text[token.start : token.end]


def prefix_tokens(template: PromptTemplate, count: Callable[[str], int]) -> int:
    """Return the tokens that every request of a template begins with.

    Tools and the response schema are among them: providers put them before the messages.

    Args:
        template: The template.
        count: Counts a text's tokens.

    Raises:
        TemplateSyntaxError: a message cannot be cut into tokens.
    """
    return count(static_prefix(template)) + count(template.schemas)


def moved_behind(before: PromptTemplate, after: PromptTemplate) -> tuple[str, ...]:
    """Return the sentences of one template's static prefix that another has behind a placeholder.

    Only what stands once in the first template counts, and still stands in the second: a sentence
    that was cut or rewritten is not moved.

    Raises:
        TemplateSyntaxError: a message cannot be cut into tokens.

    Example:
        >>> from costopt.core.types import Message, PromptTemplate, Source, Syntax
        >>> def made(text):
        ...     source = Source(path="a.md", format="markdown", raw="")
        ...     return PromptTemplate(name="a", messages=(Message("user", text),), variables=("q",),
        ...                           syntax=Syntax.JINJA, source=source)
        >>> moved_behind(made("Answer in one word. {{ q }}"), made("{{ q }} Answer in one word."))
        ('Answer in one word.',)
    """
    was, now = static_prefix(before), static_prefix(after)
    if len(now) >= len(was):
        return ()
    old = Counter(_all_sentences(before))
    behind = set(_all_sentences(after)) - set(_sentences(now))
    return tuple(one for one in _sentences(was) if old[one] == 1 and one in behind)


def _all_sentences(template: PromptTemplate) -> Iterator[str]:
    """Yield the sentences of a template's own text, cut at what is filled in."""
    for message in template.messages:
        piece = ""
        for token in scan(message.content, template.syntax):
            if token.kind in ("variable", "statement"):
                yield from _sentences(piece)
                piece = ""
            else:
                piece += _rendered(message.content, token, template.syntax)
        yield from _sentences(piece)


def _sentences(text: str) -> list[str]:
    """Return the sentences and lines of a text that are long enough to be told from others."""
    parts = (part.strip() for part in re.split(r"(?<=[.!?:])\s+|\n+", text))
    return [part for part in parts if len(part) >= _TELLING]
