"""What providers say of their prefix caches: floors, writes, lifetimes, and batches; dated.

Data, to be brought up to date by hand. ``as_of`` is the month for which the project's survey of
the providers' documentation holds; the pages are named so that anybody can look again. ``None`` is
unknown, never "none": what the sources do not say, or say differently, is not made up.

The amounts themselves (what a read or a write costs) stand in the price table. What is here is what
decides whether they apply.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

How = Literal["automatic", "asked for"]
HOUR = 3600
"""Seconds that the longer of Anthropic's two lifetimes lasts."""


@dataclass(frozen=True, kw_only=True)
class Lifetime:
    """How long a prefix stays in a cache, and what putting it there costs.

    Attributes:
        seconds: How long it stays after its last use; ``None`` where that is not promised.
        write: What a written token costs, as a multiple of an input token; 1 is no surcharge,
            ``None`` unknown.
    """

    seconds: int | None
    write: Decimal | None


@dataclass(frozen=True, kw_only=True)
class CacheRule:
    """The rules of one family of models.

    Attributes:
        floor: From how many tokens on a prefix is cached; ``None`` where unknown.
        how: Whether caching happens by itself, or has to be asked for in a request.
        lifetimes: The choices there are, the default first.
        batch_stacks: Whether the discount for cached input and that for a batch apply together;
            False: cached input costs in a batch what it costs outside of one.
        as_of: The month that this holds for.
        source: Where the provider says so: page and address.
        note: What else is to be known before counting on it.
    """

    floor: int | None
    how: How
    lifetimes: tuple[Lifetime, ...]
    batch_stacks: bool | None
    as_of: str
    source: str
    note: str = ""


_ANTHROPIC = (
    "Anthropic, Prompt caching and Batch processing: "
    "https://platform.claude.com/docs/en/build-with-claude/prompt-caching"
)
_OPENAI = "OpenAI, Prompt caching: https://developers.openai.com/api/docs/guides/prompt-caching"
_GOOGLE = "Google, Context caching and Batch API: https://ai.google.dev/gemini-api/docs/caching"

# A name that goes on with another number is another model: Sonnet 5.5 is not Sonnet 5. A date is
# not a version.
_VERSION_ENDS = r"(?!\d)(?![-.]\d(?!\d))"


def _anthropic(floor: int) -> CacheRule:
    return CacheRule(
        floor=floor,
        how="asked for",
        lifetimes=(
            Lifetime(seconds=300, write=Decimal("1.25")),
            Lifetime(seconds=HOUR, write=Decimal(2)),
        ),
        batch_stacks=True,
        as_of="2026-07",
        source=_ANTHROPIC,
        note="in a batch, cache hits are best effort",
    )


def _openai(write: Decimal) -> CacheRule:
    return CacheRule(
        floor=1024,
        how="automatic",
        lifetimes=(Lifetime(seconds=None, write=write),),
        # The page does not say. Where the price list has a rate for cached input in a batch, that
        # rate is taken; where it has none, what a warm batch costs stays unknown.
        batch_stacks=None,
        as_of="2026-11",
        source=_OPENAI,
    )


def _google(floor: int) -> CacheRule:
    # The sources disagree about the floors; the higher figures are taken, so that no saving is
    # promised that may not come.
    return CacheRule(
        floor=floor,
        how="automatic",
        lifetimes=(Lifetime(seconds=None, write=Decimal(1)),),
        batch_stacks=False,
        as_of="2026-11",
        source=_GOOGLE,
        note=(
            "hits of the implicit cache are not promised; an explicit cache is billed for storage "
            "by the hour as well, which is not in these amounts"
        ),
    )


_FREE, _QUARTER = Decimal(1), Decimal("1.25")
_RULES = tuple(
    (re.compile(pattern), rule)
    for pattern, rule in (
        (r"(openai|azure)[^:]*:(gpt-5\.([6-9]|\d\d)|gpt-([6-9]|1\d)(?!\d))", _openai(_QUARTER)),
        (r"(openai|azure)[^:]*:", _openai(_FREE)),
        (rf"anthropic:claude-(opus-5|fable-5){_VERSION_ENDS}", _anthropic(512)),
        (
            rf"anthropic:claude-(opus-4[-.]8|sonnet-5|sonnet-4[-.][56]){_VERSION_ENDS}",
            _anthropic(1024),
        ),
        (rf"anthropic:claude-opus-4[-.]7{_VERSION_ENDS}", _anthropic(2048)),
        (rf"anthropic:claude-(opus-4[-.][56]|haiku-4[-.]5){_VERSION_ENDS}", _anthropic(4096)),
        (r"(google|gemini)[^:]*:gemini-2\.5.*flash", _google(2048)),
        (r"(google|gemini)[^:]*:gemini-(2\.5.*pro|[3-9].*(pro|flash))", _google(4096)),
    )
)


def hour_write(ref: str) -> Decimal | None:
    """Return what a token costs that is written for an hour, as a multiple of an input token.

    ``None`` where the provider has no such lifetime, or its rules are unknown.

    Args:
        ref: ``provider:model``.

    Example:
        >>> str(hour_write("anthropic:claude-haiku-4-5")), hour_write("openai:gpt-5.4")
        ('2', None)
    """
    rule = cache_rule(ref)
    lifetimes = rule.lifetimes if rule is not None else ()
    return next((life.write for life in lifetimes if life.seconds == HOUR), None)


def cache_rule(ref: str) -> CacheRule | None:
    """Return the rules of a model's prefix cache; ``None`` where they are unknown.

    A newer model may have other rules than the one that it is named after: what is not listed is
    unknown.

    Args:
        ref: ``provider:model``.

    Example:
        >>> rule = cache_rule("anthropic:claude-haiku-4-5")
        >>> rule.floor, str(rule.lifetimes[0].write), rule.batch_stacks
        (4096, '1.25', True)
        >>> cache_rule("deepseek:deepseek-chat") is None
        True
    """
    return next((rule for pattern, rule in _RULES if pattern.match(ref.lower())), None)
