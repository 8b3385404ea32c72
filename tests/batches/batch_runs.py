"""Runs over the batch server, and a handle on it."""

import asyncio
import json
import subprocess
import urllib.request
from decimal import Decimal
from pathlib import Path
from typing import Any

from costopt.core.types import GenerationSettings, Message, Request
from costopt.costs.prices import Price, cost_of, price_for
from costopt.models.batch_client import BatchClient
from costopt.models.batches.anthropic import AnthropicBatches
from costopt.models.batches.journal import BatchJournal
from costopt.models.batches.openai import OpenAIBatches
from costopt.models.batches.opening import BatchOnly
from costopt.models.spending import Spending
from costopt.models.store import AnswerStore

KEY = "canary-key-4711"
PRICE = price_for("x", overrides={"input": 1, "output": 4})


class BatchServer:
    """A handle on the server's process."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        assert process.stdout is not None
        self.root = f"http://127.0.0.1:{process.stdout.readline().strip()}"
        self.url = f"{self.root}/v1"

    def script(self, *batches: dict[str, Any], anew: bool = False, **server: Any) -> None:
        """Say what happens to the next batches, and what holds for the server."""
        data = json.dumps({"batches": batches, "server": server, "anew": anew}).encode()
        urllib.request.urlopen(f"{self.root}/script", data, timeout=10).close()

    def ledger(self) -> dict[str, Any]:
        """All that it served."""
        with urllib.request.urlopen(f"{self.root}/ledger", timeout=10) as response:
            return json.load(response)

    def stop(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.communicate()


def question(country: str = "France", replicate: int = 0) -> Request:
    return Request(
        messages=(Message("user", f"What is the capital of {country}?"),),
        settings=GenerationSettings(max_output_tokens=8),
        replicate=replicate,
    )


class Run:
    """One run over a folder: what a process would hold, and what it said."""

    def __init__(
        self,
        folder: Path,
        server: BatchServer,
        *,
        style: str = "chat",
        wait: bool = False,
        max_usd: str | None = None,
        max_requests: int | None = None,
        price: Price | None = PRICE,
    ) -> None:
        self.said: list[str] = []
        self.store = AnswerStore(folder)
        self.journal = BatchJournal(folder)
        self.spending = Spending(
            max_usd=None if max_usd is None else Decimal(max_usd), max_requests=max_requests
        )
        if style == "chat":
            headers = {"Authorization": f"Bearer {KEY}"}
            self.api = OpenAIBatches(server.url, "m", lambda: headers, cache_reads=True)
        else:
            headers = {"x-api-key": KEY, "anthropic-version": "2023-06-01"}
            self.api = AnthropicBatches(server.url, "m", lambda: headers)
        assert price is not None
        self.client = BatchClient(
            target=BatchOnly("mine", "m", server.url),
            api=self.api,
            store=self.store,
            journal=self.journal,
            spending=self.spending,
            price_usd=lambda usage: cost_of(usage, price),
            worst_case=lambda request: Decimal("0.001"),
            wait=wait,
            note=self.said.append,
            poll_s=0.01,
        )

    def ask(self, *requests: Request) -> list[Any]:
        """Ask all at once; return answers and errors."""

        async def work() -> list[Any]:
            try:
                asks = (self.client.ask(request) for request in requests)
                return await asyncio.gather(*asks, return_exceptions=True)
            finally:
                await self.client.close()

        return asyncio.run(work())

    def close(self) -> None:
        """Let go of the files, as the end of a process does."""
        self.store.close()
        self.journal.close()
