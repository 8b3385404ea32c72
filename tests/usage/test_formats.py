"""Every log format gives the same requests, to the token and to the billionth of a dollar."""

import gzip
from pathlib import Path

import pytest
import zstandard

from costopt.usage.opening import Requests, open_requests
from costopt.usage.readers import JSON_FORMATS

from .usage_logs import WRITERS, Ask, asks, usd

_COLUMNS = (
    "request_id, provider, model, feature, customer, input_tokens, coalesce(cache_read_tokens, 0), "
    "coalesce(cache_write_tokens, 0), output_tokens, coalesce(reasoning_tokens, 0), "
    'round(latency_s, 3), "at", error IS NOT NULL, usd'
)
# What a format has no field for.
_NO_WRITES = {"openai.jsonl"}


def _made(name: str, many: int = 30) -> list[Ask]:
    return asks(many, providers=("openai", "google") if name in _NO_WRITES else ())


def _rows(found: Requests) -> list[tuple[object, ...]]:
    sql = f"SELECT {_COLUMNS} FROM requests ORDER BY request_id"
    return found.connection.execute(sql).fetchall()


def _expected(found: list[Ask], name: str) -> list[tuple[object, ...]]:
    rows = [
        (
            ask.id,
            ask.provider.upper() if name.startswith("helicone") else ask.provider,
            ask.model,
            ask.feature,
            ask.customer,
            ask.input,
            ask.cache_read,
            ask.cache_write,
            ask.output,
            ask.reasoning,
            ask.latency,
            ask.at.replace(tzinfo=None),
            ask.failed,
            usd(ask),
        )
        for ask in found
    ]
    return sorted(rows, key=lambda row: str(row[0]))


@pytest.mark.parametrize("name", WRITERS)
def test_requests_are_what_was_logged_and_the_format_is_told(name: str, tmp_path: Path) -> None:
    made = _made(name)
    path = tmp_path / name
    path.write_bytes(WRITERS[name](made))
    with open_requests([str(path)]) as found:
        rows = _rows(found)
        (file,) = found.reading.files
    assert rows == _expected(made, name)
    assert file.format == name.split(".")[0]
    assert sum(usd(ask) is not None for ask in made) > 10


@pytest.mark.parametrize(
    ("name", "packing"), [("openai.jsonl", "zst"), ("plain.csv", "gz"), ("langfuse.json", "gz")]
)
def test_packed_files_are_read_whatever_they_are_called(
    name: str, packing: str, tmp_path: Path
) -> None:
    made = _made(name, 20)
    data = WRITERS[name](made)
    packed = gzip.compress(data) if packing == "gz" else zstandard.compress(data)
    path = tmp_path / f"{name}.backup"
    path.write_bytes(packed)
    with open_requests([str(path)]) as found:
        assert _rows(found) == _expected(made, name)


def test_failures_are_told_in_every_format(tmp_path: Path) -> None:
    for name in ("openai.jsonl", "litellm.jsonl", "langfuse.jsonl", "helicone.jsonl", "otel.jsonl"):
        one, other = _made(name, 2)
        path = tmp_path / name
        path.write_bytes(WRITERS[name]([one, Ask(**{**vars(other), "failed": True})]))
        with open_requests([str(path)]) as found:
            sql = "SELECT request_id, error IS NULL FROM requests ORDER BY request_id"
            rows = found.connection.execute(sql).fetchall()
        assert rows == [(one.id, True), (other.id, False)], name


def test_a_table_of_formats_has_a_test_for_each() -> None:
    assert {*JSON_FORMATS, "plain"} == {name.split(".")[0] for name in WRITERS}
