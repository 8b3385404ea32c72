"""``costopt usage``: what features, models and customers cost, from request logs."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from .options import (
    REPORT_FORMATS,
    ConfigFile,
    NoColor,
    Output,
    Quiet,
    ReportFormat,
    choose_format,
)
from .usage_options import (
    SHOWN,
    By,
    FailOn,
    Follow,
    LogFormat,
    Logs,
    Memory,
    OnlyCost,
    Prompts,
    Since,
    StoredReports,
    Texts,
    Top,
    Until,
    UpdateConfig,
    Yes,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from ..core.configured import Config
    from ..core.report import Report
    from ..core.types import PromptTemplate
    from ..usage.advice import Advice
    from ..usage.opening import Requests
    from ..usage.watch import Watch

_MAX_REPORT_BYTES = 256 * 1024 * 1024


def usage(
    logs: Logs = None,
    by: By = "feature,model",
    since: Since = None,
    until: Until = None,
    log_format: LogFormat = None,
    prompts: Prompts = None,
    top: Top = None,
    memory: Memory = 1500,
    report: StoredReports = None,
    texts: Texts = False,
    follow: Follow = None,
    fail_on: FailOn = None,
    only_cost: OnlyCost = False,
    update_config: UpdateConfig = False,
    yes: Yes = False,
    format: ReportFormat = None,
    output: Output = None,
    config: ConfigFile = None,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Say what features, models and customers cost, from request logs.

    Reads OpenTelemetry spans, LiteLLM, Langfuse and Helicone exports, OpenAI- and
    Anthropic-style response logs, and plain CSV, JSON lines or Parquet; gzip and
    zstd too. Every request is priced by the list prices of its own day, or by the
    prices in costopt.toml. Nothing is sent anywhere.

    \b
    Examples:
      costopt usage logs/
      costopt usage logs/*.jsonl.gz --by feature,model
      costopt usage logs/ --by day --since 2026-11-01 --until 2026-12-01
      costopt usage export.csv --log-format langfuse --format json
      costopt usage logs/ --by prompt --prompts prompts/
      costopt usage logs/ --output usage.html
      costopt usage logs/ --fail-on budget,anomaly
      costopt usage logs/ --texts --report runs/report.json
      costopt usage logs/ --follow usage.duckdb
      costopt usage logs/ --prompts prompts/ --update-config
    """  # noqa: D301 (\b keeps the lines apart)
    from ..core.config import load_config
    from ..reports.steps import steps
    from ..reports.usage import show_usage
    from ..usage.analysis import usage_report
    from ..usage.attribution import dimensions
    from ..usage.ledger import interruptible
    from ..usage.periods import moment
    from ..usage.watch import Step
    from .output import check_output, emit, page_width
    from .usage_update import Updating

    updating = Updating(update=update_config, yes=yes)
    updating.check()
    settings = load_config(config, Path.cwd())
    gates = _gates(fail_on)
    if only_cost:
        _check_only_cost(fail_on=gates, texts=texts, report=report)
    stored = _stored(report or ())
    chosen = choose_format(format, output, settings.defaults.get("format"), REPORT_FORMATS)
    check_output(output)
    grouped = dimensions(by)
    start = moment(since, "--since") if since else None
    end = moment(until, "--until") if until else None
    templates = _templates(updating.prompts(prompts))
    opening = _opening(follow, texts=texts)
    with (
        interruptible(),
        steps(quiet=quiet, colour=not no_color) as watch,
        opening(
            logs or (),
            targets=settings.targets,
            mapping=settings.usage_columns,
            format=_checked_format(log_format),
            templates=templates,
            memory_mb=memory,
            watch=watch,
        ) as requests,
    ):
        watch(Step(what="adding up what it costs"))
        found = usage_report(
            requests,
            grouped,
            since=start,
            until=end,
            top=top or SHOWN.get(chosen),
            times=chosen == "html" or (chosen == "json" and not only_cost),
        )
        advice = (
            None if only_cost else _advice(requests, settings, stored, templates, start, end, watch)
        )
        measured = updating.measured(requests, templates, settings, start, end)
    emit(show_usage(found, chosen, width=page_width(), advice=advice), output)
    updating.write(measured, settings, quiet=quiet, no_color=no_color)
    if advice is not None and advice.fails(gates):
        raise typer.Exit(1)


def _opening(
    follow: Path | None, *, texts: bool
) -> "Callable[..., AbstractContextManager[Requests]]":
    """Return what opens the logs: as they are, or with a ledger of what was read before."""
    from ..core.errors import CostoptError
    from ..usage.follow.opening import open_ledger
    from ..usage.opening import open_requests

    if follow is None:
        return partial(open_requests, text=texts)
    if texts:
        raise CostoptError("a ledger keeps no texts", hint="leave --texts or --follow out")
    return partial(open_ledger, follow)


def _gates(text: str | None) -> tuple[str, ...]:
    from ..core.errors import CostoptError, nearest

    gates = tuple(word.strip() for word in (text or "").split(",") if word.strip())
    for gate in gates:
        if gate not in ("budget", "anomaly"):
            raise CostoptError(
                f'unknown gate "{gate}" of --fail-on', hint=nearest(gate, ("budget", "anomaly"))
            )
    return gates


def _check_only_cost(**asked: object) -> None:
    """Refuse options of what is left out: they would do nothing."""
    from ..core.errors import CostoptError

    for name, value in asked.items():
        if value:
            raise CostoptError(
                f"--{name.replace('_', '-')} needs what --only-cost leaves out",
                hint="leave one of them out",
            )


def _stored(paths: "Sequence[Path]") -> "Sequence[Report]":
    if not paths:
        return ()
    from ..reports.json import from_json
    from .source import read_text

    return [from_json(read_text(path, _MAX_REPORT_BYTES)) for path in paths]


def _advice(
    requests: "Requests",
    settings: "Config",
    stored: "Sequence[Report]",
    templates: "Sequence[PromptTemplate]",
    since: "datetime | None",
    until: "datetime | None",
    watch: "Watch",
) -> "Advice":
    from ..usage.advice import advise
    from ..usage.pricing import log_price
    from ..usage.whatif.known_quality import known_quality
    from ..usage.whatif.known_variants import known_variants

    return advise(
        requests.connection,
        price_of=log_price(settings.targets),
        limits=settings.features,
        waits=settings.waits,
        known=known_quality(*stored),
        variants=known_variants(*stored),
        paths=_paths(templates),
        since=since,
        until=until,
        watch=watch,
    )


def _paths(templates: "Sequence[PromptTemplate]") -> "dict[str, list[str]]":
    """Return the files of each feature's prompts, as far as prompts say whose they are."""
    found: dict[str, list[str]] = {}
    for template in templates:
        if template.feature is not None:
            found.setdefault(template.feature, []).append(template.source.path)
    return {feature: list(dict.fromkeys(files)) for feature, files in found.items()}


def _checked_format(name: str | None) -> str | None:
    from ..core.errors import CostoptError, nearest
    from ..usage.readers import NAMES

    if name is not None and name not in NAMES:
        raise CostoptError(f'unknown log format "{name}"', hint=nearest(name, NAMES))
    return name


def _templates(paths: "Sequence[Path]") -> "Sequence[PromptTemplate]":
    if not paths:
        return ()
    from ..core.discovery import load_prompts

    return [found.template for found in load_prompts(paths).prompts]
