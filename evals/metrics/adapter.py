"""A metric as an ``evaluate.Metric``: the same scorer behind Hugging Face's interface."""

import os
from collections.abc import Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any

from ...core.types import Failure
from .base import Metric, Result

if TYPE_CHECKING:
    import evaluate


def build(metric: Metric) -> "evaluate.Metric":
    """Return an ``evaluate.Metric`` around ``metric``, kept in memory.

    ``compute`` takes ``predictions`` (texts, or lists of log-probabilities) and, for texts,
    ``references`` (a list of accepted texts for each; JSON as text), and returns the mean under the
    metric's name.

    Example:
        >>> from costopt.evals.metrics import get
        >>> get("exact_match").evaluate_metric().compute(
        ...     predictions=["Yes.", "no"], references=[["yes"], ["yes", "maybe"]])
        {'exact_match': 0.5}
    """
    # Otherwise evaluate counts a use of the library by a request to a server.
    os.environ.setdefault("HF_EVALUATE_OFFLINE", "1")
    import datasets
    import evaluate

    class CostoptMetric(evaluate.Metric):
        """The given metric, with evaluate's checks and accumulation of batches."""

        def _info(self) -> evaluate.MetricInfo:
            return evaluate.MetricInfo(
                description=metric.description,
                citation=metric.citation,
                inputs_description=f"{metric.unit}, {metric.range[0]} to {metric.range[1]}",
                features=_features(metric, datasets),
            )

        def _compute(
            self,
            *,
            predictions: Sequence[Any] | None = None,
            references: Sequence[Sequence[str]] | None = None,
            labels: Sequence[str] | None = None,
            **unknown: Any,  # noqa: ANN401
        ) -> dict[str, float]:
            if unknown:
                raise TypeError(f"unknown arguments: {', '.join(unknown)}")
            return {metric.name: mean_score(metric, predictions or (), references, labels)}

    CostoptMetric.__name__ = CostoptMetric.__qualname__ = metric.name
    return CostoptMetric(keep_in_memory=True)


def _features(metric: Metric, datasets: Any) -> Any:  # noqa: ANN401
    text = datasets.Value("string")
    if metric.scorer is None:
        return datasets.Features({"predictions": datasets.List(datasets.Value("float64"))})
    return datasets.Features({"predictions": text, "references": datasets.List(text)})


def mean_score(
    metric: Metric,
    predictions: Sequence[Any],
    references: Sequence[Sequence[str]] | None,
    labels: Sequence[str] | None,
) -> float:
    """Return the mean score.

    Raises:
        ValueError: a prediction cannot be scored; it is never left out of the mean.
    """
    results: list[Result] = (
        [metric.score_logprobs(prediction) for prediction in predictions]
        if metric.scorer is None
        else [
            metric.score_text(text, accepted, labels=labels)
            for text, accepted in zip(predictions, references or (), strict=True)
        ]
    )
    values: list[float] = []
    for index, result in enumerate(results):
        if isinstance(result, Failure):
            raise ValueError(f"prediction {index} has no score: {result.message}")
        values.append(result.value)
    return fmean(values)
