"""Provider's prefix caches: what of a prompt they can hold, and from which length."""

import re

from ..core.placeholders import Token, scan
from ..core.types import PromptTemplate, Syntax

# Below its floor a provider caches nothing, and says nothing. Anthropic's floors differ by model:
# the figures of its prompt-caching page in 2026, which a third party measured in July 2026. OpenAI
# caches from 1,024 tokens. For Gemini's implicit cache the sources disagree; the higher figures are
# taken, so that no saving is promised that may not come. What is not listed is unknown: a newer
# model (Sonnet 5.5) may have another floor than the one that it is named after (Sonnet 5).
_VERSION_ENDS = r"(?!\d)(?![-.]\d(?!\d))"
_FLOORS = tuple(
    (re.compile(pattern), floor)
    for pattern, floor in (
        (r"(openai|azure)[^:]*:", 1024),
        (rf"anthropic:claude-(opus-5|fable-5){_VERSION_ENDS}", 512),
        (rf"anthropic:claude-(opus-4[-.]8|sonnet-5|sonnet-4[-.][56]){_VERSION_ENDS}", 1024),
        (rf"anthropic:claude-opus-4[-.]7{_VERSION_ENDS}", 2048),
        (rf"anthropic:claude-(opus-4[-.][56]|haiku-4[-.]5){_VERSION_ENDS}", 4096),
        (r"(google|gemini)[^:]*:gemini-(2\.5|[3-9]).*flash", 2048),
        (r"(google|gemini)[^:]*:gemini-(2\.5|[3-9]).*pro", 4096),
    )
)


def cache_floor(ref: str) -> int | None:
    """Return from how many tokens a provider caches a prompt's prefix; ``None`` where unknown.

    Args:
        ref: ``provider:model``.

    Example:
        >>> cache_floor("openai:gpt-5.4-mini"), cache_floor("anthropic:claude-haiku-4-5")
        (1024, 4096)
        >>> cache_floor("deepseek:deepseek-chat") is None
        True
    """
    floors = (floor for pattern, floor in _FLOORS if pattern.match(ref.lower()))
    return next(floors, None)


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
