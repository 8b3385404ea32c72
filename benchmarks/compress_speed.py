"""How fast texts are shortened: tokens a second of every strategy and peer, in one run.

Rule strategies work on prompts and are compared with raw tokenisation (tiktoken, o200k_base) of the
same prompts: the ratio is their time over the tokeniser's, round by round; below 1 is faster than
tokenising. The time that a strategy spends on counting tokens is taken off, and the guard is not
run. Strategies of contexts, and the peers, work on documents with a question; theirs is the ratio
to LongLLMLingua, above 1 is faster. No text occurs twice, so that nothing is found again.

    python benchmarks/compress_speed.py [--data FOLDER] [--rounds 5] [--documents 3] [--no-peers]
        [--json FILE]

FOLDER holds prompts as ``corpus.py`` reads them, and ``nq_multidoc`` as ``sets.py`` does; without
it, the sample prompts and their passages are used.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

import peers
from arms import Arm, ours
from corpus import SAMPLES, templates
from results import write
from sets import load

from costopt.compressors.base import ContextStrategy, NotApplicable, Strategy, StrategyContext
from costopt.compressors.registry import entries, get
from costopt.core.progress import Silent
from costopt.core.types import Message, PromptTemplate
from costopt.costs.tokens import counter_for
from costopt.costs.vocabulary import ensure_tiktoken

LENGTHS = (18, 22, 25, 31, 40)


@dataclass
class Stopwatch:
    """A token counter that knows how long it counted."""

    tokenizer: str = "o200k_base"
    exact: bool = True
    seconds: float = 0.0
    _count: Callable[[str], int] = field(default_factory=lambda: counter_for("o200k_base"))

    def __call__(self, text: str) -> int:
        """Count, and add the time."""
        begun = time.perf_counter()
        count = self._count(text)
        self.seconds += time.perf_counter() - begun
        return count


@dataclass(frozen=True)
class Rounds:
    """What came of one way: seconds a round, and of how many tokens."""

    name: str
    seconds: tuple[float, ...]
    tokens: tuple[int, ...]

    def rate(self) -> float:
        """Return the median of tokens a second."""
        return median(t / s for t, s in zip(self.tokens, self.seconds, strict=True))


def spread(values: Sequence[float]) -> str:
    """Return the least, the median and the most."""
    return " ".join(f"{v:>10,.3g}" for v in (min(values), median(values), max(values)))


def marked(template: PromptTemplate, mark: str) -> PromptTemplate:
    """Return a prompt that was never seen: its first message begins with a mark."""
    first, *rest = template.messages
    return replace(
        template, messages=(Message(first.role, f"Request {mark}.\n\n{first.content}"), *rest)
    )


def rules() -> tuple[Strategy, ...]:
    """Return the strategies that rewrite a prompt and need neither a model nor samples."""
    made = (get(e.name) for e in entries() if e.extra is None and not e.control)
    return tuple(
        s for s in made if not isinstance(s, ContextStrategy) and not s.needs & {"model", "samples"}
    )


def rule_rounds(corpus: Sequence[PromptTemplate], rounds: int) -> Iterator[Rounds]:
    """Yield raw tokenisation, then every rule strategy, all on the same prompts of each round."""
    import tiktoken

    encode = tiktoken.get_encoding("o200k_base").encode_ordinary
    taken: dict[str, list[float]] = {"tiktoken": []}
    tokens: list[int] = []
    known = rules()
    for number in range(rounds + 1):
        batch = [marked(t, f"{number}-{i}") for i, t in enumerate(corpus)]
        begun = time.perf_counter()
        sizes = [sum(len(encode(m.content)) for m in t.messages) for t in batch]
        seconds = {"tiktoken": time.perf_counter() - begun}
        for strategy in known if number % 2 else reversed(known):
            seconds[strategy.name] = applied(strategy, batch)
        if number:  # The first round is a warm-up.
            tokens.append(sum(sizes))
            for name, value in seconds.items():
                taken.setdefault(name, []).append(value)
    for name, values in taken.items():
        yield Rounds(name, tuple(values), tuple(tokens))


def applied(strategy: Strategy, batch: Sequence[PromptTemplate]) -> float:
    """Return how long a strategy takes for all prompts, less what it spends on counting."""
    count = Stopwatch()
    context = StrategyContext(count=count, output_lengths=LENGTHS, references=("yes", "no"))
    begun = time.perf_counter()
    for template in batch:
        try:
            strategy.apply(template, context)
        except NotApplicable:
            continue
    return time.perf_counter() - begun - count.seconds


def context_arms(with_peers: bool) -> Iterator[Arm]:
    """Yield the ways to shorten documents: without a model, then with one, then the peers'."""
    count = counter_for("o200k_base")
    yield ours("sentences", 0.25, count, None, asks=True)
    yield ours("sentences", 0.25, count, None)
    yield ours("common-words", 0.75, count, None)
    if not with_peers:
        return
    installed = peers.installed()
    if "LLMLingua" in installed:
        from costopt.models.lingua import open_lingua

        model = open_lingua(None, offline=False, progress=Silent())
        yield ours("self-information", 0.5, count, model)
        yield ours("llmlingua", 0.5, count, model)
        yield from peers.longllmlingua((0.25,))
        yield from peers.llmlingua((0.5,), "documents")
    if "Selective Context" in installed:
        yield from peers.selective_context((0.35,))
    if "prompt-optimizer" in installed:
        yield from peers.prompt_optimizer(pulp=False)


