"""Isolation of every test, the sample report, and golden files."""

import difflib
import os
import socket
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import settings

from costopt.core.money import Regimes
from costopt.core.report import (
    CostInfo,
    Delta,
    EvalSetInfo,
    Finding,
    Latency,
    PriceInfo,
    PromptReport,
    Quality,
    QualityDelta,
    Recommendation,
    Report,
    Runtime,
    Skipped,
    Spent,
    StrategyInfo,
    TargetInfo,
    Tokens,
    VariantReport,
)
from costopt.core.types import GenerationSettings, Message

# In CI the examples are the same every time, so that a red run is about the change; elsewhere
# every run looks for new ones. Machines are shared: no example has a time limit.
settings.register_profile("costopt", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("costopt")

_KEYS = ("_API_KEY", "_API_TOKEN", "_ACCESS_KEY")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-goldens", action="store_true", help="write golden files anew instead of comparing"
    )


@pytest.fixture(autouse=True)
def _isolated(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """No keys, no colour settings, and no network but loopback.

    The cache folder stays the user's: the embedded model's weights are there.
    """
    for name in list(os.environ):
        if name.upper().endswith(_KEYS) or name.startswith("COSTOPT_"):
            monkeypatch.delenv(name)
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "TERMINAL_WIDTH", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    if request.node.get_closest_marker("embedded") is None:
        _loopback_only(monkeypatch)


def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else "localhost"
        if str(host) not in ("localhost", "127.0.0.1", "::1"):
            raise AssertionError(f"a test opens a connection to {host}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with ``golden/NAME`` beside the test; a unified diff on a miss."""
    folder = request.path.parent / "golden"

    def check(name: str, text: str) -> None:
        file = folder / name
        if request.config.getoption("--update-goldens"):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode("utf-8"))
            return
        expected = file.read_bytes().decode("utf-8") if file.exists() else ""
        diff = difflib.unified_diff(
            expected.splitlines(keepends=True),
            text.splitlines(keepends=True),
            f"golden/{name}",
            "now",
        )
        if text != expected:
            pytest.fail("".join(diff) + "\n(accept with: pytest --update-goldens)", pytrace=False)

    return check


def make_variant(name: str, *, text: str = "Say {{ x }}.", **changes: object) -> VariantReport:
    """Return a variant with plausible numbers; ``changes`` replaces fields."""
    values: dict[str, object] = {
        "target": "embedded",
        "name": name,
        "strategies": (),
        "messages": (Message("user", text),),
        "chat": False,
        "settings": GenerationSettings(),
        "tokens": Tokens(template=600, tokenizer="smollm2", exact=True, input_mean=812.25),
        "cost": cost("0.1234"),
        "verdict": "not measured",
    }
    return VariantReport(**{**values, **changes})  # type: ignore[arg-type]


def cost(usd_per_1k: str, calls: int = 420_000) -> CostInfo:
    money = Decimal(usd_per_1k)
    return CostInfo(
        usd_per_1k=money,
        usd_per_month=money * calls / 1000,
        regimes=Regimes(cold=money, batch=money / 2),
        evidence="estimated",
    )


def delta(saving: float, mean: float, low: float, high: float, n: int = 40) -> Delta:
    quality = QualityDelta(mean=mean, low=low, high=high, n=n, margin=0.05, confidence=0.975)
    return Delta(input_tokens=-saving, output_tokens=0.0, usd_per_1k=-saving, quality=quality)


def strategies(name: str, side: str = "input", safety: str = "lossless") -> tuple[StrategyInfo]:
    return (StrategyInfo(name=name, params={}, side=side, safety=safety),)  # type: ignore[arg-type]


def _tokens(mean: float, output: float | None = 11.5, template: int = 600) -> Tokens:
    return Tokens(
        template=template, tokenizer="smollm2", exact=True, input_mean=mean, output_mean=output
    )


def _measured_prompt() -> PromptReport:
    def quality(mean: float, failures: int = 0) -> Quality:
        return Quality(metric="accuracy", mean=mean, n=40 - failures, failures=failures)

    variants = (
        make_variant(
            "baseline",
            verdict="baseline",
            tokens=_tokens(812.25),
            quality=quality(0.725),
            latency=Latency(p50_s=1.234, p95_s=2.5, output_tokens_per_s=55.0),
            pareto=True,
        ),
        make_variant(
            "whitespace+filler",
            verdict="holds",
            strategies=strategies("whitespace") + strategies("filler", safety="lossy"),
            tokens=_tokens(640, template=450),
            cost=cost("0.0982"),
            quality=quality(0.725),
            delta=delta(0.2042, 0.0, -0.041, 0.041),
            latency=Latency(p50_s=1.1, p95_s=2.25),
            dropped=("at most 3 lines",),
            pareto=True,
            notes=("rate: requested 0.7, achieved 0.79",),
        ),
        make_variant(
            "answer-only",
            verdict="better",
            strategies=strategies("answer-only", "output", "lossy"),
            tokens=_tokens(820, 4.0),
            cost=cost("0.1301"),
            quality=quality(0.85),
            delta=delta(-0.054, 0.125, 0.02, 0.23),
        ),
        make_variant(
            "llmlingua:rate=0.5",
            verdict="worse",
            strategies=strategies("llmlingua", safety="lossy"),
            tokens=_tokens(410, 60.0),
            cost=cost("0.1345"),
            quality=quality(0.5, failures=2),
            runtime=Runtime(
                tokens_before_mean=512.5,
                tokens_after_mean=301.25,
                seconds_mean=1.375,
                n=40,
                pays_below_tokens_per_s=153.6,
            ),
            delta=Delta(
                input_tokens=-0.495,
                output_tokens=4.2,
                usd_per_1k=0.09,
                quality=delta(0, -0.225, -0.331, -0.122, 38).quality,
            ),
        ),
        make_variant(
            "repeated-rule",
            verdict="not enough data",
            tokens=_tokens(770),
            cost=cost("0.1170"),
            quality=quality(0.7),
            delta=delta(0.0518, -0.025, -0.083, 0.033),
            samples_needed=103,
        ),
        make_variant("token-budget", verdict="not measured", cost=CostInfo()),
        make_variant(
            "none",
            verdict="holds",
            control=True,
            tokens=_tokens(812.25),
            quality=quality(0.725),
            delta=delta(0.0, 0.0, -0.01, 0.01),
        ),
        make_variant(
            "empty-variables",
            verdict="worse",
            control=True,
            tokens=_tokens(590),
            cost=cost("0.0890"),
            quality=quality(0.1),
            delta=delta(0.2788, -0.625, -0.8, -0.4),
        ),
        make_variant("json-minify", rejected="no change"),
        make_variant("table-compact", rejected="no change"),
        make_variant("filler", rejected='the guard: lost the limit "at most 3 lines" (line 12)'),
    )
    return PromptReport(
        name="support-triage",
        path="prompts/support-triage/prompt.md",
        format="markdown",
        feature="Helpdesk Inbox Routing",
        calls_per_month=420_000,
        eval_set=EvalSetInfo(
            path="prompts/support-triage/evals.jsonl",
            rows=60,
            sha256="ab" * 32,
            selection_rows=6,
            confirmation_rows=40,
        ),
        findings=(
            Finding(
                code="CO104",
                name="filler",
                line=12,
                column=3,
                message="wordy: in order to",
                tokens=14,
                end_line=12,
                end_column=14,
                usd_per_1k=Decimal("0.0021"),
                usd_per_month=Decimal("0.882"),
            ),
            Finding(
                code="CO101", name="whitespace", line=3, column=1, message="blank lines", tokens=20
            ),
        ),
        variants=variants,
        recommended=(
            Recommendation(
                target="embedded",
                variant="whitespace+filler",
                reason="the cheapest variant that holds: 20.4% of the cost per request saved",
            ),
        ),
        notes=("llmlingua is not installed: pip install 'costopt[llmlingua]'",),
    )


def _undecided_prompt() -> PromptReport:
    settings = GenerationSettings(max_output_tokens=64, stop=("\n",), seed=3)
    chat = (Message("system", "Be brief."), Message("user", "{{ notes }}"))
    baseline = make_variant(
        "baseline",
        verdict="baseline",
        messages=chat,
        chat=True,
        settings=settings,
        cost=CostInfo(evidence="list"),
        quality=Quality(metric="log_likelihood", mean=-1.234, n=48, failures=0),
    )
    gain = QualityDelta(mean=-0.02, low=-0.13, high=0.09, n=48, margin=0.1, confidence=0.95)
    shorter = make_variant(
        "whitespace",
        verdict="not enough data",
        messages=chat,
        chat=True,
        cost=CostInfo(evidence="list"),
        tokens=_tokens(700.0, None),
        quality=Quality(metric="log_likelihood", mean=-1.254, n=48, failures=0),
        delta=Delta(input_tokens=-0.138, quality=gain),
        samples_needed=111,
    )
    return PromptReport(
        name="meeting-notes",
        path="prompts/meeting-notes/prompt.prompt",
        format="dotprompt",
        feature=None,
        calls_per_month=None,
        eval_set=EvalSetInfo(
            path="prompts/meeting-notes/evals.jsonl",
            rows=48,
            sha256="cd" * 32,
            selection_rows=48,
            confirmation_rows=0,
        ),
        findings=(),
        variants=(baseline, shorter),
        recommended=(
            Recommendation(
                target="embedded",
                variant="baseline",
                reason="no cheaper variant was shown not worse on these rows",
            ),
        ),
    )


@pytest.fixture
def sample_report() -> Report:
    """A report with every verdict, an unknown price, a skipped file, findings and controls."""
    price = PriceInfo(
        input=Decimal("0.15"),
        output=Decimal("0.60"),
        cache_read=Decimal("0.075"),
        as_of="2026-10-01",
        source="genai-prices",
    )
    return Report(
        costopt_version="0.1.0",
        created="2026-11-20T10:00:00+00:00",
        seed=0,
        partial=False,
        targets=(
            TargetInfo(
                name="embedded",
                model="SmolLM2-135M-Instruct",
                priced_as="openai:gpt-4.1-mini",
                price=price,
            ),
        ),
        spent=Spent(requests=812, cached_answers=40, input_tokens=181_203, output_tokens=4_302),
        skipped=(
            Skipped(path="prompts/broken.yaml", line=4, reason="broken YAML: mapping expected"),
            Skipped(path="prompts/logo.png", line=None, reason="not a text file"),
        ),
        prompts=(_measured_prompt(), _undecided_prompt()),
    )


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
