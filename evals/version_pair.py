"""Two versions of a prompt and the rows that fill both, ready for any target."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ..core.checked import HEAD
from ..core.discovery import LoadedPrompt
from ..core.errors import CostoptError
from ..core.spans import spans
from ..core.types import EvalSet, PromptTemplate, SpanKind, Variant
from .evalset import load_eval_set
from .metrics import get
from .options import AnalyzeOptions
from .prepare import Prepared, check_renders, inline_rows, prepare_with

_NAMED = 3


@dataclass(frozen=True, kw_only=True)
class Versions:
    """Two versions of a prompt.

    Attributes:
        head: The version that is checked.
        base: The version that it is held against; ``None`` where the prompt was added.
        eval_set: The rows for both: base's where base has some, else head's; ``None`` where
            neither has a file of rows.
        shown_eval_set: How that path is shown in the report; ``None`` for as it is.
    """

    head: LoadedPrompt
    base: LoadedPrompt | None
    eval_set: Path | None
    shown_eval_set: str | None


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two versions, ready to be measured.

    Attributes:
        base: What is held against: the base's text; for an added prompt its own.
        head: The same with the head's text: what the report is about.
        added: Whether there is no base.
        notes: What is to be known before any answer.
    """

    base: Prepared
    head: Prepared
    added: bool
    notes: tuple[str, ...] = ()

    @property
    def variant(self) -> Variant | None:
        """The head as a variant of the base; ``None`` for an added prompt."""
        return None if self.added else Variant(name=HEAD, template=self.head.template)

    @property
    def by_answers(self) -> bool:
        """Whether only generated answers can tell the versions apart."""
        return answers_may_differ(self.base.template, self.head.template)


def pair_up(versions: Versions, options: AnalyzeOptions) -> Pair:
    """Load the rows, and make both versions ready.

    Metric, margin, feature and calls a month are the base's where there is a base: a change is not
    judged by rules that it brings itself.

    Raises:
        CostoptError: rows of an added prompt that cannot be read, an unknown metric, or no judge
            for it.
    """
    old = (versions.base or versions.head).template
    new = versions.head.template
    asked = get(options.metric) if options.metric else None
    rows, notes = _rows(versions, options, old, new)
    base = _without_logs(prepare_with(old, rows, asked, options))
    calls, feature = base.template.calls_per_month, base.template.feature
    head = replace(base, template=replace(new, calls_per_month=calls, feature=feature))
    if versions.base is not None:
        notes += list(_rules_brought(old, new))
    return Pair(base=base, head=head, added=versions.base is None, notes=tuple(notes))


def _without_logs(prompt: Prepared) -> Prepared:
    """Leave out how long answers are in use: that is known of one version and not of the other."""
    return replace(prompt, rule=replace(prompt.rule, output_tokens_per_call=None))


def same_requests(old: PromptTemplate, new: PromptTemplate) -> bool:
    """Say whether two versions ask a model for exactly the same, whatever else differs."""
    return all(
        getattr(old, name) == getattr(new, name)
        for name in ("messages", "syntax", "settings", "defaults")
    )


def answers_may_differ(old: PromptTemplate, new: PromptTemplate) -> bool:
    """Say whether the change is about the answers, which a forced reference does not see.

    That is so where the settings differ, or what a prompt says about the answer's format, or its
    limits.
    """
    return old.settings != new.settings or _about_answers(old) != _about_answers(new)


def _about_answers(template: PromptTemplate) -> Counter[str]:
    return Counter(
        " ".join(message.content[span.start : span.end].split())
        for message in template.messages
        for span in spans(message.content, template.syntax)
        if span.kind in (SpanKind.FORMAT, SpanKind.LIMIT)
    )


def _rows(
    versions: Versions, options: AnalyzeOptions, old: PromptTemplate, new: PromptTemplate
) -> tuple[EvalSet | None, list[str]]:
    """Return rows that fill both versions, else none and why."""
    try:
        found = _loaded(versions, options, old, new)
    except CostoptError as error:
        # The base's own rows may be broken, and a change that mends them has to be looked at.
        if versions.base is None or versions.eval_set is None:
            raise
        return None, [f"not measured: its eval rows cannot be read: {error}"]
    if found is None:
        return None, []
    for name, template in (("head", new), ("base", old)):
        why = _unfilled(template, found)
        if why is not None:
            who = "the prompt" if versions.base is None else f"the {name}'s version"
            return None, [
                f"not measured: {who} {why}; tokens are counted without rows, placeholders included"
            ]
    return found, []


def _loaded(
    versions: Versions, options: AnalyzeOptions, old: PromptTemplate, new: PromptTemplate
) -> EvalSet | None:
    source = versions.eval_set or options.eval_set
    if source is None:
        return inline_rows(old) or inline_rows(new)
    names = tuple(dict.fromkeys((*old.variables, *new.variables)))
    return load_eval_set(
        source,
        variables=names,
        # What a row may lack is looked at for each version apart.
        defaults=dict.fromkeys(names),
        shown=versions.shown_eval_set or str(source),
        offline=options.offline,
    )


def _unfilled(template: PromptTemplate, rows: EvalSet) -> str | None:
    """Say why rows do not fill a version; ``None`` where they do."""
    needed = [name for name in template.variables if name not in template.defaults]
    lacking = Counter(n for row in rows.samples for n in needed if n not in row.inputs)
    if lacking:
        names = ", ".join(f"{{{name}}}" for name in [*lacking][:_NAMED])
        more = f" and {len(lacking) - _NAMED} more" if len(lacking) > _NAMED else ""
        count, total = max(lacking.values()), len(rows.samples)
        return f"asks for {names}{more}, which {count} of {total} rows of {rows.path} lack"
    try:
        check_renders(template, rows)
    except CostoptError as error:
        return f"cannot be filled: {error.what}"
    return None


def _rules_brought(old: PromptTemplate, new: PromptTemplate) -> Iterator[str]:
    """Say which rules the head changes, which take effect once it is the base."""
    for name in ("metric", "margin", "calls_per_month", "feature"):
        was, now = getattr(old, name), getattr(new, name)
        if was != now:
            sets = f"sets {name} to {now}" if now is not None else f"no longer sets {name}"
            before = "did not set it" if was is None else f"sets {was}"
            yield f"the head {sets}, which does not count before it is merged: the base {before}"
