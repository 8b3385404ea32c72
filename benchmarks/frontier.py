"""Tokens kept against quality: costopt's context strategies beside their peers, in one run.

Each way shortens the same texts (passages, twenty documents, few-shot examples) at several
settings; the embedded model then says how probable the right answers are (their mean
log-probability a token, in nats), and writes some. Everything is paired with the full text on the
same rows, with 95 % intervals (Student's t on the differences, averaged over rows that share a
text first). Ways are compared at the rates that they reach, not at those that they are asked for:
between two measured points of a way, rows are mixed in proportion.

    python benchmarks/frontier.py --data FOLDER [--sets NAME,...] [--rows 40,bbh=27] [--work FOLDER]
        [--question-rows NAME=ROWS,...] [--no-peers] [--llmlingua2 MODEL]
        [--plot FILE.svg] [--json FILE]

FOLDER holds the sets as ``sets.py`` reads them; without it, a few rows of this repository's sample
are measured, which is a check of the script and no result. ``--work`` keeps texts and answers, so
that a run that was stopped goes on. Peers: see ``peers.py``.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import peers
from arms import Arm, baselines, ours
from plot import draw
from quality import Point, Texts, mean, nats, scored
from results import write
from sets import NAMES, SAMPLES, Set, load, sizes

from costopt.core.progress import Silent
from costopt.core.protocols import ContextCompressor, TokenCounter
from costopt.costs.tokens import counter_for
from costopt.evals.statistics import Bounds, paired_bounds
from costopt.models.client import Client
from costopt.models.embedded import EmbeddedTarget
from costopt.models.ledger import Ledger
from costopt.models.spending import Spending
from costopt.models.store import AnswerStore
from costopt.models.weights import pull

KEPT = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4)
FULL = Arm(method="full text", setting="", shorten=lambda text, _: text, generate=True)
EMPTY = Arm(method="no text (control)", setting="", shorten=lambda _, __: "", generate=True)
ROWS = "40,squad_xquad_en=60,nq_multidoc=12,gsm8k=8,bbh=12,banking77=24"
"""What fits two CPUs in about two hours."""
QUESTION_ROWS = "squad_xquad_en=150,nq_multidoc=24"
"""Rows for the full text and for what of ours is told the question."""


def arms_of(kind: str, count: TokenCounter, model: ContextCompressor | None) -> Iterator[Arm]:
    """Yield costopt's own arms for texts of a kind, and the baselines."""
    if kind == "documents":
        for rate in (0.5, 0.25, 0.1):
            yield ours("sentences", rate, count, model, asks=True, generate=True)
    if kind == "passages":
        # A quarter is reached at less: sentences go whole, and passages have only about five.
        for rate in (0.75, 0.5, 0.25, 0.15):
            yield ours("sentences", rate, count, model, asks=True, generate=rate in (0.5, 0.25))
    for rate in (0.7, 0.5) if kind != "documents" else ():
        yield ours("sentences", rate, count, model)
    free = {"passages": KEPT, "documents": (0.5,), "examples": (0.8, 0.6, 0.4)}[kind]
    for rate in free:
        yield ours("common-words", rate, count, model, generate=rate == 0.6)
    if model is not None:
        for rate in free:
            yield ours("self-information", rate, count, model, generate=rate == 0.6)
        for rate in (0.8, 0.6) if kind == "passages" else ():
            yield ours("llmlingua", rate, count, model)
    cuts = {"passages": (0.8, 0.6, 0.4), "documents": (0.25,), "examples": (0.6, 0.4)}
    yield from baselines(cuts[kind], words=kind == "passages")


def arms_of_peers(kind: str, llmlingua2: str | None) -> Iterator[Arm]:
    """Yield the peers' arms for texts of a kind."""
    installed = peers.installed()
    if "LLMLingua" in installed:
        rates = {"passages": (0.9, 0.8, 0.65, 0.45), "documents": (0.25,), "examples": (0.7, 0.4)}
        yield from peers.llmlingua(rates[kind], kind, defaults=kind != "documents")
        if kind != "examples":
            long = {"passages": (0.55, 0.25), "documents": (0.25,)}
            yield from peers.longllmlingua(long[kind], defaults=kind == "passages")
    if llmlingua2:
        yield from peers.llmlingua2(llmlingua2, (0.8, 0.6, 0.4))
    if "Selective Context" in installed and kind != "documents":
        off = (0.1, 0.2, 0.35, 0.5, 0.65) if kind == "passages" else (0.2, 0.35, 0.5)
        yield from peers.selective_context(off)
    if "prompt-optimizer" in installed and kind != "documents":
        yield from peers.prompt_optimizer(pulp=kind == "passages")


