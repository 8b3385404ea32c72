"""Log-likelihood: how probable the reference answer is to the model, given the prompt.

Inputs: the natural-log probability of each token of the reference (`Answer.logprobs`). Range: below
0, in nats per token, higher is better; -0.69 is one half a token. The mean is over the reference's
tokens; of several references, each asked on its own, the best counts (`best`).
Limitations: it needs a target that gives log-probabilities; it cannot see what an output-side
strategy does, since the answer is forced; references written in another style than the model's are
improbable with every prompt, and only differences between prompts mean something.
Source: the scoring of continuations in Brown et al. 2020, *Language Models are Few-Shot Learners*,
arXiv:2005.14165, per token.
"""

from .base import Metric

METRIC = Metric(
    name="log_likelihood",
    description="Mean log-probability of the reference's tokens, given the prompt.",
    unit="nats per token",
    range=(-float("inf"), 0.0),
    scale="unbounded",
    kind="log_likelihood",
    default_margin=0.10,
    citation="Brown et al. 2020, arXiv:2005.14165",
)
"""Reads log-probabilities.

Example:
    >>> METRIC.score_logprobs([-1.0, -3.0]).value
    -2.0
"""
