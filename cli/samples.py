"""The answers to single rows, for what shows them."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..core.configured import Config
    from ..core.report import Report
    from ..core.samples import SampleSource


def stored_samples(
    report: "Report",
    format: str,
    config: "Config",
    run_dir: Path | None,
    *,
    in_file: str | None = None,
) -> "SampleSource | None":
    """Return what finds a report's rows in the store; ``None`` for a format without them.

    Args:
        report: The report.
        format: How it is shown.
        config: Names eval sets and metrics of prompts.
        run_dir: Where the run kept its answers; ``None`` for the cache folder.
        in_file: The variant that prompts' files hold, where that is not the baseline.
    """
    if format != "html" or report.static:
        return None
    from ..evals.stored_samples import StoredSamples

    return StoredSamples(report=report, config=config, run_dir=run_dir, in_file=in_file)
