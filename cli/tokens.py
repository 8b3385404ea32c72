"""``costopt tokens``: tokens and money of raw file text, like ``wc``."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import ConfigFile, Format, NoColor, Output, Quiet, choose_format
from .output import check_output, emit

if TYPE_CHECKING:
    from ..core.configured import Config
    from ..core.protocols import TokenCounter
    from ..costs.rawfiles import Passed
    from ..costs.tally import Meter

_SHOWN = 10
_EMBEDDED = "embedded"


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
            "Default: the configuration's, else openai:gpt-5.4-mini.",
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
    found = list(read_all(paths))
    texts = [item for item in found if isinstance(item, RawText)]
    passed = [item for item in found if isinstance(item, Passed)]
    if not quiet and not settings.defaults.get("quiet"):
        _say_passed(passed)
    if not texts:
        raise CostoptError("nothing to count", hint="name files of text, or folders with some")
    names = dict.fromkeys(target or settings.defaults.get("target") or _default_targets())
    with ExitStack() as closing:
        meters = [_meter(name, settings, closing) for name in names]
        shown = show_tally(tally(texts, meters), chosen)
    emit(shown, output)


def _default_targets() -> list[str]:
    """Return what counts where the user names nothing."""
    from ..costs.prices import default_priced_as

    return [default_priced_as()]


def _meter(name: str, settings: "Config", closing: ExitStack) -> "Meter":
    """Return what counts for a target of the configuration, the embedded one, or a model."""
    from ..costs.prices import default_priced_as, price_for
    from ..costs.tally import Meter
    from ..costs.tokens import counter_for

    known = settings.targets.get(name)
    if known is None and name != _EMBEDDED:
        return Meter(name, counter_for(name), price_for(name))
    model = (known.model if known else None) or name
    counter = _embedded(closing) if name == _EMBEDDED else counter_for(model)
    overrides = known.price if known else None
    if known and known.usd_per_hour is not None:
        overrides = {"usd_per_hour": known.usd_per_hour}
    if overrides is not None:
        return Meter(name, counter, price_for(model, overrides=overrides))
    priced_as = known.priced_as if known else None
    if priced_as is None and name == _EMBEDDED:
        priced_as = default_priced_as(name)
    if priced_as is not None:
        return Meter(name, counter, price_for(priced_as), counter_for(priced_as))
    # Who serves a model from an address of one's own is not paid its list price.
    local = known is not None and known.base_url is not None
    return Meter(name, counter, None if local else price_for(model))


def _embedded(closing: ExitStack) -> "TokenCounter":
    """Return the embedded model's own tokenizer."""
    import asyncio

    from ..core.errors import CostoptError
    from ..models.embedded import EmbeddedTarget
    from ..models.weights import weights_path

    weights = weights_path()
    if weights is None:
        raise CostoptError(
            "the embedded model counts with its own tokenizer, and is not here yet",
            hint="run: costopt models pull",
        )
    target = EmbeddedTarget(weights)
    closing.callback(lambda: asyncio.run(target.close()))
    return target.counter


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
