"""What long work tells whoever watches; the display lives in `reports`."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """How far a run is; counts are of requests."""

    phase: str
    done: int
    total: int
    failed: int = 0
    cached: int = 0
    usd: Decimal = Decimal(0)
    cap_usd: Decimal | None = None


class Progress(Protocol):
    """Watches a run."""

    def note(self, text: str) -> None:
        """Say one line."""
        ...

    def update(self, snapshot: Snapshot) -> None:
        """Show how far the requests are."""
        ...

    def download(self, what: str, done_bytes: int, total_bytes: int | None) -> None:
        """Show how far a download is."""
        ...


class Silent:
    """Watches and says nothing."""

    def note(self, text: str) -> None:
        """Ignore it."""

    def update(self, snapshot: Snapshot) -> None:
        """Ignore it."""

    def download(self, what: str, done_bytes: int, total_bytes: int | None) -> None:
        """Ignore it."""
