"""Every strategy that needs no model, on every prompt of a corpus: nothing may break.

For each prompt and strategy: no exception, nothing that the guard refuses, never more tokens, the
same again when applied to its own result, and byte for byte the same over repeats and over
processes with other hash seeds. What `propose` lets out, each strategy alone and in chains, passed
the guard, lists what it lost, and has fewer tokens. The strategies of contexts shorten the same
texts as values of variables, with a question and without: never longer, never to nothing, and
three times the same. Prints a line a strategy, with what it saves; exits with 1 where anything
failed.

    python benchmarks/corpus.py [--data FOLDER] [--repeats 20] [--seeds 3] [--jobs 1] [--json FILE]

FOLDER holds JSON lines with the texts of prompts in ``text`` (``prompts_*/prompts*.jsonl``), each
read in the format that its ``path`` names; by default the sample prompts.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

from corpus_checks import (
    CHAINS,
    QUESTION,
    Row,
    over_chain,
    over_prompts,
    over_values,
    template_strategies,
    value_strategies,
    values,
)
from results import write

from costopt.compressors.base import NotApplicable, Strategy, StrategyContext
from costopt.compressors.contract import template_of
from costopt.core.errors import CostoptError
from costopt.core.formats import format_of, load_string
from costopt.core.types import PromptTemplate, Syntax
from costopt.costs.tokens import counter_for

SAMPLES = Path(__file__).resolve().parent.parent / "prompts"
LENGTHS = (18, 22, 25, 31, 40)
TOKENIZER = "o200k_base"
VALUE_REPEATS = 3


def templates(folder: Path) -> Iterator[PromptTemplate]:
    """Yield the prompts of a folder; what is no prompt in its own format is read as plain text."""
    for path in sorted(folder.glob("**/prompts_*/prompts*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            yield read(row["text"], row.get("path", path.name))
    if folder == SAMPLES:
        for path in sorted(folder.glob("*/prompt.*")):
            yield read(path.read_text("utf-8"), path.as_posix())


def read(text: str, path: str) -> PromptTemplate:
    """Return the template of a text in the format that its path names, else as plain text.

    A text that is none of both, such as one with broken Jinja, has no variables.
    """
    known = format_of(Path(path.replace(".jinja2", ".j2")))
    for name in (known, "text"):
        if name and name != "promptfoo":
            try:
                return load_string(text, shown=path, format=name)
            except CostoptError:
                continue
            except Exception as error:  # the reader's own bug, which is to be seen
                raise SystemExit(f"{path}: {type(error).__name__}: {error}") from error
    plain = template_of(text, syntax=Syntax.NONE)
    return replace(plain, source=replace(plain.source, path=path))


def applied(strategy: Strategy, template: PromptTemplate, context: StrategyContext) -> bytes:
    """Return what a strategy makes of a template, as bytes."""
    try:
        after = strategy.apply(template, context)
    except NotApplicable as error:
        return error.reason.encode()
    return repr((after.messages, after.settings)).encode("utf-8", "surrogatepass")


def fingerprint(corpus: list[PromptTemplate], context: StrategyContext) -> str:
    """Return a hash of all that all strategies make of the corpus."""
    digest = hashlib.sha256()
    for strategy in template_strategies():
        for template in corpus:
            digest.update(applied(strategy, template, context))
    for strategy in value_strategies():
        for value in (value for template in corpus for value in values(template.text)):
            made = strategy.shorten_value(value, QUESTION, replace(context, notes=[]))
            digest.update(repr(made).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def tasks(repeats: int) -> list[tuple[str, Callable[..., Row]]]:
    """Return what makes the rows of the table, each with the group that it is of."""
    found: list[tuple[str, Callable[..., Row]]] = [
        ("strategies", partial(over_prompts, strategy, repeats=repeats))
        for strategy in template_strategies()
    ]
    found += [("chains", partial(over_chain, chain)) for chain in CHAINS]
    found += [
        ("values", partial(over_values, strategy, question, repeats=min(repeats, VALUE_REPEATS)))
        for strategy in value_strategies()
        for question in (None, QUESTION)
    ]
    return found


_shared: list[Any] = []
"""The corpus, the context and the repeats, which forked processes inherit."""


def _row(number: int) -> tuple[str, Row]:
    corpus, context, repeats = _shared
    group, make = tasks(repeats)[number]
    return group, make(corpus=corpus, context=context)


def rows_of(jobs: int, repeats: int) -> Iterator[tuple[str, Row]]:
    """Yield the rows of the table, each with the group that it is of, in order."""
    numbers = range(len(tasks(repeats)))
    if jobs == 1:
        yield from map(_row, numbers)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("fork")) as pool:
        yield from pool.map(_row, numbers)


def with_seeds(args: argparse.Namespace) -> list[subprocess.Popen[str]]:
    """Start a process for each of the hash seeds, which prints its fingerprint."""
    command = [sys.executable, __file__, "--data", str(args.data), "--fingerprint"]
    return [
        subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
        )
        for seed in range(args.seeds)
    ]  # fmt: skip


def different(processes: list[subprocess.Popen[str]], wanted: str) -> int:
    """Return how many of the processes came to another result."""
    return sum(process.communicate()[0].strip() != wanted for process in processes)


def printed(found: Iterable[tuple[str, Row]]) -> Iterator[tuple[str, Row]]:
    """Print the rows as they come, and yield them."""
    print(f"{'strategy':<28} changed   n/a  tokens saved    of all   median  wrong")
    for group, row in found:
        share = f"{100 * row.saved / row.of:.2f} %" if row.of else "-"
        typical = f"{100 * median(row.shares):.1f} %" if row.shares else "-"
        print(
            f"{row.name[:27]:<28}{row.changed:>8}{row.refused:>6}{row.saved:>14,}"
            f"{share:>10}{typical:>9}{row.wrong.total():>7}",
            flush=True,
        )
        if row.first:
            print(f"  {dict(row.wrong)}, first {row.first[:200]}")
        yield group, row


def effect(group: str, row: Row) -> str:
    """Say in a sentence what was measured of one strategy."""
    things = "values" if group == "values" else "prompts"
    if not row.changed:
        missing = f", and was not applicable to {row.refused}" if row.refused else ""
        return f"changed none of {row.tried} {things}{missing}."
    said = f"changed {row.changed} of {row.tried} {things}"
    typical = 100 * median(row.shares)
    if row.saved > 0:
        return (
            f"{said} and saved {row.saved:,} of {row.of:,} tokens in all "
            f"({100 * row.saved / row.of:.2f} %); the median saving of what it changed is "
            f"{typical:.1f} %."
        )
    if row.saved == 0:
        return f"{said}, their settings or their order, and no number of tokens of their texts."
    return (
        f"{said}, which grew by {-row.saved:,} tokens in all (the median by {-typical:.1f} %); "
        "what the answers save is not measured here."
    )


def left(file: Path, rows: list[tuple[str, Row]], prompts: int, tokens: int) -> None:
    """Leave the result in the form of `compressors/measured`."""
    about = (
        f"every strategy that needs no model on {prompts} prompts of {tokens:,} tokens "
        f"({TOKENIZER}); values are their texts, plain, as transcripts and as messages."
    )
    effects = ({"strategy": asked(row.name), "text": sentence(group, row)} for group, row in rows)
    table = [
        {
            "group": group, "name": row.name, "tried": row.tried, "changed": row.changed,
            "not_applicable": row.refused, "tokens": row.of, "saved": row.saved,
            "median_saving": round(median(row.shares), 4) if row.shares else None,
            "wrong": row.wrong.total(),
        }
        for group, row in rows
    ]  # fmt: skip
    write(file, "corpus", about, effects, rows=table)


def asked(name: str) -> str:
    """Return a row's name as the chain that it is of."""
    return name.removesuffix(" asked")


