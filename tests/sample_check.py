"""A check as `costopt check` may find it: every status, every outcome, two findings."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from costopt.core.checked import CheckReport, Gate, PromptChange
from costopt.core.money import CostInfo, PriceInfo, Regimes
from costopt.core.report import (
    Delta,
    Finding,
    PromptReport,
    Quality,
    QualityDelta,
    Report,
    Spent,
    TargetInfo,
    Tokens,
    VariantReport,
)
from costopt.core.types import GenerationSettings, Message

PRICE = PriceInfo(
    input=Decimal("0.15"), output=Decimal("0.60"), as_of="2026-10-01", source="genai-prices"
)
TARGET = TargetInfo(name="big", model="gpt-4.1-mini", price=PRICE)


def version(
    name: str,
    tokens: float,
    output: float | None,
    usd: str | None,
    calls: int | None = 420_000,
    **changes: Any,
) -> VariantReport:
    """Return a version of a prompt at the target ``big``."""
    money = None if usd is None else Decimal(usd)
    month = None if money is None or calls is None else money * calls / 1000
    values: dict[str, Any] = {
        "target": "big",
        "name": name,
        "strategies": (),
        "messages": (Message("user", f"{name}: {{{{ x }}}}"),),
        "chat": False,
        "settings": GenerationSettings(),
        "tokens": Tokens(
            template=int(tokens) - 100,
            tokenizer="o200k_base",
            exact=True,
            input_mean=tokens,
            output_mean=output,
        ),
        "cost": CostInfo(
            usd_per_1k=money,
            usd_per_month=month,
            regimes=Regimes(cold=money),
            evidence="measured" if output else "list",
        ),
        "verdict": "baseline" if name == "baseline" else "not measured",
    }
    return VariantReport(**{**values, **changes})


def scored(mean: float) -> Quality:
    return Quality(metric="accuracy", mean=mean, n=120, failures=0)


def delta(cost: float, mean: float, low: float, high: float) -> Delta:
    found = QualityDelta(mean=mean, low=low, high=high, n=120, margin=0.05, confidence=0.95)
    return Delta(input_tokens=cost, output_tokens=0.02, usd_per_1k=cost, quality=found)


def prompt(name: str, *variants: VariantReport, calls: int | None = 420_000) -> PromptReport:
    return PromptReport(
        name=name,
        path=f"prompts/{name}/prompt.md",
        format="markdown",
        feature=None,
        calls_per_month=calls,
        eval_set=None,
        findings=(),
        variants=variants,
        recommended=(),
    )


def finding(line: int, code: str = "CO104", message: str = "wordy: in order to") -> Finding:
    return Finding(
        code=code,
        name="filler",
        line=line,
        column=3,
        end_line=line,
        end_column=14,
        message=message,
        tokens=14,
        usd_per_1k=Decimal("0.0021"),
        usd_per_month=Decimal("0.882"),
    )


DIFF = (
    "--- prompts/support-triage/prompt.md",
    "+++ prompts/support-triage/prompt.md",
    "@@ -1,3 +1,4 @@",
    " Route the ticket.",
    "-Answer with one word.",
    "+In order to be helpful, answer politely and",
    "+in whole sentences.",
    " {{ ticket }}",
)


def _prompts() -> tuple[PromptReport, ...]:
    dear = prompt(
        "support-triage",
        version("baseline", 812.25, 11.5, "0.1287", quality=scored(0.725)),
        version(
            "head", 940, 32.0, "0.1602", quality=scored(0.63), verdict="worse",
            delta=delta(0.245, -0.095, -0.141, -0.052),
        ),
    )  # fmt: skip
    unsure = prompt(
        "faq",
        version("baseline", 1502, 80.0, "0.2733", 10_000, quality=scored(0.9)),
        version(
            "head", 1203, 81.5, "0.2294", 10_000, quality=scored(0.89),
            verdict="not enough data", samples_needed=310,
            delta=delta(-0.161, -0.01, -0.083, 0.062),
        ),
    )  # fmt: skip
    better = prompt(
        "meeting-notes",
        version("baseline", 640, 200, "0.2160", None, quality=scored(0.8)),
        version(
            "head", 512, 180.25, "0.1850", None, quality=scored(0.81), verdict="holds",
            delta=delta(-0.144, 0.008, -0.021, 0.038),
        ),
        calls=None,
    )  # fmt: skip
    new = prompt("summary", version("baseline", 300, 50.0, "0.0750", 2_000))
    return dear, unsure, better, new


def _changes() -> tuple[PromptChange, ...]:
    return (
        PromptChange(
            name="support-triage", path="prompts/support-triage/prompt.md", status="modified",
            why=("text", "settings"), rows="120 rows of evals.jsonl, the base's", diff=DIFF,
            new_findings=(finding(3), finding(4, "CO101", "blank lines")),
            notes=("the head adds 12 rows to evals.jsonl; they are not part of the comparison",),
        ),
        PromptChange(
            name="faq", path="prompts/faq/prompt.md", status="renamed",
            old_path="prompts/questions/prompt.md", why=("text",), rows="120 rows of evals.jsonl",
            gone_findings=(finding(9),), diff=("@@ -1 +1 @@", "-Long text.", "+Text."),
        ),
        PromptChange(
            name="meeting-notes", path="prompts/meeting-notes/prompt.md", status="modified",
            why=("text",), diff=("@@ -1 +1 @@", "-Long notes.", "+Notes."),
        ),
        PromptChange(name="summary", path="prompts/summary/prompt.md", status="added"),
        PromptChange(name="old-thing", path="prompts/old-thing.md", status="deleted"),
    )  # fmt: skip


def _gates() -> tuple[Gate, ...]:
    triage, path = "support-triage", "prompts/support-triage/prompt.md"
    return (
        Gate(
            prompt=triage, gate="max_input_tokens", outcome="failed", limit=900, base=812.25,
            head=940, unit="tokens", target="big", path=path,
            message="a request reads 940 tokens, 40 more than max_input_tokens allows",
        ),
        Gate(
            prompt=triage, gate="quality", outcome="failed", limit=-0.05, base=0.725, head=0.63,
            unit="fraction", target="big", path=path,
            message="quality is worse by 9.5 points [−14.1, −5.2] on 120 rows, margin 5.0",
        ),
        Gate(
            prompt=triage, gate="finding", outcome="failed", limit="CO104", path=path, line=3,
            column=3, message="CO104 is new here: wordy: in order to",
        ),
        Gate(
            prompt="faq", gate="quality", outcome="inconclusive", unit="fraction", target="big",
            path="prompts/faq/prompt.md", limit=-0.05, base=0.9, head=0.89,
            message="120 rows cannot show that at most 5.0 points are lost: about 190 more would",
        ),
        Gate(
            prompt=None, gate="feature", outcome="passed", limit=900.0, base=54.05, head=67.28,
            unit="usd", message="Helpdesk costs $67.28 a month, at most $900.00",
        ),
        Gate(
            prompt="meeting-notes", gate="max_latency_p95_s", outcome="skipped", limit=2.0,
            unit="s", target="big", message="no live answer was drawn, so latency is not known",
        ),
    )  # fmt: skip


def sample_check() -> CheckReport:
    """Return a check that fails: worse, dearer, undecided, better, new, renamed and deleted."""
    report = Report(
        costopt_version="0.1.0",
        created="2026-11-20T10:00:00+00:00",
        seed=0,
        partial=False,
        targets=(TARGET,),
        spent=Spent(
            usd=Decimal("0.0412"), requests=360, cached_answers=360, input_tokens=318_500,
            output_tokens=35_100,
        ),
        skipped=(),
        prompts=_prompts(),
    )  # fmt: skip
    return CheckReport(
        base="origin/main",
        base_commit="3f2a9c1d5b7e8f60718293a4b5c6d7e8f9012345",
        head="working tree",
        depth="measured",
        depth_reason=None,
        exit=1,
        gates=_gates(),
        changes=_changes(),
        unchanged=496,
        report=report,
        notes=("limits, prices and targets are those of the base",),
    )


def passing_check() -> CheckReport:
    """Return a check of one prompt that got cheaper and holds."""
    check = sample_check()
    better = prompt(
        "meeting-notes",
        version("baseline", 640, 200, "0.2160", quality=scored(0.8)),
        version(
            "head", 512, 180.25, "0.1850", quality=scored(0.81), verdict="holds",
            delta=delta(-0.144, 0.008, -0.021, 0.038),
        ),
    )  # fmt: skip
    return replace(
        check,
        exit=0,
        gates=tuple(gate for gate in check.gates if gate.passed),
        changes=(check.changes[2],),
        report=replace(check.report, prompts=(better,)),
    )


def static_check() -> CheckReport:
    """Return the same change where no model was asked."""
    check = sample_check()
    prompts = tuple(
        replace(one, variants=tuple(map(_unmeasured, one.variants))) for one in check.report.prompts
    )
    return replace(
        check,
        depth="static",
        depth_reason="OPENAI_API_KEY is not set, and no stored answers fit these prompts",
        gates=tuple(
            replace(gate, outcome="skipped", message="quality is not measured at this depth")
            if gate.gate == "quality"
            else gate
            for gate in check.gates
        ),
        report=replace(check.report, prompts=prompts, static=True, spent=Spent()),
    )


def _unmeasured(variant: VariantReport) -> VariantReport:
    return replace(
        variant,
        verdict="baseline" if variant.verdict == "baseline" else "not measured",
        tokens=replace(variant.tokens, output_mean=None),
        quality=None,
        delta=None,
        samples_needed=None,
        cost=replace(variant.cost, evidence="list"),
    )


def nothing_changed() -> CheckReport:
    check = sample_check()
    return replace(
        check, exit=0, gates=(), changes=(), unchanged=500,
        report=replace(check.report, prompts=()), notes=(),
    )  # fmt: skip


def only_deleted() -> CheckReport:
    check = nothing_changed()
    return replace(check, changes=(sample_check().changes[-1],), unchanged=499)


def partial_check() -> CheckReport:
    """Return a check that reached its cap: nothing of the last two prompts was measured."""
    check = sample_check()
    prompts = tuple(
        replace(one, variants=tuple(map(_unmeasured, one.variants))) if at > 1 else one
        for at, one in enumerate(check.report.prompts)
    )
    return replace(
        check, report=replace(check.report, prompts=prompts, partial=True,
        notes=("the cap of $0.05 was reached",)),
    )  # fmt: skip


def large_check(many: int = 200) -> CheckReport:
    """Return a check of many changed prompts, each with a diff, findings and failed gates."""
    check = sample_check()
    one, change, gate = check.report.prompts[0], check.changes[0], check.gates[0]
    names = [f"prompt-{index:03}" for index in range(many)]
    paths = [f"prompts/{name}/prompt.md" for name in names]
    diff = (*DIFF[:3], *(f"+line {index} of a long text, with words" for index in range(60)))
    return replace(
        check,
        gates=tuple(
            replace(gate, prompt=name, path=path) for name, path in zip(names, paths, strict=True)
        ),
        changes=tuple(
            replace(change, name=name, path=path, diff=diff)
            for name, path in zip(names, paths, strict=True)
        ),
        report=replace(
            check.report,
            prompts=tuple(
                replace(one, name=name, path=path) for name, path in zip(names, paths, strict=True)
            ),
        ),
    )
