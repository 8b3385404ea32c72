"""``costopt usage``: what features, models and customers cost, from request logs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import ConfigFile, Format, NoColor, Output, Quiet, choose_format

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..core.types import PromptTemplate

_SHOWN = 20


def usage(
    logs: Annotated[
        list[str],
        typer.Argument(
            metavar="LOG...|-",
            help="Files, globs, folders, or - for standard input.",
            show_default=False,
        ),
    ],
    by: Annotated[
        str,
        typer.Option(
            "--by",
            metavar="DIMENSION[,...]",
            help="Group by these: feature, endpoint, prompt, revision, model, provider, customer, "
            "day, hour, month.",
        ),
    ] = "feature,model",
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="The first moment that counts (ISO 8601)."),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            "--until", metavar="TIME", help="The first moment that does not count any more."
        ),
    ] = None,
    log_format: Annotated[
        str | None,
        typer.Option(
            "--log-format",
            metavar="NAME",
            help="otel, litellm, langfuse, helicone, anthropic, openai or plain. "
            "Default: told by the first lines of each file.",
            show_default=False,
        ),
    ] = None,
    prompts: Annotated[
        list[Path] | None,
        typer.Option(
            "--prompts",
            metavar="PATH",
            help="Link requests to these prompts by their text, where the log has it.",
        ),
    ] = None,
    top: Annotated[
        int | None,
        typer.Option(
            "--top",
            min=1,
            metavar="N",
            help=f"Show the N dearest groups. Default: {_SHOWN} in a table, all in JSON.",
            show_default=False,
        ),
    ] = None,
    memory: Annotated[
        int,
        typer.Option(
            "--memory",
            min=200,
            metavar="MB",
            help="What DuckDB may use before it goes to disk.",
        ),
    ] = 1500,
    format: Format = None,
    output: Output = None,
    config: ConfigFile = None,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    r"""Say what features, models and customers cost, from request logs.

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
    """
    del no_color, quiet  # There are neither colours nor messages; all commands take these.
    from ..core.config import load_config
    from ..reports.usage import show_usage
    from ..usage.analysis import usage_report
    from ..usage.attribution import dimensions
    from ..usage.opening import open_requests
    from ..usage.periods import moment
    from .output import check_output, emit, page_width

    settings = load_config(config, Path.cwd())
    chosen = choose_format(format, output, settings.defaults.get("format"))
    check_output(output)
    grouped = dimensions(by)
    start = moment(since, "--since") if since else None
    end = moment(until, "--until") if until else None
    with open_requests(
        logs,
        targets=settings.targets,
        mapping=settings.usage_columns,
        format=_checked_format(log_format),
        templates=_templates(prompts or ()),
        memory_mb=memory,
    ) as requests:
        report = usage_report(
            requests,
            grouped,
            since=start,
            until=end,
            top=top or (None if chosen == "json" else _SHOWN),
        )
    emit(show_usage(report, chosen, width=page_width()), output)


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
