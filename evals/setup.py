"""What a measurement needs, and what comes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..compressors.base import StrategyContext
from ..compressors.variants import Chain
from ..core.types import PromptTemplate, Variant
from .choice import Comparison
from .meter import Meter
from .metrics import Metric
from .plan import RowPlan
from .racing import Dropped
from .runner import Mode, Runner


@dataclass(frozen=True, kw_only=True)
class Judge:
    """How one side's variants are judged."""

    metric: Metric
    margin: float
    mode: Mode


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What a measurement needs."""

    template: PromptTemplate
    chains: tuple[Chain, ...]
    """What the user asked for, or the default set; each is a variant."""
    join: bool
    """Whether the strategies that work are also tried together."""
    context: StrategyContext
    plan: RowPlan
    runner: Runner
    meter: Meter
    judges: Mapping[str, Judge | None]
    """By side; ``None`` where nothing can judge it."""
    race: bool = True
    """Whether variants that are clearly out leave before the last selection row."""
    together: bool = False
    """Whether all that can be asked at once is: for batches, of which each takes hours."""


@dataclass(kw_only=True)
class Measured:
    """What came of it; filled as the measurement goes, so that an interruption keeps it."""

    variants: list[Variant] = field(default_factory=list[Variant])
    comparisons: dict[str, Comparison] = field(default_factory=dict[str, Comparison])
    confirmed: set[str] = field(default_factory=set[str])
    harm_seen: dict[str, bool] = field(default_factory=dict[str, bool])
    """By metric name."""
    dropped: dict[str, Dropped] = field(default_factory=dict[str, Dropped])
    """Variants that left the race, by name."""
    notes: list[str] = field(default_factory=list[str])
    drawn_once: str | None = None
    """Why each variant is drawn once, where more was asked for."""
