"""What is looked at in every row before it counts: impossible values are named, never guessed."""

from . import quoting
from .ledger import COLUMNS
from .readers.spec import TEXTS

MOST_TOKENS = 100_000_000
"""More tokens in one request than any model can take."""
_EARLIEST = "1970-01-01"
"""A time before it is none: some programs write the year 1 where they have none."""
_MOST_SECONDS = 1e9
"""No request takes longer; without a bound an infinite time would be in all sums."""
TOKENS = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cache_write_1h_tokens",
)

BROKEN, OTHER, NEGATIVE, ABSURD, FUTURE, TIMELESS, NAIVE, PARTS, WORDS, EARLY = (
    1 << bit for bit in range(10)
)
"""What may be wrong with a row, as bits of its ``flags``."""

MASKED = NEGATIVE | ABSURD | FUTURE | EARLY
"""Those whose values are taken as unknown."""

SAID = {
    BROKEN: "lines that are no JSON",
    OTHER: "records that are no requests",
    NEGATIVE: "requests with a negative token count, which is taken as unknown",
    ABSURD: f"requests with a count above {MOST_TOKENS:,} tokens, which is taken as unknown",
    FUTURE: "requests dated in the future, whose time is taken as unknown",
    TIMELESS: "requests without a time that can be read",
    NAIVE: "times that name no zone, taken as UTC",
    PARTS: "requests with more cached than input tokens, or more reasoning than output, "
    "or more written for an hour than written, which are not priced",
    WORDS: "requests with a token count that is no whole number, which is taken as unknown",
    EARLY: "requests dated before 1970, whose time is taken as unknown",
}
"""Each of them in words."""


def checked_select(
    raw: str,
    source: str,
    now: str,
    *,
    link: str | None = None,
    text: bool = False,
    found: int = MASKED,
) -> str:
    """Return SQL that gives the columns of ``requests`` but ``usd``, with ``flags``.

    Args:
        raw: SQL that gives what a reader gives.
        source: The file, as the user named it.
        now: The latest time that is believed, ISO 8601 in UTC.
        link: SQL for the name of a request's prompt by its ``text``, where none is recorded.
        text: Whether to keep the texts of requests and answers.
        found: What is known to be wrong with any row, as bits: without an impossible value there
            is none to be hidden, and that takes time with many rows.
    """
    counts = ", ".join(f'TRY_CAST("{name}" AS BIGINT) AS "{name}"' for name in TOKENS)
    words = " OR ".join(_is_words(name) for name in TOKENS)
    typed = f"SELECT * REPLACE ({counts}), {words} AS words FROM ({raw})"
    special = {} if text else {name: f"NULL::VARCHAR AS {name}" for name in TEXTS}
    if link:
        special["prompt"] = f"coalesce(nullif(CAST(prompt AS VARCHAR), ''), {link}) AS prompt"
    picked = ", ".join(
        special.get(name) or _picked(name, source, now, found) for name in COLUMNS if name != "usd"
    )
    return f"SELECT {picked}, {_flags(now)} AS flags FROM ({typed})"


def _is_words(name: str) -> str:
    """Whether something stands there that is no number: "1,000" or "n/a"."""
    return (
        f'CASE WHEN "{name}" IS NOT NULL AND TRY_CAST("{name}" AS BIGINT) IS NULL '
        f"""THEN trim(CAST("{name}" AS VARCHAR)) <> '' ELSE false END"""
    )


def _picked(name: str, source: str, now: str, found: int) -> str:
    kind = COLUMNS[name]
    if name in TOKENS and not found & (NEGATIVE | ABSURD):
        return f'"{name}"'
    if name in TOKENS:
        return f'CASE WHEN "{name}" BETWEEN 0 AND {MOST_TOKENS} THEN "{name}" END AS "{name}"'
    if name == "at" and not found & (FUTURE | EARLY):
        return '"at"'
    if name == "at":
        believed = f""""at" BETWEEN TIMESTAMP '{_EARLIEST}' AND TIMESTAMP '{now}'"""
        return f'CASE WHEN {believed} THEN "at" END AS "at"'
    if name == "source":
        return f"{quoting.text(source)} AS source"
    if name == "latency_s":
        return (
            f"CASE WHEN TRY_CAST(latency_s AS DOUBLE) BETWEEN 0 AND {_MOST_SECONDS:.0f} "
            "THEN latency_s::DOUBLE END AS latency_s"
        )
    if name == "line":
        return "line"
    if kind == "VARCHAR":
        return f"""nullif(CAST("{name}" AS VARCHAR), '') AS "{name}\""""
    return f'TRY_CAST("{name}" AS {kind}) AS "{name}"'


def _flags(now: str) -> str:
    """The bits of all that is wrong with a row; nothing more is said of what is no request."""
    low = " OR ".join(f'"{name}" < 0' for name in TOKENS)
    high = " OR ".join(f'"{name}" > {MOST_TOKENS}' for name in TOKENS)
    parts = (
        "(input_tokens >= 0 AND "
        "coalesce(cache_read_tokens, 0) + coalesce(cache_write_tokens, 0) > input_tokens) "
        "OR (output_tokens >= 0 AND reasoning_tokens > output_tokens) "
        "OR coalesce(cache_write_1h_tokens, 0) > greatest(coalesce(cache_write_tokens, 0), 0)"
    )
    bits = (
        (low, NEGATIVE),
        (high, ABSURD),
        (f""""at" > TIMESTAMP '{now}'""", FUTURE),
        ('"at" IS NULL', TIMELESS),
        ('naive AND "at" IS NOT NULL', NAIVE),
        (parts, PARTS),
        ("words", WORDS),
        (f""""at" < TIMESTAMP '{_EARLIEST}'""", EARLY),
    )
    added = " + ".join(f"CASE WHEN {test} THEN {bit} ELSE 0 END" for test, bit in bits)
    return (
        f"CAST(CASE WHEN NOT valid THEN {BROKEN} WHEN NOT is_request THEN {OTHER} "
        f"ELSE {added} END AS USMALLINT)"
    )
