"""Drift: how probable the baseline's own answer is under a variant of its prompt.

Inputs: the natural-log probability of each token of the answer that the baseline gave. Range: below
0, in nats per token, higher (less drift) is better. It needs no reference.
Limitations: the baseline's answer is the most probable one under the baseline's prompt, so every
edit looks like a loss, a better one too. It shows where to look and never decides by itself.
"""

from .base import Metric

METRIC = Metric(
    name="drift",
    description="Mean log-probability of the baseline's own answer under the variant.",
    unit="nats per token",
    range=(-float("inf"), 0.0),
    scale="unbounded",
    kind="drift",
    default_margin=0.10,
    needs_reference=False,
)
