"""Options that several commands share."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer

from ..core.errors import CostoptError, nearest

FORMATS = ("table", "json", "markdown")
REPORT_FORMATS = (*FORMATS, "html")
"""What a report can be shown as; nothing else has a page."""
CHECK_FORMATS = (*REPORT_FORMATS, "junit", "sarif", "github")
"""What a check can be shown as."""
_SUFFIXES = {
    ".json": "json",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".sarif": "sarif",
    ".xml": "junit",
}

Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="table|json|markdown",
        help="How to show it. Default: by the suffix of --output (.json, .md), else table.",
        show_default=False,
    ),
]
ReportFormat = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="table|json|markdown|html",
        help="How to show it. Default: by the suffix of --output (.json, .md, .html), else table.",
        show_default=False,
    ),
]
CheckFormat = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="table|json|markdown|html|junit|sarif|github",
        help="How to show it. Default: by the suffix of --output (.json, .md, .html, .xml, "
        ".sarif), else table.",
        show_default=False,
    ),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write there, not to standard output."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no messages.")]
NoColor = Annotated[
    bool, typer.Option("--no-color", help="No colour (also: NO_COLOR in the environment).")
]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Read this configuration. Default: costopt.toml, or pyproject.toml's tool.costopt, "
        "from here up to the repository's root.",
        show_default=False,
    ),
]
RunDir = Annotated[
    Path | None,
    typer.Option(
        "--run-dir",
        metavar="DIR",
        help="Where a run keeps its answers. Default: the cache folder.",
        show_default=False,
    ),
]
Debug = Annotated[bool, typer.Option("--debug", help="Show a traceback with an error.")]


def choose_format(
    given: str | None,
    output: Path | None,
    default: str | None = None,
    formats: Sequence[str] = FORMATS,
) -> str:
    """Return the format to write: as given, else by the output's suffix, else the default.

    Args:
        given: What the user asked for.
        output: The file that is written.
        default: What the configuration says, for all commands; one that has it not shows a table.
        formats: What the command can write.

    Raises:
        CostoptError: an unknown format.
    """
    by_suffix = _SUFFIXES.get(output.suffix.lower()) if output else None
    if by_suffix is not None and by_suffix not in formats and given is None:
        raise CostoptError(
            f"{output} asks for {by_suffix}, which this command does not write",
            hint=f"it writes {', '.join(formats)}: name the file so, or give --format",
        )
    if default in REPORT_FORMATS and default not in formats:
        default = None
    name = given or by_suffix or default or "table"
    if name not in formats:
        raise CostoptError(f'unknown format "{name}"', hint=nearest(name, formats))
    return name


def amount(text: str | None, option: str) -> Decimal | None:
    """Return an amount in USD.

    Raises:
        CostoptError: no number, not finite, or negative.
    """
    if text is None:
        return None
    try:
        found = Decimal(text.strip().removeprefix("$"))
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or found < 0:
        what = f'{option} must be an amount in USD of 0 or more, not "{text}"'
        raise CostoptError(what, hint=f"such as {option} 0.50")
    return found
