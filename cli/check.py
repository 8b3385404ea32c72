"""``costopt check``: what a pull request does to prompts, and whether it may."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..core.errors import CostoptError
from .analyze import command_line, options_of
from .analyze_options import (
    Concurrency,
    EvalSetOption,
    Judge,
    Margin,
    MaxCost,
    MaxMinutes,
    MaxRequests,
    Metric,
    Offline,
    Repeats,
    Samples,
    Seed,
    Static,
    Targets,
)
from .options import (
    CHECK_FORMATS,
    CheckFormat,
    Debug,
    NoColor,
    Output,
    Quiet,
    RunDir,
    amount,
    choose_format,
)

if TYPE_CHECKING:
    from ..checks.check import Checked, Wanted
    from ..checks.opening import Opened
    from ..core.checked import CheckReport
    from ..evals.options import AnalyzeOptions

Paths = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="PATH...",
        help="Prompt files, or folders of them. Default: the current folder.",
        show_default=False,
    ),
]
Base = Annotated[
    str,
    typer.Option(
        "--base", metavar="REF", help="What it goes into, as git names it, such as origin/main."
    ),
]
Replay = Annotated[
    bool, typer.Option("--replay", help="Read stored answers only; no model is asked.")
]
AllowInconclusive = Annotated[
    bool,
    typer.Option("--allow-inconclusive", help="Exit with 0, not 3, where data do not decide."),
]
UpdateLock = Annotated[
    bool, typer.Option("--update-lock", help="Write costopt.lock with what was found.")
]

BaseConfig = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Read this configuration, as the base has it. Default: the base's costopt.toml, or "
        "pyproject.toml's tool.costopt, from here up to the repository's root.",
        show_default=False,
    ),
]


@dataclass(frozen=True, kw_only=True)
class _Show:
    """How and where the check is shown."""

    format: str
    output: Path | None
    quiet: bool
    no_color: bool
    command: str


def check(
    base: Base,
    paths: Paths = None,
    target: Targets = None,
    eval_set: EvalSetOption = None,
    metric: Metric = None,
    judge: Judge = None,
    repeats: Repeats = None,
    samples: Samples = None,
    margin: Margin = None,
    max_cost: MaxCost = None,
    max_requests: MaxRequests = None,
    max_minutes: MaxMinutes = None,
    concurrency: Concurrency = None,
    static: Static = False,
    replay: Replay = False,
    offline: Offline = False,
    allow_inconclusive: AllowInconclusive = False,
    update_lock: UpdateLock = False,
    run_dir: RunDir = None,
    format: CheckFormat = None,
    output: Output = None,
    quiet: Quiet = False,
    no_color: NoColor = False,
    config: BaseConfig = None,
    seed: Seed = None,
    debug: Debug = False,
) -> None:
    """Check what a change does to the cost and the quality of prompts.

    Compares the working tree with where it left REF: only prompts that
    changed, both versions on the base's eval rows. Budgets, margins, prices
    and targets are those of REF's configuration; what the change says of
    them has no effect. Without a key, stored answers are read, and where
    they do not suffice, tokens, money, findings and budgets are checked.

    Exit status: 0 nothing says no, 1 a gate says no, 2 it could not run,
    3 not enough data to decide.

    \b
    Examples:
      costopt check --base origin/main
      costopt check prompts/ --base origin/main --static
      costopt check --base HEAD~1 --target openai:gpt-4.1-mini --max-cost 0.50
      costopt check --base origin/main --format markdown --output comment.md
      costopt check --base origin/main --format github
      costopt check --base origin/main --update-lock
    """  # noqa: D301 (\b keeps the lines apart)
    del debug  # read by cli.main
    given = {
        "base": base,
        "target": tuple(target) if target else None,
        "eval_set": eval_set,
        "metric": metric,
        "judge": judge,
        "repeats": repeats,
        "samples": samples,
        "margin": margin,
        "max_cost": amount(max_cost, "--max-cost"),
        "max_requests": max_requests,
        "max_minutes": max_minutes,
        "concurrency": concurrency,
        "static": static or None,
        "replay": replay or None,
        "offline": offline or None,
        "allow_inconclusive": allow_inconclusive or None,
        "update_lock": update_lock or None,
        "run_dir": run_dir,
        "seed": seed,
        "format": format,
        "quiet": quiet or None,
        "no_color": no_color or None,
    }
    _run(tuple(paths or ()), given, config, output)


def _run(
    paths: tuple[Path, ...], given: Mapping[str, Any], config: Path | None, output: Path | None
) -> None:
    from ..checks.check import Wanted
    from ..checks.opening import opened, with_eval_set
    from .output import check_output

    if given["static"] and given["replay"]:
        raise CostoptError("--static reads no answers, and --replay does", hint="leave one out")
    check_output(output)
    wanted = Wanted(
        paths=paths,
        replay=given["replay"] or False,
        allow_inconclusive=given["allow_inconclusive"] or False,
        update_lock=given["update_lock"] or False,
    )
    with opened(given["base"], config, Path.cwd()) as both:
        if given["eval_set"] is not None:
            both = with_eval_set(both, given["eval_set"])
        defaults = both.configured.config.defaults
        values = {**defaults, **{key: v for key, v in given.items() if v is not None}}
        show = _Show(
            format=choose_format(given["format"], output, values.get("format"), CHECK_FORMATS),
            output=output,
            quiet=values.get("quiet", False),
            no_color=values.get("no_color", False),
            command=command_line("check", paths, given, config),
        )
        # Static here wins over a default of replaying, and replaying over a default of static.
        values = {**values, "static": values.get("static", False) and not wanted.replay}
        options = options_of(wanted.paths, values, both.configured.config)
        checked = _check(both, wanted, options, show)
        if checked.lock is not None and not checked.interrupted:
            _write_lock(both, checked, show)
    _finish(checked, show, options)


def _check(both: "Opened", wanted: "Wanted", options: "AnalyzeOptions", show: _Show) -> "Checked":
    from ..checks.check import check as run_check
    from ..reports.progress import watch

    with watch(quiet=show.quiet, colour=not show.no_color) as progress:
        return run_check(both, wanted, options, progress)


def _write_lock(both: "Opened", checked: "Checked", show: _Show) -> None:
    import sys

    from ..checks.lock import write_lock
    from ..checks.locking import target_file
    from .output import write_file

    file = target_file(both)
    write_file(file, write_lock(checked.lock or {}).encode())
    if not show.quiet:
        sys.stderr.write(f"{file.name} is written: commit it with the change\n")


def _finish(checked: "Checked", show: _Show, options: "AnalyzeOptions") -> None:
    if not checked.interrupted:
        _print(checked.report, show, options)
        raise typer.Exit(checked.report.exit)
    from ..core.deaf import deaf

    with deaf():
        _print(checked.report, show, options)
    raise typer.Exit(130)


def _print(report: "CheckReport", show: _Show, options: "AnalyzeOptions") -> None:
    from .output import emit, page_width, wants_colour

    if show.format == "html":
        from ..core.checked import HEAD
        from ..reports.html import check_page
        from .samples import stored_samples

        found = report.report
        samples = stored_samples(found, show.format, options.config, options.run_dir, in_file=HEAD)
        emit(check_page(report, samples), show.output)
        return
    from ..reports.checks.show import show_check

    colour = wants_colour(show.no_color, show.output)
    text = show_check(report, show.format, width=page_width(), colour=colour, command=show.command)
    emit(text, show.output)
