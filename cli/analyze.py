"""``costopt analyze``: prompts and eval sets in, a report out."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ..core.errors import CostoptError
from .analyze_options import (
    ENGINES,
    SEARCHES,
    Attribute,
    Batch,
    Concurrency,
    DryRun,
    Engine,
    EvalSetOption,
    Force,
    Judge,
    Lossless,
    Margin,
    MaxCost,
    MaxMinutes,
    MaxRequests,
    Metric,
    Offline,
    OutputDir,
    Paths,
    RayAddress,
    Repeats,
    Resume,
    Samples,
    Search,
    Seed,
    Static,
    Strategies,
    SuggestTargets,
    Targets,
    Wait,
    Workers,
    Write,
    Yes,
)
from .options import (
    REPORT_FORMATS,
    ConfigFile,
    Debug,
    NoColor,
    Output,
    Quiet,
    ReportFormat,
    RunDir,
    amount,
    choose_format,
)
from .writing import Writing

if TYPE_CHECKING:
    from ..core.configured import Config
    from ..core.forecast import Forecast
    from ..core.report import Report
    from ..evals.options import AnalyzeOptions

_SHOWING = frozenset({"format", "quiet", "no_color"})


@dataclass(frozen=True, kw_only=True)
class _Show:
    """How and where the report is shown."""

    format: str
    output: Path | None
    no_color: bool
    command: str
    """The command line again, without how the report is shown."""


def analyze(
    paths: Paths,
    target: Targets = None,
    strategy: Strategies = None,
    eval_set: EvalSetOption = None,
    metric: Metric = None,
    judge: Judge = None,
    repeats: Repeats = None,
    samples: Samples = None,
    margin: Margin = None,
    max_cost: MaxCost = None,
    max_requests: MaxRequests = None,
    max_minutes: MaxMinutes = None,
    search: Search = None,
    concurrency: Concurrency = None,
    dry_run: DryRun = False,
    suggest_targets: SuggestTargets = False,
    attribute: Attribute = False,
    static: Static = False,
    lossless: Lossless = False,
    offline: Offline = False,
    engine: Engine = None,
    workers: Workers = None,
    ray_address: RayAddress = None,
    batch: Batch = False,
    wait: Wait = False,
    run_dir: RunDir = None,
    resume: Resume = False,
    write: Write = False,
    yes: Yes = False,
    output_dir: OutputDir = None,
    force: Force = False,
    format: ReportFormat = None,
    output: Output = None,
    quiet: Quiet = False,
    no_color: NoColor = False,
    config: ConfigFile = None,
    seed: Seed = None,
    debug: Debug = False,
) -> None:
    """Measure which prompts can be cheaper, by how much, at what change in quality.

    Each strategy is tried on each prompt with the rows of its eval set, at
    each target, next to the unchanged prompt. Answers are kept: an
    interrupted or repeated run pays only for what is missing.

    \b
    Examples:
      costopt analyze prompts/
      costopt analyze prompts/ --static
      costopt analyze faq.md --target openai:gpt-4.1-mini --max-cost 0.50
      costopt analyze prompts/ --target openai:gpt-5.4-mini --batch
      costopt analyze faq.md --target openai:gpt-4.1-mini --dry-run
      costopt analyze faq.md --target openai:gpt-4.1 --target openai:gpt-4.1-mini
      costopt analyze prompts/ --strategy whitespace+filler --margin 0.03
      costopt analyze faq.md --attribute --strategy whitespace
      costopt analyze prompts/ --write
      costopt analyze prompts/ --output-dir variants
      costopt analyze prompts/ --format json --output report.json
      costopt analyze prompts/ --output report.html
    """  # noqa: D301 (\b keeps the lines apart)
    del resume, debug  # by construction; read by cli.main
    given = {
        "target": tuple(target) if target else None,
        "strategy": tuple(strategy) if strategy else None,
        "eval_set": eval_set,
        "metric": metric,
        "judge": judge,
        "repeats": repeats,
        "samples": samples,
        "margin": margin,
        "max_cost": amount(max_cost, "--max-cost"),
        "max_requests": max_requests,
        "max_minutes": max_minutes,
        "search": search,
        "concurrency": concurrency,
        "suggest_targets": suggest_targets or None,
        "attribute": attribute or None,
        "static": static or None,
        "lossless": lossless or None,
        "offline": offline or None,
        "engine": engine,
        "workers": workers,
        "ray_address": ray_address,
        "batch": batch or None,
        "wait": wait or None,
        "run_dir": run_dir,
        "seed": seed,
        "format": format,
        "quiet": quiet or None,
        "no_color": no_color or None,
    }
    writing = Writing(write=write, yes=yes, folder=output_dir, force=force)
    _run(tuple(paths), given, config, output, writing, dry_run)


def _run(
    paths: tuple[Path, ...],
    given: Mapping[str, Any],
    config_path: Path | None,
    output: Path | None,
    writing: Writing,
    dry_run: bool,
) -> None:
    from ..core.config import load_config
    from .output import check_output

    config = load_config(config_path, Path.cwd())
    values = {**config.defaults, **{key: v for key, v in given.items() if v is not None}}
    show = _Show(
        format=choose_format(given["format"], output, values.get("format"), REPORT_FORMATS),
        output=output,
        no_color=values.get("no_color", False),
        command=command_line("analyze", paths, given, config_path),
    )
    check_output(output)
    writing.check()
    _check_paths(paths)
    if values.get("wait") and not values.get("batch"):
        raise CostoptError("--wait waits for batches", hint="give --batch too, or leave it out")
    if values.get("batch") and values.get("attribute"):
        raise CostoptError(
            "--attribute asks in rounds, of which each in a batch would take hours",
            hint="leave --batch or --attribute out",
        )
    options = options_of(paths, values, config)
    if dry_run:
        _foresee(options, values.get("quiet", False), show)
        return
    quiet = values.get("quiet", False)
    templates = writing.templates(paths)
    report = _analyze(options, quiet, show)
    writing.write_all(report, paths, templates, quiet=quiet, no_color=show.no_color)


def command_line(
    name: str, paths: tuple[Path, ...], given: Mapping[str, Any], config: Path | None
) -> str:
    """Return a command line again, without how its result is shown."""
    import shlex

    from ..reports.safe import clean

    words = ["costopt", name, *(str(path) for path in paths)]
    shown = {key: value for key, value in given.items() if key not in _SHOWING}
    for key, value in {**shown, "config": config}.items():
        option = f"--{key.replace('_', '-')}"
        if value is True:
            words.append(option)
        elif value is not None:
            for item in value if isinstance(value, tuple) else (value,):
                words += [option, str(item)]
    return clean(shlex.join(words))


def _check_paths(paths: tuple[Path, ...]) -> None:
    from ..core.errors import Where

    for path in paths:
        if not path.exists():
            hint = "name a prompt file, or a folder of them"
            raise CostoptError("no such file or folder", where=Where(str(path)), hint=hint)


def options_of(
    paths: tuple[Path, ...], values: Mapping[str, Any], config: "Config"
) -> "AnalyzeOptions":
    """Return options from what the configuration and the command line say, by their names.

    Raises:
        CostoptError: an unknown search or engine.
    """
    from ..evals.options import AnalyzeOptions

    run_dir = values.get("run_dir")
    max_cost: Decimal | None = values.get("max_cost")
    return AnalyzeOptions(
        paths=paths,
        targets=values.get("target", ("embedded",)),
        strategies=values.get("strategy", ()),
        eval_set=values.get("eval_set"),
        metric=values.get("metric"),
        judge=values.get("judge"),
        repeats=values.get("repeats", 1),
        samples=values.get("samples"),
        margin=values.get("margin"),
        max_cost=max_cost,
        max_requests=values.get("max_requests"),
        max_minutes=values.get("max_minutes"),
        search=_known("search", values.get("search", "racing"), SEARCHES),
        concurrency=values.get("concurrency"),
        suggest_targets=values.get("suggest_targets", False),
        attribute=values.get("attribute", False),
        static=values.get("static", False),
        lossless=values.get("lossless", False),
        offline=values.get("offline", False),
        engine=_known("engine", values.get("engine", "local"), ENGINES),
        workers=values.get("workers", 2),
        ray_address=values.get("ray_address"),
        batch=values.get("batch", False),
        wait=values.get("wait", False),
        run_dir=Path(run_dir) if run_dir is not None else None,
        seed=values.get("seed", 0),
        config=config,
    )


def _known(what: str, name: str, known: tuple[str, ...]) -> str:
    from ..core.errors import nearest

    if name not in known:
        raise CostoptError(f'unknown {what} "{name}"', hint=nearest(name, known))
    return name


def _foresee(options: "AnalyzeOptions", quiet: bool, show: _Show) -> None:
    """Show what a run would ask for; no model is asked."""
    from ..evals.analysis import foresee
    from ..reports.forecast import forecast_text
    from ..reports.progress import watch
    from .output import emit

    if options.static:
        raise CostoptError(
            "--dry-run foresees what a model is asked, and --static asks none",
            hint="leave one of them out",
        )
    if show.format == "html":
        raise CostoptError("a forecast has no page", hint="--format table, json or markdown")
    with watch(quiet=quiet, colour=not show.no_color) as progress:
        found = foresee(options, progress)
    emit(forecast_text(found, show.format, options.max_cost), show.output)


def _analyze(options: "AnalyzeOptions", quiet: bool, show: _Show) -> "Report":
    from ..evals.analysis import Interrupted, analyze
    from ..reports.forecast import forecast_line
    from ..reports.progress import watch

    with watch(quiet=quiet, colour=not show.no_color) as progress:

        def foretold(found: "tuple[Forecast, ...]") -> None:
            for one in found:
                progress.note(forecast_line(one, options.max_cost))

        try:
            report = analyze(options, progress, foretold)
        except Interrupted as stopped:
            report, interrupted = stopped.report, True
        else:
            interrupted = False
    if interrupted:
        from ..core.deaf import deaf

        with deaf():
            _print(report, show, options)
        raise typer.Exit(130)
    _print(report, show, options)
    return report


def _print(report: "Report", show: _Show, options: "AnalyzeOptions") -> None:
    from ..reports.show import show_report
    from .output import emit, page_width, wants_colour
    from .samples import stored_samples

    text = show_report(
        report,
        show.format,
        width=page_width(),
        colour=wants_colour(show.no_color, show.output),
        command=show.command,
        samples=stored_samples(report, show.format, options.config, options.run_dir),
    )
    emit(text, show.output)
