"""Two prompt files: tokens, money, caches and findings side by side; quality out of the store."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from pathlib import Path

from ..core.discovery import LoadedPrompt, load_prompts
from ..core.errors import CostoptError, Where
from ..core.progress import Silent
from ..core.report import Finding, PromptReport, VariantReport
from ..core.types import PromptTemplate, Sample
from ..costs.cost import mean_request
from ..costs.prefix import prefix_tokens
from ..costs.request import MeanRequest
from .analysis import analyze
from .caching import beginning, prefix_info
from .compared_logs import LogComparison, compare_logs
from .desk import Desk
from .opening import open_desk
from .options import AnalyzeOptions
from .prepare import Prepared, prepare
from .realised import Characters, Pricing
from .stored_rows import stored_log


@dataclass(frozen=True, kw_only=True)
class Weighed:
    """One prompt at a target: tokens, and the money of 1,000 requests' input alone.

    ``input`` is the mean over the eval rows, ``None`` without any; ``prefix`` what every request
    begins with, ``cached`` whether the provider caches that, ``None`` where that is unknown.
    """

    template: int
    input: float | None
    usd_per_1k: Decimal | None
    prefix: int
    cached: bool | None


@dataclass(frozen=True, kw_only=True)
class TargetChange:
    """Both prompts at a target.

    Attributes:
        target: Its name.
        tokenizer: What counted.
        exact: Whether these are the target's own tokens.
        priced_as: The model that the money is that of, where it is not the target's own.
        floor: From how many tokens on the provider caches a prefix; ``None`` where unknown.
        warnings: What head does to the provider's cache.
        quality: Answers of both out of the store; ``None`` where there are not enough.
        unmeasured: Why quality is not measured.
    """

    target: str
    tokenizer: str
    exact: bool
    priced_as: str | None
    base: Weighed
    head: Weighed
    floor: int | None
    warnings: tuple[str, ...]
    quality: LogComparison | None
    unmeasured: str | None


@dataclass(frozen=True, kw_only=True)
class FindingChange:
    """The findings of one code in both prompts: how many, and the tokens that they are about."""

    code: str
    name: str
    base: int
    head: int
    base_tokens: int
    head_tokens: int


@dataclass(frozen=True, kw_only=True)
class PromptComparison:
    """What changed from one prompt to another.

    Attributes:
        base: The first file.
        head: The second.
        rows: How many eval rows both were filled with; 0 without any.
        eval_set: Whose they are.
        targets: Tokens, money and quality, target by target.
        findings: Findings by code, the unchanged ones too.
        settings: Settings and variables that changed, in words.
        diff: A unified diff of the messages, line by line.
        worse: Why head is worse, sentence by sentence.
        notes: What else is to be known.
    """

    base: str
    head: str
    rows: int
    eval_set: str | None
    targets: tuple[TargetChange, ...]
    findings: tuple[FindingChange, ...]
    settings: tuple[str, ...]
    diff: tuple[str, ...]
    worse: tuple[str, ...]
    notes: tuple[str, ...] = ()


def compare_prompts(base: Path, head: Path, options: AnalyzeOptions) -> PromptComparison:
    """Compare two prompt files without asking a model.

    Both are filled with the same rows: those of base, or of head where base has none.

    Args:
        base: The first file.
        head: The second.
        options: Targets, metric, margin, configuration and where answers are kept.

    Raises:
        CostoptError: a file cannot be read as one prompt, or a target is unknown.
    """
    options = replace(options, static=True, offline=True)
    old, new = _only(base), _only(head)
    rows = options.eval_set or _eval_set(old) or _eval_set(new)
    options, note = _with_rows(replace(options, eval_set=rows), old, new)
    first, second = prepare(old, options), prepare(new, options)
    reports = [_static(path, options) for path in (base, head)]
    targets = tuple(_target(name, first, second, reports, options) for name in options.targets)
    samples = first.eval_set.samples if first.eval_set and second.eval_set else ()
    return PromptComparison(
        base=base.as_posix(),
        head=head.as_posix(),
        rows=len(samples),
        eval_set=options.eval_set if samples else None,
        targets=targets,
        findings=_findings(reports[0].findings, reports[1].findings),
        settings=tuple(_settings(first.template, second.template)),
        diff=_diff(first.template, second.template),
        worse=tuple(_worse(targets)),
        notes=tuple(note),
    )


def _only(path: Path) -> LoadedPrompt:
    found = load_prompts((path,)).prompts
    if len(found) != 1:
        hint = "compare takes a file of one prompt on each side"
        what = f"the file holds {len(found)} prompts"
        raise CostoptError(what, where=Where(path.as_posix()), hint=hint)
    return found[0]


def _eval_set(prompt: LoadedPrompt) -> str | None:
    return None if prompt.eval_set is None else str(prompt.eval_set)


def _with_rows(
    options: AnalyzeOptions, old: LoadedPrompt, new: LoadedPrompt
) -> tuple[AnalyzeOptions, list[str]]:
    """Return options with rows that fill both prompts, else with none and why."""
    if options.eval_set is None:
        return options, []
    try:
        for prompt in (old, new):
            prepare(prompt, options)
    except CostoptError as error:
        asked = replace(options, eval_set=None)
        bare = [replace(one, eval_set=None) for one in (old, new)]
        for one in bare:
            prepare(one, asked)
        return asked, [f"the rows of {options.eval_set} do not fill both prompts: {error.what}"]
    return options, []


def _static(path: Path, options: AnalyzeOptions) -> PromptReport:
    return analyze(replace(options, paths=(path,)), Silent()).prompts[0]


def _target(
    name: str,
    old: Prepared,
    new: Prepared,
    reports: Sequence[PromptReport],
    options: AnalyzeOptions,
) -> TargetChange:
    desk = open_desk(name, options, Silent(), shared=None, compressor=None)
    was, now = (_baseline(report, name) for report in reports)
    pair = [(old.template, was), (new.template, now)]
    begun = [
        beginning(template, old.template, desk.counter, _request(template, row, desk))
        for template, row in pair
    ]
    info = prefix_info(begun[1], begun[0], exact=desk.counter.exact)
    quality, why = _quality(desk, old, new, options)
    cache = desk.info.cache
    return TargetChange(
        target=name,
        tokenizer=was.tokens.tokenizer,
        exact=was.tokens.exact,
        priced_as=desk.info.priced_as,
        base=_weighed(was, begun[0].tokens, begun[0].cached),
        head=_weighed(now, begun[1].tokens, begun[1].cached),
        floor=cache.floor if cache else None,
        warnings=info.warnings,
        quality=quality,
        unmeasured=why,
    )


def _baseline(report: PromptReport, target: str) -> VariantReport:
    return next(v for v in report.variants if v.target == target)


def _request(template: PromptTemplate, row: VariantReport, desk: Desk) -> MeanRequest | None:
    """Return the mean request without its answer, which is not known."""
    if desk.price is None or desk.price.usd_per_hour is not None:
        return None
    asked = row.tokens.input_mean
    return mean_request(
        input_mean=float(row.tokens.template) if asked is None else asked,
        output_mean=0.0,
        price=desk.price,
        prefix_tokens=prefix_tokens(template, desk.counter),
    )


def _weighed(row: VariantReport, prefix: int, cached: bool | None) -> Weighed:
    return Weighed(
        template=row.tokens.template,
        input=row.tokens.input_mean,
        usd_per_1k=row.cost.usd_per_1k,
        prefix=prefix,
        cached=cached,
    )


def _quality(
    desk: Desk, old: Prepared, new: Prepared, options: AnalyzeOptions
) -> tuple[LogComparison | None, str | None]:
    """Return the comparison of stored answers, or why there is none."""
    metric = options.metric or (old.metric.name if old.metric else None)
    if old.eval_set is None or new.eval_set is None:
        return None, "no eval rows"
    if metric is None:
        return None, "the eval rows have no reference"
    samples: Sequence[Sample] = old.eval_set.samples
    logs = [
        stored_log(
            one.template,
            samples,
            target=desk.name,
            config=options.config,
            run_dir=options.run_dir,
            recount=desk.counter if desk.recount else None,
        )
        for one in (old, new)
    ]
    both = logs[0].rows.keys() & logs[1].rows.keys()
    if not both:
        held = " and ".join(f"{len(log.rows)} of {name}" for log, name in zip(
            logs, ("base", "head"), strict=True))  # fmt: skip
        return None, f"the store holds answers to {held}, none to both of a row"
    price, estimated = desk.price, desk.recount
    pricings = (Pricing(name=price.ref, price=price, estimated=estimated),) if price else ()
    try:
        found = compare_logs(
            logs[0], logs[1], metric=metric, margin=_margin(old, options),
            counter=Characters(), pricings=pricings,
        )  # fmt: skip
    except CostoptError as error:
        return None, error.what
    return found, None


def _margin(prompt: Prepared, options: AnalyzeOptions) -> float | None:
    return options.margin if options.margin is not None else prompt.margin


def _findings(old: Sequence[Finding], new: Sequence[Finding]) -> tuple[FindingChange, ...]:
    names: Mapping[str, str] = {one.code: one.name for one in (*new, *old)}

    def of(found: Sequence[Finding], code: str) -> list[int]:
        return [one.tokens for one in found if one.code == code]

    return tuple(
        FindingChange(
            code=code,
            name=names[code],
            base=len(of(old, code)),
            head=len(of(new, code)),
            base_tokens=sum(of(old, code)),
            head_tokens=sum(of(new, code)),
        )
        for code in sorted(names)
    )


def _settings(old: PromptTemplate, new: PromptTemplate) -> Iterator[str]:
    """Say which settings and variables changed."""
    for item in fields(old.settings):
        was, now = getattr(old.settings, item.name), getattr(new.settings, item.name)
        if was != now:
            yield f"{item.name}: {_shown(was)}, now {_shown(now)}"
    gone = [name for name in old.variables if name not in new.variables]
    added = [name for name in new.variables if name not in old.variables]
    if gone:
        yield f"variables gone: {', '.join(gone)}"
    if added:
        yield f"variables added: {', '.join(added)}"


def _shown(value: object) -> str:
    return "none" if value in (None, ()) else str(value)


def _diff(old: PromptTemplate, new: PromptTemplate) -> tuple[str, ...]:
    """Return what changed in the messages, role by role, without a diff's header."""

    def lines(template: PromptTemplate) -> list[str]:
        found: list[str] = []
        for message in template.messages:
            found += [f"[{message.role}]"] if template.chat else []
            found += message.content.splitlines()
        return found

    changes = difflib.unified_diff(lines(old), lines(new), lineterm="", n=2)
    return tuple(changes)[2:]


def _worse(targets: Sequence[TargetChange]) -> Iterator[str]:
    """Say what is worse: measured, else the input's cost, which a template fixes."""
    for one in targets:
        if one.quality is not None and one.quality.quality is not None:
            yield from (f"{one.target}: {why}" for why in one.quality.worse)
            continue
        was, now = _size(one.base), _size(one.head)
        if now > was:
            yield f"{one.target}: input +{100 * (now / was - 1):.1f} %, and quality is not measured"


def _size(side: Weighed) -> float:
    return float(side.template) if side.input is None else side.input
