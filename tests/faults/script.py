"""What the fault server does with each request: rules by number, marker, path or chance."""

import hashlib
import time
from dataclasses import dataclass, field
from typing import Any

OK: dict[str, Any] = {"kind": "ok"}
_KNOWN = {"numbers", "first", "after", "every", "marker", "path", "attempts", "share"}


@dataclass(frozen=True)
class Call:
    """One request, as far as a rule may look at it; ``text`` is ``None`` before the body came."""

    number: int
    path: str
    text: str | None = None
    sha: str = ""
    attempt: int = 1


@dataclass
class Rule:
    """``do`` where everything in ``when`` is so, at most ``times`` times.

    ``when`` may hold ``numbers`` (a list), ``first`` N, ``after`` N, ``every`` N, ``marker`` (in
    the prompt's text), ``path`` (in the request's path), ``attempts`` (a list: the how-manieth
    time that this very body came), and ``share`` (of the bodies and attempts, by a hash with the
    script's seed, so that the order in which they come does not matter).
    """

    when: dict[str, Any]
    do: dict[str, Any]
    times: int | None = None
    used: int = 0

    def __post_init__(self) -> None:
        unknown = set(self.when) - _KNOWN
        if unknown:
            raise ValueError(f"a rule cannot look at {sorted(unknown)}")

    @property
    def needs_body(self) -> bool:
        return bool({"marker", "attempts", "share"} & set(self.when))

    def matches(self, call: Call, seed: int) -> bool:
        if self.times is not None and self.used >= self.times:
            return False
        when = self.when
        return (
            call.number in when.get("numbers", (call.number,))
            and call.number <= when.get("first", call.number)
            and call.number > when.get("after", 0)
            and call.number % when.get("every", 1) == 0
            and when.get("marker", "") in (call.text or "")
            and when.get("path", "") in call.path
            and call.attempt in when.get("attempts", (call.attempt,))
            and _draw(seed, call) < when.get("share", 1.0)
        )


@dataclass
class Bucket:
    """A token bucket: ``per_second`` requests, ``burst`` of them at once."""

    per_second: float
    burst: float = 1.0
    retry_after: str | None = None
    level: float = 0.0
    at: float = 0.0

    def __post_init__(self) -> None:
        self.level, self.at = self.burst, time.monotonic()

    def take(self) -> bool:
        now = time.monotonic()
        self.level = min(self.burst, self.level + (now - self.at) * self.per_second)
        self.at = now
        if self.level < 1:
            return False
        self.level -= 1
        return True


@dataclass
class Script:
    """Rules in order; the first that matches is done, else ``default``."""

    rules: list[Rule] = field(default_factory=list[Rule])
    default: dict[str, Any] = field(default_factory=lambda: dict(OK))
    limit: Bucket | None = None
    seed: int = 0
    record: bool = False

    @classmethod
    def of(cls, data: dict[str, Any]) -> "Script":
        """Return the script that JSON describes; an unknown member is an error."""
        data = dict(data)
        rules = [Rule(**rule) for rule in data.pop("rules", [])]
        limit = data.pop("limit", None)
        return cls(rules=rules, limit=Bucket(**limit) if limit else None, **data)

    def early(self, call: Call) -> dict[str, Any] | None:
        """Return what is done as soon as the head is there, before the body is read."""
        for rule in self.rules:
            kind = rule.do["kind"]
            if kind == "close_before_body" and not rule.needs_body and rule.matches(call, 0):
                rule.used += 1
                return rule.do
        return None

    def choose(self, call: Call) -> dict[str, Any]:
        """Return what is done with a whole request."""
        for rule in self.rules:
            if rule.do["kind"] != "close_before_body" and rule.matches(call, self.seed):
                rule.used += 1
                return rule.do
        if self.limit is not None and not self.limit.take():
            return {"kind": "status", "status": 429, "retry_after": self.limit.retry_after}
        return self.default


def _draw(seed: int, call: Call) -> float:
    digest = hashlib.sha256(f"{seed}:{call.sha}:{call.attempt}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
