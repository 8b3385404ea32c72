"""Which of promptfoo's assertions are deterministic, and what metric measures the same."""

import re
from dataclasses import dataclass
from typing import Any

_CODE = {"javascript", "python", "ruby", "webhook", "transform"}
_MODEL = {
    "llm-rubric", "model-graded-closedqa", "model-graded-factuality", "factuality", "g-eval",
    "answer-relevance", "context-faithfulness", "context-recall", "context-relevance", "similar",
    "classifier", "moderation", "select-best", "max-score", "conversation-relevance", "pi",
    "search-rubric", "trajectory:goal-success", "agent-rubric",
}  # fmt: skip
_COST = {"cost", "latency", "perplexity", "perplexity-score"}


@dataclass(frozen=True, slots=True)
class Assertion:
    """An assertion's type and value, as the configuration has them."""

    type: str
    value: Any


@dataclass(frozen=True, slots=True)
class Verdict:
    """References and metric; or the reason why an assertion is not used."""

    references: tuple[Any, ...] = ()
    metric: str | None = None
    reason: str = ""


def judge(assertion: Assertion) -> Verdict:
    """Return how an assertion scores an answer, or why it does not.

    Example:
        >>> judge(Assertion("contains", "echo"))
        Verdict(references=('echo',), metric='contains', reason='')
        >>> judge(Assertion("javascript", "output.length")).reason
        'the assertion javascript runs code, which is never run'
    """
    kind, value = assertion.type.strip().lower(), assertion.value
    if kind in _CODE or _is_code(value):
        return _left_out(kind, "runs code, which is never run")
    if kind in _MODEL:
        return _left_out(kind, "asks a model, which is not supported")
    if kind in _COST:
        return _left_out(kind, "scores no answer; costopt measures cost and latency itself")
    if kind == "equals" and isinstance(value, (dict, list)):
        return Verdict((value,), "json_f1")
    if kind in ("equals", "iequals") and _scalar(value):
        return Verdict((_text(value),), "exact_match")
    if kind in ("contains", "icontains") and _scalar(value):
        return Verdict((_text(value),), "contains")
    if kind in ("contains-any", "icontains-any"):
        return _any(kind, value)
    if kind in ("contains-all", "icontains-all") and len(items := _items(value)) == 1:
        return Verdict((items[0],), "contains")
    return _left_out(kind, "has no metric here")


def _left_out(kind: str, why: str) -> Verdict:
    return Verdict(reason=f"the assertion {kind[:60]} {why}")


def _any(kind: str, value: object) -> Verdict:
    items = _items(value)
    return Verdict(items, "contains") if items else _left_out(kind, "has no values")


def _items(value: object) -> tuple[str, ...]:
    values = value if isinstance(value, list) else str(value).split(",") if _scalar(value) else []
    return tuple(_text(item).strip() for item in values if _scalar(item))


def _scalar(value: object) -> bool:
    return isinstance(value, (str, int, float)) and value != ""


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_code(value: object) -> bool:
    return isinstance(value, str) and bool(
        re.match(r"file://\S+\.(js|cjs|mjs|ts|py|rb)(:\w+)?$|package:", value.strip())
    )


_EXPECTED = re.compile(r"(not-)?([a-z][a-z:-]*)(?:\([\d.]+\))?\s*:\s*(.*)", re.DOTALL)
_ALIASES = {"grade": "llm-rubric", "fn": "javascript", "eval": "javascript"}
_BARE = {"is-json", "contains-json", "is-sql", "is-xml", "is-html", "is-refusal"}
_PREFIXES = {
    "equals", "iequals", "contains", "icontains", "contains-any", "icontains-any", "contains-all",
    "icontains-all", "starts-with", "regex", "levenshtein", "rouge-n", "bleu", "file",
    "javascript", "python", "fn", "eval", "grade", *_MODEL, *_COST, *_BARE,
}  # fmt: skip


def parse_expected(cell: str) -> Assertion:
    """Return the assertion that a CSV's ``__expected`` cell means; plain text is ``equals``.

    Example:
        >>> parse_expected("contains: echo"), parse_expected("Yes")
        (Assertion(type='contains', value='echo'), Assertion(type='equals', value='Yes'))
    """
    cell = cell.strip()
    if cell.removeprefix("not-") in _BARE:
        return Assertion(cell, None)
    match = _EXPECTED.fullmatch(cell)
    if not match or match.group(2) not in _PREFIXES:
        return Assertion("equals", cell)
    kind = _ALIASES.get(match.group(2), match.group(2))
    return Assertion(f"{match.group(1) or ''}{kind}", match.group(3).strip())
