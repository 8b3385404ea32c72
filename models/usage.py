"""The tokens of a request as providers count them, as our inclusive totals.

Totals include their parts here: ``input`` the tokens that were read from or written to a cache,
``output`` those of reasoning. Providers differ in both.
"""

from collections.abc import Mapping
from typing import Protocol

from ..core.types import Usage

_MOST = 2**53


class Counted(Protocol):
    """A request's usage as pydantic-ai has it: totals that include cached input and reasoning."""

    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    details: dict[str, int]


def chat_usage(found: Mapping[str, object], *, reasoning_apart: bool = False) -> Usage | None:
    """Return the usage of a chat completion; ``None`` where the server counted nothing.

    ``prompt_tokens`` includes what was read from a cache: ``prompt_tokens_details.cached_tokens``
    (OpenAI and most others), ``prompt_cache_hit_tokens`` (DeepSeek) or ``cached_tokens``
    (Moonshot). ``completion_tokens`` includes the tokens of reasoning, but for xAI's, and for
    servers whose total says that it does not.

    Args:
        found: The response's ``usage``.
        reasoning_apart: Whether the provider is known to leave reasoning out of the completion.

    Raises:
        ValueError: a count is no number of tokens.

    Example:
        >>> chat_usage({"prompt_tokens": 9, "completion_tokens": 4, "cached_tokens": 8})
        Usage(input=9, output=4, cache_read=8, cache_write=0, reasoning=0)
        >>> details = {"reasoning_tokens": 20}
        >>> chat_usage({"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 33,
        ...             "completion_tokens_details": details})
        Usage(input=9, output=24, cache_read=0, cache_write=0, reasoning=20)
    """
    prompt, completion = _count(found, "prompt_tokens"), _count(found, "completion_tokens")
    if not prompt and not completion:
        return None
    read_from, wrote = (
        _part(found, "prompt_tokens_details"),
        _part(found, "completion_tokens_details"),
    )
    cached = (
        _count(read_from, "cached_tokens")
        or _count(found, "prompt_cache_hit_tokens")
        or _count(found, "cached_tokens")
    )
    reasoning = _count(wrote, "reasoning_tokens") or _count(found, "reasoning_tokens")
    apart = reasoning > completion or reasoning_apart
    total = _count(found, "total_tokens") - prompt - completion
    if reasoning <= completion and total in (0, reasoning):  # The total says which.
        apart = total == reasoning
    return inclusive(
        input=prompt,
        output=completion + (reasoning if apart else 0),
        cache_read=cached,
        cache_write=_count(read_from, "cache_write_tokens"),
        reasoning=reasoning,
    )


def library_usage(found: Counted) -> Usage | None:
    """Return the usage that pydantic-ai read out of a response; ``None`` where it holds nothing.

    The library adds Anthropic's and Bedrock's cache reads and writes to the input, and Gemini's
    thoughts to the output. Where it knows the tokens of reasoning only by a provider's own name,
    they stand in its details.

    Raises:
        ValueError: a count is negative.
    """
    if not found.input_tokens and not found.output_tokens:
        return None
    named = ("reasoning_tokens", "thoughts_tokens", "thinking_tokens")
    reasoning = getattr(found, "output_reasoning_tokens", 0) or next(
        (found.details[name] for name in named if found.details.get(name)), 0
    )
    return inclusive(
        input=found.input_tokens,
        output=found.output_tokens,
        cache_read=found.cache_read_tokens,
        cache_write=found.cache_write_tokens,
        reasoning=reasoning,
    )


def inclusive(
    *, input: int, output: int, cache_read: int, cache_write: int, reasoning: int
) -> Usage:
    """Return a usage whose parts never exceed their totals: a part is cut where a server errs.

    Example:
        >>> inclusive(input=10, output=2, cache_read=12, cache_write=0, reasoning=0).cache_read
        10
    """
    read = min(cache_read, input)
    return Usage(
        input=input,
        output=output,
        cache_read=read,
        cache_write=min(cache_write, input - read),
        reasoning=min(reasoning, output),
    )


def without_cache(usage: Usage) -> Usage:
    """Return the usage of a server whose cache hits are not billed apart."""
    return Usage(input=usage.input, output=usage.output, reasoning=usage.reasoning)


def _part(found: Mapping[str, object], name: str) -> Mapping[str, object]:
    part = found.get(name)
    return part if isinstance(part, dict) else {}


def _count(found: Mapping[str, object], name: str) -> int:
    """Return a count of tokens; 0 where it is left out or null."""
    value = found.get(name)
    if value is None:
        return 0
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else -1
    if not 0 <= number < _MOST or int(number) != number:
        raise ValueError(f'its "{name}" is no number of tokens')
    return int(number)
