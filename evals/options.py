"""What `costopt analyze` is asked to do."""

from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from ..core.configured import Config


@dataclass(frozen=True, kw_only=True)
class AnalyzeOptions:
    """What `costopt analyze` was asked to do; ``None`` is the default of contract.md."""

    paths: tuple[Path, ...]
    targets: tuple[str, ...] = ("embedded",)
    strategies: tuple[str, ...] = ()
    eval_set: str | None = None
    metric: str | None = None
    judge: str | None = None
    """The target that judges answers, for the metric ``judge``."""
    repeats: int = 1
    """How often each variant is drawn on each row, where draws can differ."""
    samples: int | None = None
    margin: float | None = None
    max_cost: Decimal | None = None
    max_requests: int | None = None
    max_minutes: float | None = None
    """After so many minutes nothing more is asked."""
    search: str = "racing"
    """``racing``, or ``exhaustive``: whether variants that are clearly out are asked on."""
    concurrency: int | None = None
    static: bool = False
    lossless: bool = False
    suggest_targets: bool = False
    attribute: bool = False
    """Whether each segment of a prompt is measured, at the first target."""
    offline: bool = False
    batch: bool = False
    wait: bool = False
    """For batches; else the run leaves when it has sent them."""
    run_dir: Path | None = None
    engine: str = "local"
    """``local``, or ``ray``: who asks the targets."""
    workers: int = 2
    """How many processes ask a target, with the engine ``ray``."""
    ray_address: str | None = None
    """The cluster's head; ``None`` starts one on this machine."""
    seed: int = 0
    config: Config = field(default_factory=Config)
