"""Judge: another model says which of two answers is better, the variant's or the baseline's.

Inputs: the request, the reference where there is one, and both answers, shown in both orders to
the target named by ``--judge``. Range: -1 (the baseline's answer is better in both orders) to 1
(the variant's is); 0 is a tie, or a verdict that turns with the order. The baseline's own score is
0: it is what all is held against, so that a mean is the share of rows won minus those lost.
Limitations: a judge may like what is long, what stands first, or what its own family writes; it is
audited before its verdicts count (`evals.judge_audit`), which finds the coarse forms of this and
not the fine ones. It compares answers at one target only, never those of two models. Source: Zheng
et al. 2023, *Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena*, arXiv:2306.05685.
"""

from .base import Metric

METRIC = Metric(
    name="judge",
    description="Rows on which a judge prefers the variant's answer, minus those it does not.",
    unit="fraction",
    range=(-1.0, 1.0),
    scale="bounded",
    kind="judged",
    default_margin=0.10,
    needs_reference=False,
    citation="Zheng et al. 2023, arXiv:2306.05685",
)
"""Is not a function of one answer: `evals.judging.Referee` compares two.

Example:
    >>> METRIC.kind, METRIC.default_margin
    ('judged', 0.1)
"""
