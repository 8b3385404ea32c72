"""Tokens of payloads under each encoding: ours against JSON, CSV, TOON and Markdown converters.

Every payload stands in a prompt between two short lines. Each peer encodes it as its own package
does by default; one that cannot hold the payload, or does not read back equal, is no peer for it
(of HTML: where the guard finds that what a reader sees is lost). Ours are chains of strategies.
Counted are prompts as they are sent, with the fence that `data-format` puts around CSV and TOON.
Ours is above the best peer, payload by payload,

- "alone": with no fence around anyone's encoding;
- "fenced": with CSV and TOON of peers in a fence as well;
- "bare": ours with its fence, the peers' without.

Exits with 1 where ours is above "alone" or "fenced".

    python benchmarks/formats.py [--data FOLDER] [--tokenizer NAME]... [--json FILE]

FOLDER holds payload_github_webhooks/, payload_tables/, payload_html/, payload_logs/, bfcl_tools/
and agent_trajectories/; what it lacks is left out. By default payloads are made from the sample
prompts. markdownify is a peer where it is installed.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from format_peers import peers, prompt, versions
from payloads import Payload, PayloadSet, payload_sets
from results import write

from costopt.compressors.base import StrategyContext
from costopt.compressors.data_blocks import all_blocks, value_of
from costopt.compressors.encodings import FORMATS, encodings, written_rows
from costopt.compressors.guard import check
from costopt.compressors.registry import get
from costopt.core.protocols import TokenCounter
from costopt.core.types import PromptTemplate
from costopt.costs.tokens import counter_for

LEGEND = """
holds: payloads that an encoding can hold; equal: that read back equal from it;
mean: tokens of a prompt; of best: tokens over those of the best peer that reads
back equal, payload by payload; the last line of each table is ours."""
FENCED = {"CSV": "csv", "TOON": "toon"}


@dataclass
class Line:
    """One encoding over a set: how many payloads it holds, and its tokens beside the best's."""

    name: str
    holds: int = 0
    equal: int = 0
    tokens: int = 0
    best: int = 0

    def add(self, tokens: int, best: int, equal: bool = True) -> None:
        """Add a payload."""
        self.holds += 1
        self.equal += equal
        self.tokens += tokens
        self.best += best


@dataclass
class Above:
    """In how many payloads a chain has more tokens than the best peer, and the worst of them."""

    payloads: int = 0
    worst: int = 0
    name: str = ""

    def add(self, name: str, more: int) -> None:
        """Add a payload with this many more tokens than the best peer's."""
        if more > 0:
            self.payloads += 1
            if more > self.worst:
                self.worst, self.name = more, name

    def __str__(self) -> str:
        return f"{self.payloads} (worst +{self.worst}: {self.name})" if self.payloads else "0"


@dataclass
class Result:
    """What came of one set."""

    title: str
    payloads: int
    peers: dict[str, Line] = field(default_factory=dict)
    chains: dict[str, Line] = field(default_factory=dict)
    above: dict[str, dict[str, Above]] = field(default_factory=dict)
    before: int = 0
    refused: int = 0


def body_of(template: PromptTemplate) -> str:
    """Return what stands between the prompt's own two lines."""
    return template.text.removeprefix("Known:\n\n").removesuffix("\n\nEnd.")


def fenced(name: str, text: str) -> str:
    """Return a peer's encoding in the fence that tells which it is, where ours has one."""
    return f"```{FENCED[name]}\n{text}\n```" if name in FENCED else text


def applied(chain: str, payload: Payload, context: StrategyContext) -> list[PromptTemplate]:
    """Return the prompt before a chain of strategies, and after each of them."""
    steps = [prompt(payload.text)]
    for name in chain.split("+"):
        steps.append(get(name).apply(steps[-1], context))
    return steps


def refused(chain: str, steps: list[PromptTemplate]) -> bool:
    """Whether the guard refuses what any strategy of a chain made."""
    return any(
        check(before, after, one.safety, one.side, one.rewrites).rejected
        for one, (before, after) in zip(map(get, chain.split("+")), pairwise(steps), strict=True)
    )


def alone(chain: str, steps: list[PromptTemplate], cost: Callable[[str], int]) -> int:
    """Return the tokens of a chain's encoding with no fence around it, and chosen so."""
    least = cost(body_of(steps[-1]))
    if not chain.endswith("data-format"):
        return least
    blocks = all_blocks(body_of(steps[-2]))
    try:
        value = value_of(blocks[0]) if blocks else None  # the whole, whatever is in its cells
    except ValueError:  # a ragged table, which stays one
        value = None
    if value is None:
        return least
    if blocks[0].kind == "table":
        return min(least, cost(written_rows(value)))
    return min([least, *(cost(text) for kind in FORMATS for text in encodings(value, kind))])


