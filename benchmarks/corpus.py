"""Every strategy that needs no model, on every prompt of a corpus: nothing may break.

For each prompt and strategy: no exception, nothing that the guard refuses, never more tokens, the
same again when applied to its own result, and byte for byte the same over repeats and over
processes with other hash seeds. Prints a line a strategy, with what it saves; exits with 1 where
anything failed.

    python benchmarks/corpus.py [--data FOLDER] [--repeats 20] [--seeds 3] [--json FILE]

FOLDER holds JSON lines with the texts of prompts in ``text`` (``prompts_*/prompts*.jsonl``), each
read in the format that its ``path`` names, or prompt files; by default the sample prompts.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from costopt.compressors.base import ContextStrategy, NotApplicable, Strategy, StrategyContext
from costopt.compressors.contract import template_of
from costopt.compressors.guard import check
from costopt.compressors.registry import entries, get
from costopt.core.errors import CostoptError
from costopt.core.formats import format_of, load_string
from costopt.core.types import PromptTemplate, Syntax
from costopt.costs.tokens import counter_for

SAMPLES = Path(__file__).resolve().parent.parent / "prompts"
LENGTHS = (18, 22, 25, 31, 40)


@dataclass
class Row:
    """What came of one strategy over the corpus."""

    name: str
    changed: int = 0
    refused: int = 0
    saved: int = 0
    shares: list[float] = field(default_factory=list)
    wrong: Counter[str] = field(default_factory=Counter)
    first: str = ""

    def fail(self, what: str, where: str) -> None:
        """Count a failure, and keep the first for the reader."""
        self.wrong[what] += 1
        self.first = self.first or f"{what}: {where}"


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


def strategies() -> tuple[Strategy, ...]:
    """Return every strategy that rewrites a template and needs no model."""
    made = (get(e.name) for e in entries() if e.extra is None and not e.control)
    return tuple(
        s for s in made if not isinstance(s, ContextStrategy) and not s.needs & {"model", "samples"}
    )


def applied(strategy: Strategy, template: PromptTemplate, context: StrategyContext) -> bytes | None:
    """Return what a strategy makes of a template, as bytes; ``None`` where it is not applicable."""
    try:
        after = strategy.apply(template, context)
    except NotApplicable:
        return None
    return repr((after.messages, after.settings)).encode("utf-8", "surrogatepass")


def fingerprint(corpus: list[PromptTemplate], context: StrategyContext) -> str:
    """Return a hash of all that all strategies make of the corpus."""
    digest = hashlib.sha256()
    for strategy in strategies():
        for template in corpus:
            digest.update(applied(strategy, template, context) or b"-")
    return digest.hexdigest()


def run(
    strategy: Strategy, corpus: list[PromptTemplate], context: StrategyContext, repeats: int
) -> Row:
    """Apply one strategy to every prompt, and check what comes out."""
    row = Row(strategy.name)
    for template in corpus:
        try:
            one(row, strategy, template, context, repeats)
        except Exception as error:
            row.fail("exception", f"{template.source.path}: {type(error).__name__}: {error}")
    return row


def one(
    row: Row,
    strategy: Strategy,
    template: PromptTemplate,
    context: StrategyContext,
    repeats: int,
) -> None:
    """Apply one strategy to one prompt, and check what comes out."""
    where = template.source.path
    try:
        after = strategy.apply(template, context)
    except NotApplicable:
        row.refused += 1
        return
    said = check(template, after, strategy.safety, strategy.side, strategy.rewrites).rejected
    if said:
        row.fail("guard", f"{where}: {said}")
    if strategy.apply(after, context) != after:
        row.fail("not idempotent", where)
    if any(strategy.apply(template, context) != after for _ in range(repeats - 1)):
        row.fail("not deterministic", where)
    before, now = context.count(template.text), context.count(after.text)
    if strategy.side == "input" and now > before:
        row.fail("more tokens", where)
    if after != template:
        row.changed += 1
        row.saved += before - now
        row.shares.append(1 - now / before if before else 0.0)


def other_seeds(args: argparse.Namespace, wanted: str) -> int:
    """Return how many processes with other hash seeds came to another result."""
    different = 0
    for seed in range(1, args.seeds + 1):
        command = [sys.executable, __file__, "--data", str(args.data), "--fingerprint"]
        done = subprocess.run(
            command, capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
        )  # fmt: skip
        different += done.stdout.strip() != wanted
    return different


def table(rows: list[Row], tokens: int, prompts: int) -> Iterator[str]:
    """Yield the lines of the table."""
    yield f"{prompts} prompts, {tokens:,} tokens (o200k_base)"
    yield f"{'strategy':<18}{'changed':>8}{'n/a':>6}{'tokens saved':>14}{'of all':>8}{'median':>8}{'wrong':>7}"  # noqa: E501
    for row in rows:
        typical = f"{100 * median(row.shares):.1f} %" if row.shares else "-"
        yield (
            f"{row.name:<18}{row.changed:>8}{row.refused:>6}{row.saved:>14,}"
            f"{100 * row.saved / tokens:>6.2f} %{typical:>8}{row.wrong.total():>7}"
        )
        if row.first:
            yield f"  {dict(row.wrong)}, first {row.first[:200]}"


def main() -> int:
    """Run all, print the table, and say by the exit status whether anything was wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=SAMPLES)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--fingerprint", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    count = counter_for("o200k_base")
    context = StrategyContext(count=count, output_lengths=LENGTHS, references=("yes", "no"))
    corpus = list(templates(args.data))
    if not corpus:
        raise SystemExit(f"no prompts under {args.data}")
    if args.fingerprint:
        print(fingerprint(corpus, context))
        return 0
    rows = [run(strategy, corpus, context, args.repeats) for strategy in strategies()]
    tokens = sum(count(template.text) for template in corpus)
    print("\n".join(table(rows, tokens, len(corpus))))
    different = other_seeds(args, fingerprint(corpus, context))
    print(f"{args.repeats} repeats; {args.seeds} other hash seeds, {different} of them different")
    wrong = sum(row.wrong.total() for row in rows) + different
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(as_json(rows, tokens, len(corpus)), indent=1) + "\n")
    print("nothing is wrong" if not wrong else f"{wrong} things are wrong")
    return 1 if wrong else 0


def as_json(rows: list[Row], tokens: int, prompts: int) -> dict[str, object]:
    """Return the result for `compressors/measured.json`."""
    found = {
        row.name: {"changed": row.changed, "saved": row.saved,
                   "median": round(median(row.shares), 4) if row.shares else None}
        for row in rows
    }  # fmt: skip
    return {"prompts": prompts, "tokens": tokens, "tokenizer": "o200k_base", "strategies": found}


if __name__ == "__main__":
    raise SystemExit(main())
