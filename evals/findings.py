"""What is worth a look in a prompt: where strategies save tokens, and what the rules find."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import islice
from typing import Any

from ..compressors.contexts import at_run_time
from ..compressors.registry import entries, entry
from ..core.formats import Place, reread
from ..core.ignores import Ignore, ignores
from ..core.report import Finding, PromptReport
from ..core.types import PromptTemplate, Sample, Variant
from ..costs.prefix import cache_floor
from ..costs.prices import batch_price
from .meter import Meter
from .rules import RULES, Case, Hit, Model, Rule
from .rules.base import per_1k
from .rules.oversized_model import RULE as OVERSIZED

_ROWS_READ = 50
"""Rows in which a variable has to have the same value for it to count as fixed text."""


_MOST = 200
"""The most findings of one rule in a prompt: nobody reads more, and each place takes time."""


@dataclass(frozen=True)
class Found:
    """The findings of a prompt, and the codes of those that its file silences."""

    findings: tuple[Finding, ...]
    silenced: tuple[str, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be said of what is not listed."""
        if not self.silenced:
            return ()
        return (f"findings that the file ignores: {', '.join(self.silenced)}",)


def findings(
    template: PromptTemplate, variants: Sequence[Variant], meters: Sequence[Meter]
) -> Found:
    """Return the findings of a prompt: those without a number first, then the dearest first.

    Args:
        template: The prompt, as its file and the configuration have it.
        variants: The baseline, then its variants; only single input strategies that change the
            template, and that the guard let pass, are findings.
        meters: Of every target; the first one counts and prices.
    """
    own = [variant for variant in variants[1:] if _is_finding(variant)]
    case = _case(template, meters)
    case = replace(case, said=frozenset(entry(v.chain[0].name).code for v in own))
    hits = [(rule, hit) for rule in RULES for hit in islice(rule.find(case), _MOST)]
    covered = frozenset[str]().union(*(rule.covers for rule, _ in hits))
    found = [_of_strategy(case, variants[0], variant, meters[0]) for variant in own]
    found = [one for one in found if one.code not in covered]
    return _listed([*found, *(_of_rule(case, rule, hit) for rule, hit in hits)], case.ignores)


def with_measured(
    report: PromptReport, template: PromptTemplate, meters: Sequence[Meter]
) -> PromptReport:
    """Return a prompt's report with what its comparison of several targets finds.

    Args:
        report: The prompt, with ``across``.
        template: The prompt, as its file and the configuration have it.
        meters: Of every target.
    """
    if report.across is None:
        return report
    case = replace(_case(template, meters), across=report.across)
    found = [_of_rule(case, OVERSIZED, hit) for hit in OVERSIZED.find(case)]
    listed = _listed([*report.findings, *found], case.ignores)
    notes = [note for note in listed.notes if note not in report.notes]
    return replace(report, findings=listed.findings, notes=(*report.notes, *notes))


def _is_finding(variant: Variant) -> bool:
    return (
        variant.rejected is None
        and variant.side == "input"
        and not variant.control
        and len(variant.chain) == 1
        and not at_run_time(variant.chain[0])
    )


def _case(template: PromptTemplate, meters: Sequence[Meter]) -> Case:
    parsed = reread(template)
    silenced = ignores(parsed)
    return Case(
        parsed=parsed,
        models=tuple({model.ref: model for model in map(_model, meters)}.values()),
        calls_per_month=template.calls_per_month,
        constant=_constant(template, islice(meters[0].rows, _ROWS_READ)),
        known=known_findings() if silenced else frozenset(),
        ignores=silenced,
    )


def _model(meter: Meter) -> Model:
    price = meter.price
    if price is not None and meter.batch:
        price = batch_price(price) or price
    ref = price.ref if price else ""
    return Model(
        ref=ref,
        count=meter.counter,
        input=price.input if price else None,
        cache_read=price.cache_read if price else None,
        output=price.output if price else None,
        floor=cache_floor(ref),
    )


def known_findings() -> frozenset[str]:
    """Return the codes and names that findings have.

    Example:
        >>> {"CO101", "whitespace"} <= known_findings()
        True
    """
    strategies = ((one.code, one.name) for one in entries())
    rules = ((rule.code, rule.name) for rule in RULES)
    return frozenset(name for both in (*strategies, *rules) for name in both)


def _constant(template: PromptTemplate, rows: Iterable[Sample]) -> frozenset[str]:
    values: dict[str, list[Any]] = {name: [] for name in template.variables}
    for row in rows:
        for name, found in values.items():
            found.append(row.inputs.get(name, template.defaults.get(name)))
    return frozenset(
        name
        for name, found in values.items()
        if len(found) > 1 and all(value == found[0] for value in found)
    )


def _of_strategy(case: Case, baseline: Variant, variant: Variant, meter: Meter) -> Finding:
    known = entry(variant.chain[0].name)
    tokens = meter.template_tokens(baseline.template) - meter.template_tokens(variant.template)
    place = first_change(case, variant.template)
    cost = per_1k(tokens, case.main.input)
    return Finding(
        code=known.code,
        name=known.name,
        line=place.line,
        column=place.column,
        message=f"{known.summary} ({known.safety})",
        tokens=tokens,
        usd_per_1k=cost,
        usd_per_month=_monthly(cost, case),
    )


def _of_rule(case: Case, rule: Rule, hit: Hit) -> Finding:
    start, end = case.place(hit)
    return Finding(
        code=rule.code,
        name=rule.name,
        line=start.line,
        column=start.column,
        message=hit.message,
        tokens=hit.tokens,
        end_line=end.line if end else None,
        end_column=end.column if end else None,
        usd_per_1k=hit.usd_per_1k,
        usd_per_month=_monthly(hit.usd_per_1k, case),
    )


def _monthly(usd_per_1k: Decimal | None, case: Case) -> Decimal | None:
    if usd_per_1k is None or case.calls_per_month is None:
        return None
    return usd_per_1k * case.calls_per_month / 1000


def _listed(found: Sequence[Finding], ignored: Sequence[Ignore]) -> Found:
    named = {one.code for one in ignored}
    silenced = [one for one in found if one.code in named or one.name in named]
    listed = sorted((one for one in found if one not in silenced), key=_order)
    codes = dict.fromkeys(one.code for one in sorted(silenced, key=_order))
    return Found(tuple(listed), tuple(codes))


def _order(finding: Finding) -> tuple[bool, Decimal, int, str, int, int]:
    """Put first what no number says: it would never be reached behind those that have one."""
    money = finding.usd_per_1k or Decimal(0)
    numbered = bool(finding.tokens or money)
    return numbered, -money, -finding.tokens, finding.code, finding.line, finding.column


def first_change(case: Case, after: PromptTemplate) -> Place:
    """Return where a prompt's file first differs from what a template would make of it."""
    for index, (old, new) in enumerate(zip(case.template.messages, after.messages, strict=False)):
        if old.content != new.content:
            return case.places.at(index, _common_prefix(old.content, new.content))
    return Place(case.template.source.line, 1)


def _common_prefix(left: str, right: str) -> int:
    for index, (a, b) in enumerate(zip(left, right, strict=False)):
        if a != b:
            return index
    return min(len(left), len(right))