async def point(of: Set, arm: Arm, rows: int, client: Client, texts: Texts) -> Point:
    """Measure one arm on the first rows of a set."""
    count = counter_for("o200k_base")
    before, after, found, answers, seconds = [], [], [], [], 0.0
    for row in of.rows[:rows]:
        shorter = texts.shorten(arm, row.value, row.question)
        before.append(count(row.value))
        after.append(count(shorter.text))
        seconds += shorter.seconds
        found.append(await nats(client, row, shorter.text))
        answers.append(await scored(client, of, row, shorter.text) if arm.generate else None)
    return Point(arm, *map(tuple, (before, after, found, answers)), seconds)


def change(of: Set, base: Sequence[float | None], other: Sequence[float | None]) -> Bounds | None:
    """Return the mean paired change with its 95 % interval; ``None`` where there is too little."""
    pairs = [
        (new - old, row.cluster) for row, old, new in zip(of.rows, base, other, strict=False)
        if old is not None and new is not None
    ]  # fmt: skip
    if len(pairs) < 2:
        return None
    values, clusters = zip(*pairs, strict=True)
    return paired_bounds(values, alpha=0.025, scale="unbounded", clusters=clusters)


def moved(of: Set, full: Point, other: Point) -> float | None:
    """Return the mean change of a point; ``None`` where it was not measured."""
    bounds = change(of, full.nats, other.nats)
    return bounds.mean if bounds else None


def said(bounds: Bounds | None) -> str:
    """Return a change with its interval."""
    if bounds is None:
        return "not measured"
    return f"{bounds.mean:+.2f} [{bounds.low:+.2f}, {bounds.high:+.2f}]"


def table(of: Set, points: Sequence[Point]) -> Iterator[str]:
    """Yield a set's lines."""
    full = points[0]
    words = sum(full.before) / max(len(full.before), 1)
    yield f"\n{of.name}: {of.kind} of {words:,.0f} tokens (o200k_base), scored by {of.metric}"
    yield f"{'':<38}{'rows':>5}{'kept':>6}  {'nats a token':<21}{of.metric}"
    for p in points:
        start = "" if p is full else said(change(of, full.nats, p.nats))
        score = "" if mean(p.scores) is None else f"{mean(p.scores):.2f}"
        if score and p is not full:
            bounds = change(of, full.scores, p.scores)
            score += f" ({said(bounds)})"
        if p is full:
            start = f"{mean(full.nats):.2f}"
        yield f"{p.arm.name:<38}{len(p.nats):>5}{p.kept:>6.2f}  {start:<21}{score}".rstrip()


def can_tell(of: Set, points: Sequence[Point]) -> Iterator[str]:
    """Yield a warning where it is no loss to leave the whole text out."""
    bounds = change(of, points[0].nats, points[1].nats)
    if bounds is None or bounds.high >= 0:
        yield (
            f"\n{of.name}: to leave the whole text out is no loss to this model "
            f"({said(bounds)}): this set says nothing of what shortening loses"
        )


def lines_of(points: Sequence[Point]) -> dict[str, list[Point]]:
    """Return the points of each method, the most kept first."""
    found: dict[str, list[Point]] = {}
    for p in points[2:]:
        found.setdefault(p.arm.method, []).append(p)
    return {name: sorted(line, key=lambda p: -p.kept) for name, line in found.items()}


def at_rate(line: Sequence[Point], full: Point, kept: float) -> tuple[float | None, ...] | None:
    """Return each row's change at a rate between two points of a method, mixed in proportion."""
    for high, low in pairwise([full, *line]):
        if low.kept <= kept <= high.kept and high.kept > low.kept:
            share = (high.kept - kept) / (high.kept - low.kept)
            return tuple(
                None if None in (f, h, w) else (1 - share) * (h - f) + share * (w - f)
                for f, h, w in zip(full.nats, high.nats, low.nats, strict=False)
            )
    return None


def free_of_questions(of: Set, points: Sequence[Point]) -> Iterator[str]:
    """Yield the comparison of what is told no question, at equal rates."""
    full = points[0]
    lines = {name: line for name, line in lines_of(points).items() if not line[0].arm.asks}
    yield (
        f"\n{of.name}, told no question: the least loss at equal rates, in nats a token, and "
        "ours less\nhalf of the peer's (above 0: we lose less than half)"
    )
    for kept in KEPT:
        best: dict[bool, tuple[float, str, tuple[float | None, ...]]] = {}
        for name, line in lines.items():
            if not (name.startswith("costopt") or line[0].arm.peer):
                continue
            changes = at_rate(line, full, kept)
            value = mean(changes) if changes else None
            peer = line[0].arm.peer
            if changes and value is not None and (peer not in best or value > best[peer][0]):
                best[peer] = (value, name, changes)
        if len(best) < 2:
            yield f"  kept {kept:.1f}: " + (
                "no peer reaches this rate" if False in best else "none of ours reaches this rate"
            )
            continue
        half = [None if v is None else v / 2 for v in best[True][2]]
        margin = change(of, half, best[False][2])
        yield (
            f"  kept {kept:.1f}: {best[False][1]} {best[False][0]:+.2f}, {best[True][1]} "
            f"{best[True][0]:+.2f}; {said(margin)}"
        )