def context_rounds(
    arms: Sequence[Arm], texts: Sequence[tuple[str, str]], rounds: int
) -> list[Rounds]:
    """Return every way on documents of its own each round."""
    count = counter_for("o200k_base")
    found = []
    for arm in arms:
        seconds: list[float] = []
        tokens: list[int] = []
        for number in range(rounds + 1):
            mark = f"{time.time_ns()}-{number}"  # What a model made of a text is kept between runs.
            batch = [(f"Request {mark}-{i}.\n\n{t}", q) for i, (t, q) in enumerate(texts)]
            size = sum(count(text) for text, _ in batch)
            begun = time.perf_counter()
            for text, question in batch if number else batch[:1]:
                arm.shorten(text, question)
            if number:  # The first round loads what there is to load.
                seconds.append(time.perf_counter() - begun)
                tokens.append(size)
        found.append(Rounds(arm.name, tuple(seconds), tuple(tokens)))
    return found


def rule_table(found: Sequence[Rounds]) -> Iterator[str]:
    """Yield the table of rule strategies."""
    raw = found[0]
    yield f"{'on prompts':<28}{'tokens/s':>12}   time / tokenisation: min, median, max"
    for one in found:
        ratios = [own / base for own, base in zip(one.seconds, raw.seconds, strict=True)]
        yield f"{one.name:<28}{one.rate():>12,.0f} {spread(ratios)}"


def context_table(found: Sequence[Rounds]) -> Iterator[str]:
    """Yield the table of what shortens documents."""
    long = next((one for one in found if one.name.startswith("LongLLMLingua")), None)
    yield f"\n{'documents':<38}{'tokens/s: min':>14}{'median':>11}{'max':>11}   x LongLLMLingua"
    for one in found:
        rates = [t / s for t, s in zip(one.tokens, one.seconds, strict=True)]
        times = f"{one.rate() / long.rate():>12,.2f}" if long else "   not run"
        yield f"{one.name:<38}   {spread(rates)} {times}"


def effects(ruled: Sequence[Rounds], contexts: Sequence[Rounds]) -> Iterator[dict[str, str]]:
    """Yield a sentence a strategy for its page."""
    raw = ruled[0]
    for one in ruled[1:]:
        ratios = [own / base for own, base in zip(one.seconds, raw.seconds, strict=True)]
        yield {
            "strategy": one.name,
            "text": f"It takes {median(ratios):.2f} times as long as tokenising the prompt "
            f"({min(ratios):.2f} to {max(ratios):.2f} over {len(ratios)} rounds), counting and "
            "guard apart.",
        }
    for one in contexts:
        if one.name.startswith("costopt ") and "(question)" not in one.name:
            rates = [t / s for t, s in zip(one.tokens, one.seconds, strict=True)]
            yield {
                "strategy": one.name.split()[1],
                "text": f"It shortens {median(rates):,.0f} tokens a second ({min(rates):,.0f} to "
                f"{max(rates):,.0f} over {len(rates)} rounds).",
            }


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--documents", type=int, default=3, help="documents a round")
    parser.add_argument("--no-peers", action="store_true", help="only what needs no model")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    ensure_tiktoken()
    corpus = [t for t in templates(args.data or SAMPLES) if t.messages]
    name = "nq_multidoc" if args.data else "passage-qa"
    rows = load(name, args.data or SAMPLES, args.documents).rows
    texts = [(row.value, row.question) for row in rows]
    for line in () if args.no_peers else peers.missing():
        print(line)
    print(f"{len(corpus)} prompts and {len(texts)} documents a round, {args.rounds} rounds, "
          f"{os.cpu_count()} CPUs\n")  # fmt: skip
    ruled = list(rule_rounds(corpus, args.rounds))
    print("\n".join(rule_table(ruled)), flush=True)
    contexts = context_rounds(list(context_arms(not args.no_peers)), texts, args.rounds)
    print("\n".join(context_table(contexts)))
    if args.json:
        about = (
            f"{len(corpus)} prompts, {len(texts)} documents a round, {args.rounds} rounds, "
            f"{os.cpu_count()} CPUs, in one run."
        )
        write(args.json, "compress_speed", about, effects(ruled, contexts))


if __name__ == "__main__":
    main()
