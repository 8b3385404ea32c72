"""Metrics: what an answer is worth. One file each; nothing heavy is imported here."""

from ...core.errors import CostoptError, nearest
from . import (
    accuracy,
    contains,
    drift,
    exact_match,
    json_f1,
    judge,
    log_likelihood,
    number_match,
    rouge_l,
    token_f1,
)
from .base import Metric, averaged, best
from .text import as_text

__all__ = ["Metric", "as_text", "averaged", "best", "get", "names"]

_METRICS = {
    module.METRIC.name: module.METRIC
    for module in (
        exact_match,
        accuracy,
        contains,
        token_f1,
        number_match,
        json_f1,
        rouge_l,
        log_likelihood,
        drift,
        judge,
    )
}


def names() -> tuple[str, ...]:
    """Return the names of all metrics."""
    return tuple(_METRICS)


def get(name: str) -> Metric:
    """Return a metric by its name.

    Raises:
        CostoptError: there is none of that name; the nearest is named.

    Example:
        >>> get("token_f1").scale
        'bounded'
    """
    try:
        return _METRICS[name]
    except KeyError:
        raise CostoptError(f'unknown metric "{name}"', hint=nearest(name, _METRICS)) from None
