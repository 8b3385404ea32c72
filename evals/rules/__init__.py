"""Rules over prompts: what costs more than it needs to, and where. One file a rule."""

from . import (
    cache_floor,
    conflict,
    example_bloat,
    ignore_comment,
    no_output_limit,
    oversized_model,
    pretty_printed,
    said_twice,
    unused_variable,
    volatile_first,
)
from .base import Case, Hit, Model, Rule

__all__ = ["RULES", "Case", "Hit", "Model", "Rule", "rule"]

RULES: tuple[Rule, ...] = (
    no_output_limit.RULE,
    volatile_first.RULE,
    said_twice.RULE,
    example_bloat.RULE,
    pretty_printed.RULE,
    unused_variable.RULE,
    conflict.RULE,
    oversized_model.RULE,
    cache_floor.RULE,
    ignore_comment.RULE,
)
"""All rules, by code."""


def rule(name: str) -> Rule | None:
    """Return a rule by its code or name; ``None`` where there is none.

    Example:
        >>> rule("CO506").name
        'unused-variable'
    """
    return next((one for one in RULES if name in (one.code, one.name)), None)
