"""The answers to single rows, for what shows them."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..core.config import Config
    from ..core.report import Report
    from ..core.samples import SampleSource


def stored_samples(
    report: "Report", format: str, config: "Config", run_dir: Path | None
) -> "SampleSource | None":
    """Return what finds a report's rows in the store; ``None`` for a format without them."""
    if format != "html" or report.static:
        return None
    from ..evals.stored_samples import StoredSamples

    return StoredSamples(report=report, config=config, run_dir=run_dir)
