"""Options of `costopt usage`."""

from pathlib import Path
from typing import Annotated

import typer

SHOWN = 20
"""Groups in a table, unless the user says how many."""

Logs = Annotated[
    list[str],
    typer.Argument(
        metavar="LOG...|-",
        help="Files, globs, folders, or - for standard input.",
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
        help=f"Show the N dearest groups. Default: {SHOWN} in a table, all in JSON.",
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
StoredReport = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="FILE",
        help="A saved report of analyze with several targets: how good cheaper models are.",
        show_default=False,
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
