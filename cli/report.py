"""``costopt report``: a saved report or check in another format, or a report at other prices."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..core.errors import CostoptError, Where
from .options import (
    CHECK_FORMATS,
    REPORT_FORMATS,
    CheckFormat,
    ConfigFile,
    Debug,
    NoColor,
    Output,
    RunDir,
    choose_format,
)

if TYPE_CHECKING:
    from ..core.configured import Config
    from ..core.report import Report
    from ..core.samples import SampleSource
    from ..evals.repricing import Wanted

MAX_BYTES = 256 * 1024 * 1024


def report(
    file: Annotated[Path, typer.Argument(metavar="REPORT.json", help="A saved report, or -.")],
    prices: Annotated[
        str | None,
        typer.Option(
            "--prices",
            metavar="FILE|DATE",
            help="Price it anew: a TOML file with a table for each provider:model, or list prices "
            "of a day.",
            show_default=False,
        ),
    ] = None,
    price_date: Annotated[
        str | None,
        typer.Option(
            "--price-date",
            metavar="YYYY-MM-DD",
            help="The day of the list prices. Default: the report's.",
            show_default=False,
        ),
    ] = None,
    priced_as: Annotated[
        list[str] | None,
        typer.Option(
            "--priced-as",
            metavar="[TARGET=]provider:model",
            help="Price it as another model; texts are counted with its tokenizer.",
            show_default=False,
        ),
    ] = None,
    run_dir: RunDir = None,
    config: ConfigFile = None,
    format: CheckFormat = None,
    output: Output = None,
    no_color: NoColor = False,
    debug: Debug = False,
) -> None:
    """Show a saved report or check in another format, or a report at other prices.

    Makes no model call: the tokens and verdicts of the report stay, and what
    follows from prices is worked out anew, the recommendation too. For a model
    with other tokens the stored answers are counted again.

    \b
    Examples:
      costopt report report.json
      costopt report report.json --format markdown --output report.md
      costopt report report.json --output report.html
      costopt report check.json --format sarif --output check.sarif
      costopt report report.json --prices contract.toml
      costopt report report.json --price-date 2026-06-01
      costopt report report.json --priced-as anthropic:claude-haiku-4-5
    """  # noqa: D301 (\b keeps the lines apart)
    del debug  # read by cli.main
    from ..reports.json import from_json
    from ..reports.show import show_report
    from .output import check_output, emit, page_width, wants_colour
    from .saved_check import check_text, is_check
    from .source import read_text

    choose_format(format, output, formats=CHECK_FORMATS)
    check_output(output)
    wanted = _wanted(prices, price_date, priced_as or ())
    text = read_text(file, MAX_BYTES)
    if is_check(text):
        _refuse_prices(wanted)
        emit(check_text(file, text, format, output, no_color), output)
        return
    chosen = choose_format(format, output, formats=REPORT_FORMATS)
    try:
        found = from_json(text)
        if wanted is not None:
            found = _repriced(found, wanted, run_dir, config)
    except CostoptError as error:
        where = error.where or Where(str(file))
        raise CostoptError(error.what, where=where, hint=error.hint) from None
    colour = wants_colour(no_color, output)
    samples = _samples(found, chosen, run_dir, config)
    shown = show_report(found, chosen, width=page_width(), colour=colour, samples=samples)
    emit(shown, output)


def _refuse_prices(wanted: "Wanted | None") -> None:
    if wanted is not None:
        hint = "check again at other prices, or price the report of costopt analyze anew"
        raise CostoptError("this is a check, which is not priced anew", hint=hint)


def _samples(
    found: "Report", format: str, run_dir: Path | None, config: Path | None
) -> "SampleSource | None":
    from .samples import stored_samples

    if format != "html":
        return None
    settings, folder = _settings(config, run_dir)
    return stored_samples(found, format, settings, folder)


def _settings(config: Path | None, run_dir: Path | None) -> "tuple[Config, Path | None]":
    from ..core.config import load_config

    settings = load_config(config, Path.cwd())
    kept = run_dir or settings.defaults.get("run_dir")
    return settings, Path(kept) if kept is not None else None


def _wanted(prices: str | None, day: str | None, models: Sequence[str]) -> "Wanted | None":
    """Return the prices that were asked for; ``None`` for those of the report.

    Raises:
        CostoptError: a file or a day that cannot be read.
    """
    if prices is None and day is None and not models:
        return None
    from ..costs.price_file import read_prices
    from ..evals.repricing import Wanted

    listed = _day(prices) if prices is not None else None
    if day is not None and listed is not None:
        raise CostoptError("two days for the prices", hint="leave out --price-date")
    own = read_prices(Path(prices)) if prices is not None and listed is None else {}
    return Wanted(
        prices=own,
        on=listed or _required_day(day),
        priced_as=dict(_model(text) for text in models),
        source=f"prices of {Path(prices).name}" if own and prices else "",
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _required_day(text: str | None) -> date | None:
    found = _day(text) if text is not None else None
    if text is not None and found is None:
        raise CostoptError(f'"{text}" is no day', hint="such as --price-date 2026-11-01")
    return found


def _model(text: str) -> tuple[str, str]:
    """Return the target, "" for every one, and the model."""
    target, equals, model = text.rpartition("=")
    if ":" not in model or not all(model.partition(":")[::2]) or (equals and not target):
        hint = "such as --priced-as anthropic:claude-haiku-4-5"
        raise CostoptError(f'"{text}" is no provider:model', hint=hint)
    return target, model


def _repriced(
    found: "Report", wanted: "Wanted", run_dir: Path | None, config: Path | None
) -> "Report":
    from ..evals.recounting import Recounter
    from ..evals.repricing import reprice

    settings, folder = _settings(config, run_dir)
    return reprice(found, wanted, Recounter(seed=found.seed, config=settings, run_dir=folder))