def measure(one: PayloadSet, count: TokenCounter) -> Result:
    """Count every payload of a set under every encoding."""

    def cost(body: str) -> int:
        return count(prompt(body).text)

    context = StrategyContext(count=count)
    result = Result(one.title, len(one.payloads))
    for payload in one.payloads:
        result.before += cost(payload.text)
        encoded = peers(payload, one.kind)
        held = {name: cost(peer.text) for name, peer in encoded.items() if peer.equal}
        best = min(held.values())
        best_fenced = min(cost(fenced(name, encoded[name].text)) for name in held)
        for name, peer in encoded.items():
            line = result.peers.setdefault(name, Line(name))
            line.add(cost(peer.text), best, peer.equal)
        for chain in one.chains:
            steps = applied(chain, payload, context)
            tokens, free = count(steps[-1].text), alone(chain, steps, cost)
            result.chains.setdefault(chain, Line(chain)).add(tokens, best)
            result.refused += refused(chain, steps)
            above = result.above.setdefault(
                chain, {"alone": Above(), "fenced": Above(), "bare": Above()}
            )
            above["alone"].add(payload.name, free - best)
            above["fenced"].add(payload.name, tokens - best_fenced)
            above["bare"].add(payload.name, tokens - best)
    return result


def shown(result: Result) -> Iterator[str]:
    """Yield the lines of one set's table."""
    yield f"\n{result.title} ({result.payloads} payloads)"
    yield f"  {'encoding':<37}{'holds':>6}{'equal':>6}{'tokens':>11}{'mean':>9}{'of best':>8}"
    for line in (*result.peers.values(), *result.chains.values()):
        mean, share = line.tokens / line.holds, line.tokens / line.best
        yield (
            f"  {line.name:<37}{line.holds:>6}{line.equal:>6}{line.tokens:>11,}"
            f"{mean:>9,.1f}{share:>8.3f}"
        )
    if len(result.peers) == 1:
        yield "  No encoding applies: these payloads are text that is no data."
    yield f"  payloads in which the last line is above the best peer, of {result.payloads}:"
    yield from (f"    {how}: {one}" for how, one in list(result.above.values())[-1].items())


def as_rows(results: list[Result], tokenizer: str) -> Iterator[dict[str, Any]]:
    """Yield a machine-readable row a chain and set."""
    for result in results:
        for chain, line in result.chains.items():
            yield {
                "strategy": chain, "set": result.title, "tokenizer": tokenizer,
                "payloads": result.payloads, "tokens_before": result.before,
                "tokens_after": line.tokens, "tokens_of_best_peer": line.best,
                "above_best": {how: one.payloads for how, one in result.above[chain].items()},
                "peers": list(result.peers),
            }  # fmt: skip


def effect(row: dict[str, Any]) -> dict[str, str]:
    """Return the sentence for a strategy's page."""
    saved = 100 * (1 - row["tokens_after"] / row["tokens_before"])
    best = f"the best peer of each payload has {row['tokens_of_best_peer']:,} together"
    text = (
        f"{row['set']}: {row['tokens_before']:,} tokens as found, {row['tokens_after']:,} after "
        f"({saved:.1f} % saved), n = {row['payloads']}; "
        f"{best if len(row['peers']) > 1 else 'no other encoding applies'}."
    )
    return {"strategy": row["strategy"], "text": text}


def main() -> int:
    """Measure, print the tables, and say by the exit status whether ours lost to a peer."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--tokenizer", action="append")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    sets = payload_sets(args.data)
    if not sets:
        raise SystemExit(f"no payloads under {args.data}")
    today = datetime.now(UTC).date().isoformat()
    print(f"{today}; peers and their versions:\n  {versions()}\n{LEGEND}")
    found: list[dict[str, Any]] = []
    lost = 0
    for name in args.tokenizer or ["o200k_base", "llama3"]:
        results = []
        print(f"\nTokens of prompts by {name}")
        for one in sets:
            results.append(measure(one, counter_for(name)))
            print("\n".join(shown(results[-1])), flush=True)
        found += as_rows(results, name)
        lost += sum(losses(result) for result in results)
    if args.json:
        first = [row for row in found if row["tokenizer"] == found[0]["tokenizer"]]
        about = (
            f"Tokens of payloads in a prompt by {found[0]['tokenizer']}, CSV and TOON of costopt "
            "in a fence, the peers' without one; peers: pretty JSON, compact JSON, CSV, "
            f"{versions()}."
        )
        write(args.json, "formats", about, map(effect, first), rows=found)
    print("\nours never lost" if not lost else f"\nours lost {lost} times")
    return 1 if lost else 0


def losses(result: Result) -> int:
    """Return how often the last chain, which is ours, lost, and how often the guard refused."""
    last = list(result.above.values())[-1]
    return last["alone"].payloads + last["fenced"].payloads + result.refused


if __name__ == "__main__":
    raise SystemExit(main())
