"""Promise 13: a server that answers wrongly, endlessly or not at all costs a bounded amount."""

import asyncio
import sys
import time
from collections.abc import Awaitable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fault_harness import Bench, FaultProcess, Running, variants

from costopt.core.protocols import TargetError
from costopt.core.types import GenerationSettings, Message, Request
from costopt.models.compatible import CompatibleTarget

_MOST_MB = 512
_HANG_S = 30.0  # No time is measured: past it, a request hangs.
FAULTS: dict[str, dict[str, Any]] = {
    "html": {"kind": "no_answer", "body": "html"},
    "truncated": {"kind": "no_answer", "body": "truncated_json"},
    "not-utf8": {"kind": "no_answer", "body": "invalid_utf8"},
    "empty": {"kind": "no_answer", "body": "empty"},
    "array": {"kind": "no_answer", "body": "json_array"},
    "no-choices": {"kind": "no_answer", "body": "no_choices"},
    "bomb": {"kind": "gzip_bomb"},
    "endless": {"kind": "endless"},
    "cut": {"kind": "cut"},
    "closed": {"kind": "close_after_body"},
    "redirect": {"kind": "redirect", "location": "/v1/chat/completions"},
    "negative": {"kind": "ok", "usage": "negative"},
}


def peak_mb(running: Running) -> float:
    """Watch a run to its end; return the most memory that it held."""
    most = 0
    status = Path(f"/proc/{running.pid}/status")
    while running.status is None:
        try:
            text = status.read_text()
        except OSError:
            break
        lines = [line for line in text.splitlines() if line.startswith("VmHWM:")]
        most = max([most, *(int(line.split()[1]) for line in lines)])
        time.sleep(0.02)
    return most / 1024


def _billed(bench: Bench) -> None:
    """Let the target be one with a key: what may have been paid for is not asked for again."""
    bench.env["FAULT_KEY"] = "key-0123456789"
    bench.target('price = { input = 1, output = 2 }\napi_key_env = "FAULT_KEY"')


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_twelve_protocol_faults_in_one_run(bench: Bench) -> None:
    rules = [{"when": {"marker": f"[[{name}]]"}, "do": do} for name, do in FAULTS.items()]
    bench.server.script(*rules)
    _billed(bench)
    rows = [
        {"id": name, "question": f"How? [[{name}]]", "reference": "good"}
        for name in (*FAULTS, *(f"good {n}" for n in range(12)))
    ]
    bench.prompt(rows)
    running = bench.start("--strategy", "whitespace", "--concurrency", 32, real=True)
    most = peak_mb(running)
    done = running.wait()
    baseline = variants(done.report)["baseline"]["quality"]
    assert baseline["n"] + baseline["failures"] == len(rows)
    assert baseline["failures"] >= len(FAULTS) - 1
    assert 0 < most <= _MOST_MB
    assert "Traceback" not in done.err


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
@pytest.mark.parametrize("name", FAULTS)
def test_a_protocol_fault_in_fifty_rows(bench: Bench, name: str) -> None:
    bench.server.script({"when": {"marker": "[[bad"}, "do": FAULTS[name]})
    _billed(bench)
    texts = [f"bad {n}" for n in range(50)] + [f"good {n}" for n in range(50)]
    bench.prompt(
        {"id": text, "question": f"How? [[{text}]]", "reference": "good"} for text in texts
    )
    running = bench.start("--strategy", "whitespace", "--concurrency", 32, real=True)
    most = peak_mb(running)
    baseline = variants(running.wait(600).report)["baseline"]["quality"]
    assert baseline["n"] + baseline["failures"] == 100
    assert baseline["failures"] == 50 or name == "negative"
    assert 0 < most <= _MOST_MB


@pytest.mark.parametrize("usage", ["missing", "negative"])
def test_an_answer_without_usage_is_not_free(bench: Bench, usage: str) -> None:
    bench.server.script(default={"kind": "ok", "usage": usage})
    bench.prompt(4)
    done = bench.run()
    assert done.status in (0, 2)
    if done.status == 0:
        spent = done.report["spent"]
        tokens = [entry["billed"]["completion_tokens"] for entry in bench.server.ledger()]
        assert Decimal(str(spent["usd"])) > 0
        assert spent["output_tokens"] >= len(tokens)
        assert spent["input_tokens"] >= len(tokens)


def target(server: FaultProcess, timeout_s: float = 1.0) -> CompatibleTarget:
    return CompatibleTarget(
        name="fault", model="fault-model", base_url=server.url, timeout_s=timeout_s
    )


REQUEST = Request(messages=(Message("user", "[[hello]]"),), settings=GenerationSettings())


async def _ask(asked: CompatibleTarget) -> Any:
    try:
        return await within(asked.answer(REQUEST))
    finally:
        await asked.close()


async def within(work: Awaitable[Any]) -> Any:
    async with asyncio.timeout(_HANG_S):
        return await work


@pytest.mark.parametrize("kind", ["stall", "slow_loris"])
def test_a_server_that_never_ends_meets_the_deadline(server: FaultProcess, kind: str) -> None:
    # A byte every half second: each one is soon enough, the whole answer never is.
    server.script(default={"kind": kind, "every_ms": 500})
    with pytest.raises(TargetError) as caught:
        asyncio.run(_ask(target(server)))
    assert caught.value.kind == "timeout"


@pytest.mark.parametrize("kind", ["endless", "gzip_bomb"])
def test_a_body_without_end_is_cut_off(server: FaultProcess, kind: str) -> None:
    server.script(default={"kind": kind})
    with pytest.raises(TargetError):
        asyncio.run(_ask(target(server, timeout_s=20)))
