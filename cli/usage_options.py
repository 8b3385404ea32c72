"""Options of `costopt usage`."""

from pathlib import Path
from typing import Annotated

import typer

SHOWN = {"table": 20, "markdown": 20, "html": 500}
"""Groups that each format shows, unless the user says how many; all in one that is not named."""

Logs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="LOG...|-",
        help="Files, globs, folders, or - for standard input.",
        show_default=False,
    ),
]
Follow = Annotated[
    Path | None,
    typer.Option(
        "--follow",
        metavar="LEDGER",
        help="Keep what was read in this DuckDB file, and read only what is new in the logs. "
        "Without LOG: report what it holds.",
        show_default=False,
    ),
]
By = Annotated[
    str,
    typer.Option(
        "--by",
        metavar="DIMENSION[,...]",
        help="Group by these: feature, endpoint, prompt, revision, model, provider, customer, "
        "day, hour, month.",
    ),
]
Since = Annotated[
    str | None,
    typer.Option("--since", metavar="TIME", help="The first moment that counts (ISO 8601)."),
]
Until = Annotated[
    str | None,
    typer.Option("--until", metavar="TIME", help="The first moment that does not count any more."),
]
LogFormat = Annotated[
    str | None,
    typer.Option(
        "--log-format",
        metavar="NAME",
        help="otel, litellm, langfuse, helicone, anthropic, openai or plain. "
        "Default: told by the first lines of each file.",
        show_default=False,
    ),
]
Prompts = Annotated[
    list[Path] | None,
    typer.Option(
        "--prompts",
        metavar="PATH",
        help="Link requests to these prompts by their text, where the log has it, and to their "
        "revisions in git.",
    ),
]
Top = Annotated[
    int | None,
    typer.Option(
        "--top",
        min=1,
        metavar="N",
        help=f"Show the N dearest groups. Default: {SHOWN['table']} in a table, {SHOWN['html']} in "
        "HTML, all in JSON.",
        show_default=False,
    ),
]
Memory = Annotated[
    int,
    typer.Option(
        "--memory",
        min=200,
        metavar="MB",
        help="What DuckDB may use before it goes to disk.",
    ),
]
StoredReports = Annotated[
    list[Path] | None,
    typer.Option(
        "--report",
        metavar="FILE",
        help="A saved report of analyze: how good its shorter prompts are, and, with several "
        "targets, cheaper models. Repeatable.",
        show_default=False,
    ),
]
Texts = Annotated[
    bool,
    typer.Option(
        "--texts",
        help="Read the texts of requests and answers too, to say what a semantic cache would save, "
        "and how often it would be wrong.",
    ),
]
FailOn = Annotated[
    str | None,
    typer.Option(
        "--fail-on",
        metavar="budget,anomaly",
        help="Exit with 1 where a monthly budget is over, or anything is abnormal.",
        show_default=False,
    ),
]
OnlyCost = Annotated[
    bool,
    typer.Option(
        "--only-cost",
        help="Leave out anomalies, budgets, what-if savings and recommendations.",
    ),
]
UpdateConfig = Annotated[
    bool,
    typer.Option(
        "--update-config",
        help="Write calls a month, cache hit rate and output length of each prompt into "
        "costopt.toml, after showing a diff; on a terminal it asks.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="With --update-config: do not ask.")]
