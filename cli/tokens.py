"""``costopt tokens``: tokens and money of raw file text, like ``wc``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import ConfigFile, Format, NoColor, Output, Quiet, choose_format
from .output import check_output, emit

if TYPE_CHECKING:
    from ..core.config import Config
    from ..costs.rawfiles import Passed
    from ..costs.tally import Meter

_SHOWN = 10


def tokens(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH...|-", help="Files, folders, or - for standard input."),
    ],
    target: Annotated[
        list[str] | None,
        typer.Option(
            "--target",
            "-t",
            metavar="NAME|provider:model",
            help="Count for this model; may be repeated. Also a tokenizer such as o200k_base. "
            "Default: openai:gpt-5.4-mini.",
        ),
    ] = None,
    format: Format = None,
    output: Output = None,
    config: ConfigFile = None,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Count tokens and money of files, as they are, like wc.

    Money is what 1,000 requests with the file as input cost, before any answer. Counts are exact
    for models with a public tokenizer; others are estimated, and marked with a tilde. Folders are
    searched recursively. No network, no key.
    """
    del no_color  # The table has no colours; the option is one that all commands take.
    from ..core.config import load_config
    from ..core.errors import CostoptError
    from ..costs.rawfiles import Passed, RawText, read_all
    from ..costs.tally import tally
    from ..reports.tokens import show_tally

    settings = load_config(config, Path.cwd())
    chosen = choose_format(format, output, settings.defaults.get("format"))
    check_output(output)
    meters = [_meter(name, settings) for name in dict.fromkeys(target or _default_targets())]
    found = list(read_all(paths))
    texts = [item for item in found if isinstance(item, RawText)]
    passed = [item for item in found if isinstance(item, Passed)]
    if not quiet and not settings.defaults.get("quiet"):
        _say_passed(passed)
    if not texts:
        raise CostoptError("nothing to count", hint="name files of text, or folders with some")
    emit(show_tally(tally(texts, meters), chosen), output)


def _default_targets() -> list[str]:
    """Return what counts where the user names nothing."""
    from ..costs.prices import default_priced_as

    return [default_priced_as()]


def _meter(name: str, settings: "Config") -> "Meter":
    """Return what counts for a target of the configuration, or a model."""
    from ..costs.prices import default_priced_as, price_for
    from ..costs.tally import Meter
    from ..costs.tokens import counter_for

    known = settings.targets.get(name)
    if known is None:
        ref = default_priced_as(name) if name == "embedded" else name
        label = f"{name} (priced as {ref})" if name == "embedded" else name
        return Meter(label, counter_for(ref), price_for(ref))
    ref = known.priced_as or known.model or name
    overrides = known.price
    if known.usd_per_hour is not None:
        overrides = {"usd_per_hour": known.usd_per_hour}
    return Meter(name, counter_for(ref), price_for(ref, overrides=overrides))


def _say_passed(passed: "list[Passed]") -> None:
    """Say on standard error what was not counted."""
    from ..reports.safe import clean

    hidden = sum(item.reason == "hidden" for item in passed)
    others = [item for item in passed if item.reason != "hidden"]
    for item in others[:_SHOWN]:
        print(f"skipped {clean(item.path)}: {clean(item.reason)}", file=sys.stderr)
    if len(others) > _SHOWN:
        print(f"skipped {len(others) - _SHOWN} more files", file=sys.stderr)
    if hidden:
        print(f"skipped {hidden} hidden", file=sys.stderr)
