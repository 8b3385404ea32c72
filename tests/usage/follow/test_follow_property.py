"""A ledger that grew in many runs says what one reading of all logs says."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from costopt.usage.analysis import usage_report
from costopt.usage.follow import append
from costopt.usage.follow.opening import open_ledger
from costopt.usage.follow.slices import slices
from costopt.usage.opening import Requests, open_requests
from costopt.usage.report import UsageReport

_NOW = datetime(2026, 6, 1)
_COLUMNS = ("timestamp", "id", "feature", "provider", "model", "input_tokens", "output_tokens")


def _told(requests: Requests) -> tuple[UsageReport, Any]:
    report = usage_report(requests, ["feature", "model"])
    return report, sorted(
        (problem.what, problem.rows, str(problem.first)) for problem in requests.reading.problems
    )


def told_at_once(logs: list[str]) -> tuple[Any, ...]:
    """What one reading says."""
    with open_requests(logs, now=_NOW) as requests:
        return _compared(*_told(requests))


def told_by(ledger: Path, logs: list[str]) -> tuple[Any, ...]:
    """What a ledger says."""
    with open_ledger(ledger, logs, now=_NOW) as requests:
        return _compared(*_told(requests))


def _compared(report: UsageReport, problems: Any) -> tuple[Any, ...]:
    return (
        report.reading.rows,
        report.attribution.groups,
        report.attribution.total,
        report.first,
        report.last,
        problems,
        sorted((file.path, file.format, file.rows) for file in report.reading.files),
    )


_REQUESTS = st.fixed_dictionaries(
    {
        "timestamp": st.sampled_from(
            ["2026-01-02T03:04:05Z", "2026-01-03 10:00:00", "2099-01-01T00:00:00Z", "soon"]
        ),
        "id": st.one_of(st.none(), st.integers(0, 12).map("r{}".format)),
        "feature": st.sampled_from(["chat", "été", "a,b"]),
        "provider": st.just("openai"),
        "model": st.sampled_from(["gpt-4o-mini", "o3", "in-house"]),
        "input_tokens": st.sampled_from([0, 17, 1_000, -4, 10**12]),
        "output_tokens": st.integers(0, 900),
    }
)
_JSON_LINES = st.one_of(
    _REQUESTS.map(lambda one: json.dumps(one, ensure_ascii=False).encode()),
    st.sampled_from([b"", b"no json", b"[1]", b'{"event": 1}', b'{"a": "\xff"}', b"{}", b"{"]),
)
_ROWS = st.one_of(
    _REQUESTS.map(
        lambda one: ",".join(
            f'"{one[name]}"' if "," in str(one[name]) else str(one[name] or "") for name in _COLUMNS
        ).encode()
    ),
    st.sampled_from([b"a,b", b"1", b",,,,,,"]),
)


@dataclass
class _Log:
    """A log, and after which of its bytes a run looks at it."""

    name: str
    lines: list[bytes]
    cuts: list[float] = field(default_factory=list)

    @property
    def data(self) -> bytes:
        return b"".join(line + b"\n" for line in self.lines)

    def until(self, run: int) -> bytes:
        first = len(self.lines[0]) + 1  # The order of logs is that in which they came.
        return self.data[: first + int((len(self.data) - first) * self.cuts[run])]


@st.composite
def _logs(draw: st.DrawFn) -> tuple[list[_Log], int]:
    runs = draw(st.integers(1, 4))
    logs: list[_Log] = []
    for index in range(draw(st.integers(1, 3))):
        table = draw(st.booleans())
        lines = draw(st.lists(_ROWS if table else _JSON_LINES, min_size=1, max_size=12))
        first = ",".join(_COLUMNS) if table else json.dumps(dict.fromkeys(_COLUMNS, "1"))
        log = _Log(f"{index}.{'csv' if table else 'jsonl'}", [first.encode(), *lines])
        log.cuts = sorted(draw(st.floats(0, 1)) for _ in range(runs))
        logs.append(log)
    return logs, runs


def _grown(made: tuple[list[_Log], int], most: int, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(append, "slices", partial(slices, most=most))
    logs, runs = made
    with TemporaryDirectory() as folder:
        ledger = Path(folder, "l.duckdb")
        paths = [Path(folder, log.name) for log in logs]
        names = [str(path) for path in paths]
        for run in range(runs):
            for log, path in zip(logs, paths, strict=True):
                path.write_bytes(log.until(run))
            with open_ledger(ledger, names, now=_NOW):
                pass
        for log, path in zip(logs, paths, strict=True):
            path.write_bytes(log.data)
        expected = told_at_once(names)
        assert told_by(ledger, names) == expected
        assert told_by(ledger, []) == expected
        event(f"{expected[0].duplicate > 0} duplicates, {expected[0].bad > 0} bad")


# Every example opens some databases: to make one smaller takes minutes.
_PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
_CHECKS = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow)


@given(made=_logs(), most=st.sampled_from([1, 1 << 20]))
@settings(max_examples=5, deadline=None, phases=_PHASES, suppress_health_check=_CHECKS)
def test_runs_in_between_change_nothing(
    made: tuple[list[_Log], int], most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    _grown(made, most, monkeypatch)


@pytest.mark.slow
@given(made=_logs(), most=st.sampled_from([1, 300, 1 << 20]))
@settings(max_examples=150, deadline=None, phases=_PHASES, suppress_health_check=_CHECKS)
def test_many_runs_in_between_change_nothing(
    made: tuple[list[_Log], int], most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    _grown(made, most, monkeypatch)
