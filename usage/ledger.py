"""The relation that everything here works on: one row a request, whatever the log's format.

What a log does not say is NULL and never 0. Heavy work is SQL in DuckDB, which goes to disk where
it needs more memory than it was given.
"""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import CostoptError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY_MB = 1500
"""What DuckDB may use; it spills to a temporary folder beyond that."""

COLUMNS = {
    "request_id": "VARCHAR",
    "at": "TIMESTAMP",
    "provider": "VARCHAR",
    "model": "VARCHAR",
    "feature": "VARCHAR",
    "endpoint": "VARCHAR",
    "prompt": "VARCHAR",
    "revision": "VARCHAR",
    "customer": "VARCHAR",
    "input_tokens": "BIGINT",
    "cache_read_tokens": "BIGINT",
    "cache_write_tokens": "BIGINT",
    "output_tokens": "BIGINT",
    "reasoning_tokens": "BIGINT",
    "latency_s": "DOUBLE",
    "error": "VARCHAR",
    "retry": "BOOLEAN",
    "batch": "BOOLEAN",
    "logged_usd": "DECIMAL(18,9)",
    "usd": "DECIMAL(18,9)",
    "request_key": "VARCHAR",
    "prefix_blocks": "UBIGINT[]",
    "block_tokens": "INTEGER",
    "text": "VARCHAR",
    "source": "VARCHAR",
    "line": "BIGINT",
    "cache_write_1h_tokens": "BIGINT",
    "answer": "VARCHAR",
}
"""The columns of ``requests`` with their types, in order.

``at`` is UTC. ``input_tokens`` holds cache reads and writes, ``output_tokens`` the reasoning.
``error`` is NULL where the request succeeded. ``logged_usd`` is what the log says that it cost,
``usd`` what it costs by the list prices of its day or the configured ones, NULL where it is
unpriced. ``request_key`` is a hash of all that decides the answer. ``prefix_blocks`` are hashes of
blocks of the prompt, each including all before it, of ``block_tokens`` tokens. ``source`` and
``line`` say where in the logs it stands. ``cache_write_1h_tokens`` is the part of
``cache_write_tokens`` that stays for an hour. ``text`` is what was asked and ``answer`` what came
back; both are NULL unless texts are kept.
"""

_COLUMNS = ", ".join(f'"{name}" {kind}' for name, kind in COLUMNS.items())
REQUESTS = f"CREATE TABLE requests ({_COLUMNS})"
"""The table as a statement, for whoever fills one without a log.

``at`` is a word of DuckDB's own: it is written in quotes there.
"""


@contextmanager
def interruptible() -> Generator[None]:
    """Make DuckDB's word for Ctrl-C the one that is known everywhere.

    Raises:
        KeyboardInterrupt: a query was interrupted.
    """
    try:
        yield
    except RuntimeError as error:
        if str(error) != "Query interrupted":
            raise
        raise KeyboardInterrupt from error


def connect(memory_mb: int = MEMORY_MB, database: Path | None = None) -> "DuckDBPyConnection":
    """Return a DuckDB that is bounded in memory, keeps UTC and fetches nothing.

    Args:
        memory_mb: What it may use before it spills to disk.
        database: A file to keep; in memory where left out.

    Raises:
        CostoptError: DuckDB is not installed.

    Example:
        >>> connect().execute("SELECT '2026-01-01T01:00+01:00'::TIMESTAMPTZ::VARCHAR").fetchone()
        ('2026-01-01 00:00:00+00',)
    """
    try:
        import duckdb
    except ImportError:
        raise CostoptError(
            "reading logs needs DuckDB, which is not installed",
            hint="install it with: pip install 'costopt[logs]'",
        ) from None
    connection = duckdb.connect(
        str(database) if database else ":memory:",
        config={
            "memory_limit": f"{memory_mb}MB",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )
    connection.execute("SET TimeZone = 'UTC'")
    # How far a query is can be asked for; nothing is printed.
    connection.execute("SET enable_progress_bar = true")
    connection.execute("SET enable_progress_bar_print = false")
    return connection
