"""How fast the runner asks, and at what price in processor time, beside a bare loop and two peers.

All do the same work (see `work.py`): the rows of one prompt, against a server on loopback that
answers at once or after 50 ms (see `loopback.py`; its processor time is not counted), with up to
1, 16, 64 or 256 requests at a time. Each runs as a process of its own; start-up is not counted.
Rounds interleave them, so that a busy machine slows all of them alike, and ratios are taken within
a round. costopt runs with its store on: every answer is on the disk before it is used.

    python benchmarks/runner.py [--rounds 3] [--latency-ms 0 50] [--concurrency 1 16 64 256]
        [--requests N] [--peer-requests N] [--inspect PYTHON] [--promptfoo PATH]
    python benchmarks/runner.py --memory [--rows 1000 1000000] [--all-rows 1000 20000]

PYTHON is an interpreter with inspect_ai and openai, PATH the command promptfoo; what is not given
is left out. ``--memory`` measures another thing: the peak memory of a whole run of `costopt
analyze` with a small and a large eval set, of which 40 rows are used, then with all rows used.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from contestants import BARE, OURS, Contestant, inspect_ai, ours_and_bare, promptfoo
from loopback import running
from runner_memory import memory
from spreads import spread
from work import Taken

_WANTED = 0.8
_SPEED_AT = (50.0, frozenset({16, 64}))


@dataclass(frozen=True)
class Cell:
    """All rounds of all contestants at one latency and concurrency."""

    latency_ms: float
    concurrency: int
    asked: dict[str, int]
    taken: dict[str, list[Taken]]

    def rates(self, name: str) -> list[float]:
        """Return requests a second, by round."""
        return [self.asked[name] / taken.wall_s for taken in self.taken[name]]

    def cpu_ms(self, name: str) -> list[float]:
        """Return milliseconds of a processor for each request, by round."""
        return [1000 * taken.cpu_s / self.asked[name] for taken in self.taken[name]]


def sizes(latency_ms: float, concurrency: int, peer: bool) -> int:
    """Return how many requests take some seconds, and are many more than go at a time."""
    if latency_ms and concurrency < 8:
        return 100
    if peer:  # They take some ten times as long for each.
        return max(100, 2 * concurrency)
    return min(6000, max(2000, (80 if latency_ms else 16) * concurrency))


def measure(
    field: Sequence[Contestant], latency_ms: float, concurrency: int, given: argparse.Namespace
) -> Cell:
    """Let everyone ask in turn, round by round."""
    asked = {
        one.name: (given.peer_requests if one.peer else given.requests)
        or sizes(latency_ms, concurrency, one.peer)
        for one in field
    }
    taken: dict[str, list[Taken]] = {one.name: [] for one in field}
    with running(latency_ms) as server:
        for number in range(given.rounds):
            # Whoever comes first finds the machine as the last one of the round before left it.
            for one in field if number % 2 else reversed(field):
                taken[one.name].append(one.run(server, asked[one.name], concurrency))
    return Cell(latency_ms, concurrency, asked, taken)


def ratios(own: Sequence[float], base: Sequence[float]) -> list[float]:
    """Return ratios within rounds."""
    return [one / other for one, other in zip(own, base, strict=True)]


def table(cell: Cell) -> Iterator[str]:
    """Yield the lines of one latency and concurrency."""
    yield f"\n{cell.latency_ms:g} ms, up to {cell.concurrency} at a time"
    heads = ("requests/s", "x bare", "CPU ms/request", "x bare")
    yield f"{'':18}{'asked':>7}" + "".join(f"  {head:<24}" for head in heads).rstrip()
    for name, asked in cell.asked.items():
        rates, cpu = cell.rates(name), cell.cpu_ms(name)
        columns = (
            spread(rates, 0),
            spread(ratios(rates, cell.rates(BARE)), 2),
            spread(cpu, 2),
            spread(ratios(cpu, cell.cpu_ms(BARE)), 2),
        )
        yield f"{name:18}{asked:>7,}" + "".join(f"  {text:<24}" for text in columns).rstrip()


def goals(cells: Sequence[Cell]) -> Iterator[str]:
    """Yield what was to be reached, and whether it was."""
    for cell in cells:
        where = f"at {cell.latency_ms:g} ms and {cell.concurrency} at a time"
        latency_ms, concurrencies = _SPEED_AT
        if cell.latency_ms == latency_ms and cell.concurrency in concurrencies:
            share = median(ratios(cell.rates(OURS), cell.rates(BARE)))
            yield (
                f"{_passed(share >= _WANTED)}: {share:.0%} of the bare loop's requests/s {where} "
                f"(goal: at least {_WANTED:.0%})"
            )
        peers = [name for name in cell.asked if name not in (OURS, BARE)]
        for peer in peers if not cell.latency_ms else ():
            share = median(ratios(cell.cpu_ms(OURS), cell.cpu_ms(peer)))
            yield (
                f"{_passed(share < 1)}: {share:.1%} of the CPU that {peer} takes for a request "
                f"{where} (goal: less)"
            )


def _passed(reached: bool) -> str:
    return "pass" if reached else "FAIL"


def contestants(given: argparse.Namespace) -> list[Contestant]:
    """Return who takes part; say who does not."""
    found = ours_and_bare()
    for name, place, make in (
        ("inspect_ai", given.inspect, inspect_ai),
        ("promptfoo", given.promptfoo, promptfoo),
    ):
        if place is None:
            print(f"{name} was not given, and is left out")
        else:
            found.append(make(place))
    for one in found:
        print(f"{one.name}: {one.how}")
    return found


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--latency-ms", type=float, nargs="+", default=[0.0, 50.0])
    parser.add_argument("--concurrency", type=int, nargs="+", default=[1, 16, 64, 256])
    parser.add_argument("--requests", type=int, help="of costopt and the bare loop")
    parser.add_argument("--peer-requests", type=int, help="of each of the others")
    parser.add_argument("--inspect", metavar="PYTHON", help="an interpreter with inspect_ai")
    parser.add_argument("--promptfoo", metavar="PATH", help="the command promptfoo")
    parser.add_argument("--memory", action="store_true", help="measure the peak memory instead")
    parser.add_argument("--rows", type=int, nargs=2, default=[1_000, 1_000_000])
    parser.add_argument("--all-rows", type=int, nargs=2, default=[1_000, 20_000])
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    given = arguments()
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} CPUs", flush=True)
    if given.memory:
        memory(given.rows, given.all_rows)
        return
    print(f"{given.rounds} rounds, median (least to most)")
    field = contestants(given)
    cells = []
    for latency_ms in given.latency_ms:
        for concurrency in given.concurrency:
            cells.append(measure(field, latency_ms, concurrency, given))
            print("\n".join(table(cells[-1])), flush=True)
    print("", *goals(cells), sep="\n")


if __name__ == "__main__":
    main()
