"""What a variant does to a provider's prefix cache: the guard, in words and money."""

from dataclasses import dataclass
from fractions import Fraction

from ..core.money import PrefixInfo
from ..core.protocols import TokenCounter
from ..core.types import PromptTemplate
from ..costs.hit_rates import HitLine, flip_rate
from ..costs.prefix import moved_behind, prefix_tokens
from ..costs.request import MeanRequest


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """How a prompt's requests begin.

    Attributes:
        tokens: What every request begins with.
        moved: Tokens of the baseline's beginning that stand behind a placeholder here.
        request: The mean request; ``None`` where it has no price.
    """

    tokens: int
    moved: int = 0
    request: MeanRequest | None = None

    @property
    def line(self) -> HitLine | None:
        """What its requests cost at each hit rate."""
        return self.request.line if self.request else None

    @property
    def cached(self) -> bool | None:
        """Whether the provider caches it; ``None`` where its rules are unknown."""
        known = self.request is not None and self.request.floor is not None
        return self.request.cached if known and self.request else None


def beginning(
    template: PromptTemplate,
    baseline: PromptTemplate,
    counter: TokenCounter,
    request: MeanRequest | None,
) -> Beginning:
    """Return how a variant's requests begin, held against the baseline's."""
    return Beginning(
        tokens=prefix_tokens(template, counter),
        moved=sum(counter(sentence) for sentence in moved_behind(baseline, template)),
        request=request,
    )


def prefix_info(variant: Beginning, baseline: Beginning | None, *, exact: bool) -> PrefixInfo:
    """Return what a provider's cache can hold of a variant, and what that changes.

    Args:
        variant: The variant.
        baseline: What it is held against; ``None`` for the baseline itself.
        exact: Whether tokens are counted as the provider counts them.
    """
    found = PrefixInfo(tokens=variant.tokens, cached=variant.cached, moved_tokens=variant.moved)
    if baseline is None:
        return found
    rate, below = flip(variant.line, baseline.line)
    return PrefixInfo(
        tokens=found.tokens,
        cached=found.cached,
        moved_tokens=found.moved_tokens,
        flip_hit_rate=None if rate is None else float(rate),
        cheaper_below_flip=below,
        warnings=(*_moved(variant, baseline), *_under_floor(variant, baseline, exact=exact)),
    )


def flip(one: HitLine | None, other: HitLine | None) -> tuple[Fraction | None, bool | None]:
    """Return the rate at which two cost the same, and whether the one is the cheaper below it."""
    rate = flip_rate(one, other) if one is not None and other is not None else None
    if rate is None or one is None or other is None:
        return None, None
    return rate, one.miss < other.miss


def _under_floor(variant: Beginning, baseline: Beginning, *, exact: bool) -> tuple[str, ...]:
    """Say that a variant's prefix falls under the floor that the baseline's reaches."""
    request = variant.request
    if request is None or request.floor is None or variant.cached or not baseline.cached:
        return ()
    about, estimated = ("", "") if exact else ("about ", " (estimated)")
    return (
        f"its prefix of {about}{variant.tokens:,} tokens{estimated} falls under the floor of "
        f"{request.floor:,} tokens of {request.price.ref}{_warm(variant, baseline)}",
    )


def _moved(variant: Beginning, baseline: Beginning) -> tuple[str, ...]:
    """Say that a variant puts a placeholder before text that is the same in every request."""
    if not variant.moved:
        return ()
    return (
        f"it puts what changes with each request before {variant.moved:,} tokens that do not, so "
        f"that the prefix that a cache can hold goes from {baseline.tokens:,} to "
        f"{variant.tokens:,} tokens{_warm(variant, baseline)}",
    )


def _warm(variant: Beginning, baseline: Beginning) -> str:
    """Return what warm requests cost then; nothing where no cache is known to hold any."""
    now, was = variant.line, baseline.line
    if now is None or was is None or now.warm == was.warm:
        return ""
    return f": warm requests cost {_usd(now.warm)} instead of {_usd(was.warm)} per 1,000"


def _usd(amount: Fraction) -> str:
    """Return an amount with the digits that say something.

    Example:
        >>> _usd(Fraction(15, 4)), _usd(Fraction(42, 100_000))
        ('$3.75', '$0.00042')
    """
    number = float(amount)
    return f"${number:,.2f}" if number >= 1 else f"${number:.4g}"
