"""``costopt compress``: applies a chain of strategies to a prompt file."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..core.errors import CostoptError, Where
from ..reports.safe import clean
from .options import Debug, NoColor, Output, Quiet

if TYPE_CHECKING:
    from ..compressors.base import StrategyContext
    from ..core.progress import Progress
    from ..core.types import PromptTemplate, StrategySpec, Variant

MAX_BYTES = 5_000_000
_FOR_VALUES = "sentences"
_HARMLESS = ("no change", "saves no tokens")

File = Annotated[
    Path,
    typer.Argument(
        metavar="FILE|-", help="A prompt file, or a variable's value; - for standard input."
    ),
]
Strategy = Annotated[
    list[str] | None,
    typer.Option(
        "--strategy",
        "-s",
        metavar="SPEC",
        help="NAME or NAME:key=value,...; a + joins; repeatable, applied in order. "
        "Default: every lossless strategy; for a value, sentences.",
        show_default=False,
    ),
]
InputFormat = Annotated[
    str,
    typer.Option("--input-format", metavar="NAME", help="The format of a prompt given as -."),
]
Value = Annotated[
    bool,
    typer.Option(
        "--value",
        help="FILE is what is filled into a variable, not a prompt. Implied by --question and by "
        "strategies for nothing else (sentences, history, ...).",
    ),
]
Question = Annotated[
    str | None,
    typer.Option(
        "--question",
        metavar="TEXT",
        help="The question that the value is to answer.",
        show_default=False,
    ),
]
Diff = Annotated[bool, typer.Option("--diff", help="Show the change, not the result.")]
Write = Annotated[bool, typer.Option("--write", help="Change the file in place.")]
Offline = Annotated[bool, typer.Option("--offline", help="Fetch no model from the network.")]
Lossless = Annotated[bool, typer.Option("--lossless", help="Refuse strategies that are not.")]


def compress(
    file: File,
    strategy: Strategy = None,
    lossless: Lossless = False,
    diff: Diff = False,
    write: Write = False,
    value: Value = False,
    question: Question = None,
    input_format: InputFormat = "text",
    offline: Offline = False,
    output: Output = None,
    quiet: Quiet = False,
    no_color: NoColor = False,
    debug: Debug = False,
) -> None:
    """Shorten a prompt file, or a variable's value, without asking a model.

    The result goes to standard output, or with --write back into the file;
    what no strategy changed stays as it is, byte for byte. An edit that would
    break the template is refused.

    A document or a conversation that is filled into a variable is shortened
    by a strategy for values, best for the question that it is to answer. It
    is read as text, or for history as JSON with messages; the tokens before
    and after are said on standard error.

    \b
    Examples:
      costopt compress faq.md --diff
      costopt compress faq.md --strategy whitespace+filler --write
      cat prompt.txt | costopt compress - > shorter.txt
      costopt compress report.txt --question "Who paid?"
      costopt compress report.txt -s common-words:rate=0.7
    """  # noqa: D301 (\b keeps the lines apart)
    del debug  # read by cli.main
    from ..compressors.registry import build
    from ..compressors.value_files import value_strategies
    from ..reports.diffs import unified
    from ..reports.progress import watch
    from .compress_value import shorten_file
    from .output import check_link, check_output, emit, wants_colour, write_file

    _check(file, write, output)
    check_output(output)
    asked = value or question is not None
    chain = _chain(strategy or ([_FOR_VALUES] if asked else None), lossless)
    strategies = value_strategies(tuple(build(spec) for spec in chain or ()), asked=asked)
    with watch(quiet=quiet, colour=not no_color) as progress:
        context = _context(chain or (), offline, progress)
        if strategies is None:
            raw, text = _prompt(_load(file, input_format), chain, context, progress)
        else:
            raw, text = shorten_file(
                file, strategies, question, context, progress,
                limit=MAX_BYTES, asked=asked, write=write,
            )  # fmt: skip
    if diff:
        colour = wants_colour(no_color, output)
        emit(unified(raw, text, str(file), f"{file} (compressed)", colour=colour), output)
    if write and text != raw:
        check_link(file, (file,))
        write_file(file, text.encode("utf-8"), expected=raw.encode("utf-8"))
    elif not diff and not write:
        emit(text, output)


def _check(file: Path, write: bool, output: Path | None) -> None:
    if write and str(file) == "-":
        raise CostoptError("--write needs a file, not standard input", hint="leave --write out")
    if write and output is not None:
        raise CostoptError("--write and --output exclude each other", hint="choose one")


def _chain(specs: list[str] | None, lossless: bool) -> "tuple[StrategySpec, ...] | None":
    """Return the chain that was asked for; ``None`` is the default one."""
    from ..compressors.registry import entry, parse_spec

    if not specs:
        return None
    chain = tuple(spec for text in specs for spec in parse_spec(text))
    lossy = [spec.name for spec in chain if entry(spec.name).safety != "lossless"]
    if lossless and lossy:
        hint = "leave --lossless out, or see: costopt strategies"
        raise CostoptError(f"not lossless: {', '.join(lossy)}", hint=hint)
    return chain


def _load(file: Path, input_format: str) -> "tuple[PromptTemplate, ...]":
    from ..core.formats import load_file, load_string
    from .source import read_text

    if str(file) == "-":
        return (load_string(read_text(file, MAX_BYTES), format=input_format),)
    if not file.exists():
        hint = "name a prompt file, or - for standard input"
        raise CostoptError("no such file", where=Where(file.as_posix()), hint=hint)
    templates = load_file(file)
    own = [template for template in templates if Path(template.source.path) == file]
    if not own:
        raise CostoptError("its prompts are in other files", where=Where(file.as_posix()))
    return tuple(own)


def _context(
    chain: "tuple[StrategySpec, ...]", offline: bool, progress: "Progress"
) -> "StrategyContext":
    """Return what the strategies are handed; a model only where one of them needs it."""
    from ..compressors.base import StrategyContext
    from ..compressors.registry import load
    from ..costs.tokens import counter_for

    compressor = None
    if any("model" in load(spec.name).needs for spec in chain):
        from ..models.lingua import open_lingua

        compressor = open_lingua(None, offline=offline, progress=progress)
    return StrategyContext(count=counter_for("o200k_base"), compressor=compressor)


def _prompt(
    templates: "Sequence[PromptTemplate]",
    chain: "tuple[StrategySpec, ...] | None",
    context: "StrategyContext",
    progress: "Progress",
) -> tuple[str, str]:
    """Return a prompt file as it is and as the chain makes it."""
    from .write_back import dump_all

    variants = [_apply(template, chain, context, progress) for template in templates]
    return templates[0].source.raw, dump_all(variant.template for variant in variants)


def _apply(
    template: "PromptTemplate",
    chain: "tuple[StrategySpec, ...] | None",
    context: "StrategyContext",
    progress: "Progress",
) -> "Variant":
    if chain is None:
        return _lossless(template, context, progress)
    variant = _propose(template, chain, context)
    for note in variant.notes:
        progress.note(note)
    reason = variant.rejected
    if reason is not None and not reason.startswith(_HARMLESS):
        raise CostoptError(
            f"refused: {reason}",
            where=Where(template.source.path, template.source.line),
            hint="leave that strategy out, or see: costopt strategies",
        )
    if reason is not None:
        progress.note(f"{template.source.path}: {reason}")
    elif variant.template == template:
        what = "no change: a variable's value is shortened when a request is made"
        progress.note(f"{template.source.path}: {what}")
    elif variant.dropped:
        lost = ", ".join(clean(anchor, 60) for anchor in variant.dropped)
        progress.note(f"{template.source.path}: dropped {lost}")
    return variant


def _lossless(
    template: "PromptTemplate", context: "StrategyContext", progress: "Progress"
) -> "Variant":
    """Apply every lossless strategy of costopt's own that the guard lets pass, in order."""
    from ..compressors.registry import entries
    from ..core.types import StrategySpec, Variant

    variant = Variant(name="baseline", template=template)
    for known in entries():
        if known.safety == "lossless" and not known.control and known.plugin is None:
            found = _propose(variant.template, (StrategySpec(known.name),), context)
            variant = variant if found.rejected else found
    if variant.template.messages == template.messages:
        progress.note(f"{template.source.path}: no change")
    return variant


def _propose(
    template: "PromptTemplate", chain: "tuple[StrategySpec, ...]", context: "StrategyContext"
) -> "Variant":
    from ..compressors.variants import propose

    return propose(template, (chain,), context)[0]