def sentence(group: str, row: Row) -> str:
    """Return `effect`, of values with whether a question was asked."""
    how = "with a question, " if row.name.endswith(" asked") else "without a question, "
    return f"{how if group == 'values' else ''}{effect(group, row)}"


def main() -> int:
    """Run all, print the table, and say by the exit status whether anything was wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=SAMPLES)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=1, help="processes; by fork")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--fingerprint", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    count = counter_for(TOKENIZER)
    context = StrategyContext(count=count, output_lengths=LENGTHS, references=("yes", "no"))
    corpus = list(templates(args.data))
    if not corpus:
        raise SystemExit(f"no prompts under {args.data}")
    if args.fingerprint:
        print(fingerprint(corpus, context))
        return 0
    tokens = sum(count(template.text) for template in corpus)
    print(f"{len(corpus)} prompts, {tokens:,} tokens ({TOKENIZER})")
    _shared[:] = [corpus, context, args.repeats]
    processes = with_seeds(args)
    rows = list(printed(rows_of(args.jobs, args.repeats)))
    others = different(processes, fingerprint(corpus, context)) if args.seeds else 0
    print(f"{args.repeats} repeats; {args.seeds} other hash seeds, {others} of them different")
    wrong = sum(row.wrong.total() for _, row in rows) + others
    if args.json:
        left(args.json, rows, len(corpus), tokens)
    print("nothing is wrong" if not wrong else f"{wrong} things are wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
