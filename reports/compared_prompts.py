"""What changed between two prompt files, as sections of a page."""

from collections.abc import Iterator

from ..evals.compared_prompts import FindingChange, PromptComparison, TargetChange, Weighed
from .compared_logs import change, money_sections, outcome, quality_sections
from .numbers import UNKNOWN, count, mean, usd
from .sections import Header, Name, Section, Words, words

_DIFF_LINES = 200


def prompt_sections(found: PromptComparison) -> tuple[Section, ...]:
    """Return the sections: each target, findings, the diff, and what it comes to."""
    rows = [words("no eval rows: the templates themselves are counted")]
    if found.eval_set is not None:
        rows = [words(f"{count(found.rows)} rows of ", Name(found.eval_set), " fill both")]
    return (
        Section(lines=tuple(rows)),
        *(section for one in found.targets for section in _target(one)),
        *_findings(found),
        *_text(found),
        outcome(found.worse, found.notes),
    )


def _target(one: TargetChange) -> Iterator[Section]:
    headers = (
        Header(text="", right=False),
        Header(text="Base"),
        Header(text="Head"),
        Header(text="Change"),
    )
    yield Section(
        heading=words("At ", Name(one.target)),
        headers=headers,
        rows=tuple(_weights(one.base, one.head)),
        lines=tuple(_said(one)),
    )
    if one.quality is not None:
        yield from quality_sections(one.quality.quality)
        yield from money_sections(one.quality.money)


def _weights(base: Weighed, head: Weighed) -> Iterator[tuple[str, ...]]:
    yield _numbers("template tokens", base.template, head.template)
    if base.input is not None and head.input is not None:
        yield _numbers("input tokens a request", base.input, head.input)
    yield _numbers("cacheable prefix tokens", base.prefix, head.prefix)
    was, now = base.usd_per_1k, head.usd_per_1k
    part = float(now / was - 1) if was and now is not None else None
    shown = UNKNOWN if part is None else change(part)
    yield "$/1k, input alone", usd(was), usd(now), shown


def _numbers(name: str, was: float, now: float) -> tuple[str, ...]:
    return name, mean(was), mean(now), change(now / was - 1 if was else None)


def _said(one: TargetChange) -> Iterator[Words]:
    exact = "" if one.exact else ", not this model's own"
    priced = ("; priced as ", Name(one.priced_as), ", estimated") if one.priced_as else ()
    yield words("counted by ", Name(one.tokenizer), exact, *priced)
    if one.floor is not None:
        yield words(f"prefixes are cached from {count(one.floor)} tokens on: {_cached(one)}")
    yield from (words("head: ", Name(warning)) for warning in one.warnings)
    if one.unmeasured is not None:
        yield words("quality not measured: ", Name(one.unmeasured))
    elif one.quality is not None:
        yield words(f"quality of {count(one.quality.paired)} rows, from stored answers")


def _cached(one: TargetChange) -> str:
    names = {True: "cached", False: "not cached", None: "unknown"}
    was, now = names[one.base.cached], names[one.head.cached]
    return f"{was} in both" if was == now else f"{was} in base, {now} in head"


def _findings(found: PromptComparison) -> Iterator[Section]:
    if not found.findings:
        return
    headers = (
        Header(text="Finding", right=False),
        Header(text="Base"),
        Header(text="Head"),
        Header(text="Base tok", rank=1),
        Header(text="Head tok", rank=1),
    )
    rows = tuple(_finding(one) for one in found.findings)
    yield Section(heading=words("Findings"), headers=headers, rows=rows)


def _finding(one: FindingChange) -> tuple[str, ...]:
    tokens = (count(one.base_tokens), count(one.head_tokens))
    return Name(f"{one.code} {one.name}"), count(one.base), count(one.head), *tokens


def _text(found: PromptComparison) -> Iterator[Section]:
    if not found.diff and not found.settings:
        yield Section(heading=words("Text"), lines=(words("no change"),))
        return
    more = len(found.diff) - _DIFF_LINES
    lines = [words(Name(text)) for text in found.settings]
    lines += [words(f"{count(more)} more lines of the diff are in the JSON")] if more > 0 else []
    yield Section(heading=words("Text"), lines=tuple(lines), diff=found.diff[:_DIFF_LINES])
