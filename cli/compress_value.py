"""What ``costopt compress`` does where the file is a variable's value and not a prompt."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import CostoptError, Where
from ..reports.safe import clean

if TYPE_CHECKING:
    from ..compressors.base import ContextStrategy, StrategyContext
    from ..compressors.values import Cut
    from ..core.progress import Progress

_DROPPED_SHOWN = 8


def shorten_file(
    file: Path,
    strategies: "Sequence[ContextStrategy]",
    question: str | None,
    context: "StrategyContext",
    progress: "Progress",
    *,
    limit: int,
    asked: bool,
    write: bool,
) -> tuple[str, str]:
    """Return a value's file as it is and as it is shortened; what was reached is said.

    Args:
        file: The file, or ``-``.
        strategies: The chain.
        question: What the value is to answer, for strategies that read it.
        context: What strategies are handed.
        progress: Told what was reached.
        limit: The most bytes to read.
        asked: Whether the user said that the file is a value; else a prompt is refused.
        write: Whether the file is to be changed in place.

    Raises:
        CostoptError: the file cannot be read, seems to be a prompt, or a strategy lacks something.
    """
    from ..compressors.base import NotApplicable
    from ..compressors.value_files import read_value
    from ..compressors.values import cut_by_all
    from .source import read_text

    raw = read_text(file, limit)
    if not asked:
        _doubt(raw, file, strategies[0].name, progress, write)
    held = read_value(raw, strategies)
    try:
        made = cut_by_all(strategies, held.value, question, context)
    except NotApplicable as error:
        hint = 'ask with --question "…"' if question is None else None
        raise CostoptError(error.reason, where=Where(_shown(file)), hint=hint) from None
    if question is not None and not any(strategy.reads_question for strategy in strategies):
        progress.note(f"{', '.join(s.name for s in strategies)}: the question is not read")
    _say(made, _shown(file), context.count.tokenizer, progress)
    return raw, held.written(made.value)


def _doubt(text: str, file: Path, name: str, progress: "Progress", write: bool) -> None:
    """Raise a `CostoptError` for a prompt, so that it is not cut by mistake.

    Single braces are common in documents too, as marks of a transcript or in code: they are only
    noted, unless the file is to be changed.
    """
    from ..core.formats import load_string
    from ..core.types import Syntax

    try:
        template = load_string(text, format="text")
    except CostoptError:
        return
    if not template.variables:
        return
    shown = ", ".join(clean(variable, 40) for variable in template.variables[:4])
    if template.syntax is Syntax.FSTRING and not write:
        what = f"read as a value, and {shown} in braces as text; a prompt's variable is named by"
        progress.note(f"{_shown(file)}: {what} {name}:on=NAME")
        return
    raise CostoptError(
        f"this seems to be a prompt, with the variables {shown}; {name} shortens values",
        where=Where(_shown(file)),
        hint=f"say --value if it is one, or name the variable: {name}:on="
        f"{clean(template.variables[0], 40)}",
    )


def _say(made: "Cut", shown: str, tokenizer: str, progress: "Progress") -> None:
    rate = f", rate {made.after / made.before:.2f}" if made.before else ""
    progress.note(
        f"{shown}: {made.before:,} tokens before, {made.after:,} after ({tokenizer}){rate}"
    )
    for note in made.notes:
        progress.note(note)
    if made.dropped:
        lost = ", ".join(clean(anchor, 60) for anchor in made.dropped[:_DROPPED_SHOWN])
        more = len(made.dropped) - _DROPPED_SHOWN
        progress.note(f"{shown}: dropped {lost}{f' and {more:,} more' if more > 0 else ''}")


def _shown(file: Path) -> str:
    return "<stdin>" if str(file) == "-" else file.as_posix()
