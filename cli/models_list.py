"""``costopt models list``: the targets that can be named, and whether each is ready."""

from pathlib import Path

from .options import ConfigFile, Debug, Format, NoColor, Output, choose_format


def list_targets(
    format: Format = None,
    output: Output = None,
    config: ConfigFile = None,
    no_color: NoColor = False,
    debug: Debug = False,
) -> None:
    """List the targets that can be named with --target, and whether each is ready."""
    del no_color, debug  # no colour here
    from ..core.config import load_config
    from ..models.listing import listed
    from ..reports.targets import show_targets
    from .output import check_output, emit

    chosen = choose_format(format, output)
    check_output(output)
    emit(show_targets(listed(load_config(config, Path.cwd())), chosen), output)
