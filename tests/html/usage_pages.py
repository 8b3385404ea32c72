"""A report of request logs with everything that its page can show."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from feature_log import featured
from injected_logs import injected

from costopt.usage.advice import Advice, advise
from costopt.usage.analysis import usage_report
from costopt.usage.opening import open_requests
from costopt.usage.report import UsageReport

_KEPT = "* EXCLUDE (usd, logged_usd)"


@dataclass(frozen=True)
class Usage:
    """What a page is made of."""

    report: UsageReport
    by_model: UsageReport
    advice: Advice


@cache
def full_usage() -> Usage:
    """Return some weeks of three features: a chat, a nightly job, and one that became dearer.

    Some requests have no price, some no time, and some lines cannot be read.
    """
    with TemporaryDirectory() as folder:
        logs = [Path(folder) / name for name in ("calm.parquet", "dear.parquet", "bad.jsonl")]
        _write(featured(days=10), logs[0], _KEPT)
        renamed = f"{_KEPT} REPLACE ('answers' AS feature)"
        dear = injected(4, "longer answers", days=18)
        _write(dear.connection, logs[1], renamed, "WHERE number % 4 = 0")
        logs[2].write_text(
            '{"id": "a", "model": "in-house", "input_tokens": 9, "output_tokens": 9,'
            ' "timestamp": "2026-10-10T00:00:00Z"}\n'
            '{"id": "b", "model": "gpt-5.4", "provider": "openai", "input_tokens": 9,'
            ' "output_tokens": 9}\n'
            "no json\n"
        )
        with open_requests([str(path) for path in logs]) as requests:
            return Usage(
                report=usage_report(requests, ("feature", "model"), times=True),
                by_model=usage_report(requests, ("model", "feature")),
                advice=advise(
                    requests.connection,
                    limits={"chat": Decimal(1), "nightly": Decimal(1000)},
                ),
            )


def _write(connection, path: Path, columns: str, where: str = "") -> None:
    numbered = "SELECT *, row_number() OVER () AS number FROM requests"
    connection.execute(
        f"COPY (SELECT {columns} FROM ({numbered}) {where}) TO '{path}' (FORMAT parquet)"
    )