def with_questions(of: Set, points: Sequence[Point]) -> Iterator[str]:
    """Yield what came of the least that our question-aware strategy keeps."""
    own = [p for p in points if p.arm.asks and p.arm.method.startswith("costopt")]
    if not own:
        return
    least = min(own, key=lambda p: p.kept)
    bounds = change(of, points[0].nats, least.nats)
    if bounds is None:
        return
    word = "a gain" if bounds.low > 0 else "a loss" if bounds.high < 0 else "within the noise"
    yield (
        f"\n{of.name}, told the question: {least.arm.name} keeps {least.kept:.3f} at "
        f"{said(bounds)} over {bounds.n} rows: {word}"
    )


def effects(of: Set, points: Sequence[Point]) -> Iterator[dict[str, str]]:
    """Yield a sentence for the page of each of costopt's strategies that was measured."""
    full = points[0]
    size = sum(full.before) / max(len(full.before), 1)
    for p in points[2:] if not any(can_tell(of, points)) else ():
        bounds = change(of, full.nats, p.nats)
        if not p.arm.method.startswith("costopt ") or bounds is None:
            continue
        asked = ", told the question," if p.arm.asks else ""
        yield {
            "strategy": f"{p.arm.method.split()[1]}:rate={p.arm.setting}",
            "text": f"On {bounds.n} rows of {of.name} ({of.kind} of {size:,.0f} tokens on average) "
            f"it keeps{asked} {p.kept:.2f} of the tokens, and the right answer's log-probability "
            f"changes by {bounds.mean:+.2f} nats a token [{bounds.low:+.2f}, {bounds.high:+.2f}].",
        }


async def measure(args: argparse.Namespace, client: Client, texts: Texts) -> int:
    """Measure set after set, and print each when it is done."""
    model = None
    if not args.no_model:
        from costopt.models.lingua import open_lingua

        model = open_lingua(None, offline=False, progress=Silent())
    told_of: list[dict[str, str]] = []
    panels: list[tuple[Set, list[Point]]] = []
    for name, rows in sizes(args.rows, args.sets).items():
        most = max(rows, sizes(f"0,{args.question_rows}", [name])[name])
        of = load(name, args.data, most)
        arms = [FULL, EMPTY, *arms_of(of.kind, counter_for("o200k_base"), model)]
        arms += [] if args.no_peers else arms_of_peers(of.kind, args.llmlingua2)
        points = []
        for arm in arms:
            wide = arm in (FULL, EMPTY) or (arm.asks and not arm.peer)
            points.append(await point(of, arm, most if wide else rows, client, texts))
            print(f"{name}: {arm.name}, kept {points[-1].kept:.2f}", file=sys.stderr, flush=True)
        warned = [*can_tell(of, points)]
        compared = warned or [*free_of_questions(of, points), *with_questions(of, points)]
        told = [*table(of, points), *compared]
        print("\n".join(told), flush=True)
        panels.append((of, points))
        told_of += effects(of, points)
        if args.plot:
            args.plot.write_text(draw(panels, moved), "utf-8")
    if args.json:
        about = (
            f"On the embedded target ({client.target.model}), paired with the full text; "
            "95 % intervals; tokens by o200k_base."
        )
        write(args.json, "frontier", about, told_of)
    return 0


def main() -> int:
    """Read the options, open what is needed, and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--sets", type=lambda text: text.split(","))
    parser.add_argument("--rows")
    parser.add_argument("--question-rows", default=QUESTION_ROWS)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--no-model", action="store_true", help="leave out what needs torch")
    parser.add_argument("--llmlingua2", metavar="MODEL")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    if args.data is None:
        args.data, args.sets, args.rows = SAMPLES, ["passage-qa"], args.rows or "4"
    args.sets, args.rows = args.sets or list(NAMES), args.rows or ROWS
    for line in () if args.no_peers else peers.missing():
        print(line)
    with tempfile.TemporaryDirectory() as fresh:
        work = args.work or Path(fresh)
        target = EmbeddedTarget(pull(Silent(), offline=False))
        store = AnswerStore(work)
        ledger = Ledger(store, Spending(max_usd=None, max_requests=None))
        client = Client(target, ledger)
        try:
            return asyncio.run(measure(args, client, Texts(work / "texts")))
        finally:
            ledger.close()
            store.close()


if __name__ == "__main__":
    raise SystemExit(main())
