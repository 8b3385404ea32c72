"""The strategies by name. Nothing is imported before it is asked for."""

import importlib
import reprlib
from collections.abc import Iterable, Sequence
from dataclasses import MISSING, dataclass, fields
from functools import cache
from operator import attrgetter
from typing import Any

from ..core.errors import CostoptError, nearest
from ..core.types import Safety, Side, StrategySpec
from .base import Strategy
from .parameters import fits, hints, shown, typed
from .plugins import Plugin, plugins


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A strategy's place in the registry."""

    name: str
    code: str
    target: str
    """``module:class``."""
    side: Side
    safety: Safety
    summary: str
    control: bool = False
    """Whether it stands in every comparison for others to beat, and is never recommended."""
    extra: str | None = None
    """The package's extra that it needs, if any."""
    plugin: str | None = None
    """The package that it comes from, with its version; ``None`` where it is costopt's own."""


def _entry(
    code: str,
    name: str,
    target: str,
    side: Side,
    safety: Safety,
    summary: str,
    *,
    control: bool = False,
    extra: str | None = None,
) -> Entry:
    return Entry(
        name=name, code=code, target=f"costopt.compressors.{target}", side=side, safety=safety,
        summary=summary, control=control, extra=extra,
    )  # fmt: skip


_ENTRIES: tuple[Entry, ...] = (
    _entry("CO001", "none", "controls:NoChange", "input", "lossless",
           "changes nothing: shows the noise of the measurement", control=True),
    _entry("CO002", "answer-concisely", "controls:AnswerConcisely", "output", "lossy",
           'adds the one line "Answer concisely."', control=True),
    _entry("CO003", "empty-variables", "controls:EmptyVariables", "input", "lossy",
           "empties every variable: shows whether the metric can tell", control=True),
    _entry("CO101", "whitespace", "whitespace:Whitespace", "input", "lossless",
           "removes trailing blanks and runs of blank lines"),
    _entry("CO102", "table-compact", "table_compact:TableCompact", "input", "lossless",
           "removes the padding of Markdown tables"),
    _entry("CO103", "markup", "markup:Markup", "input", "lossy",
           "removes emphasis, rules and other marks that decorate"),
    _entry("CO104", "html-to-text", "html_to_text:HtmlToText", "input", "lossy",
           "writes embedded HTML as Markdown", extra="text"),
    _entry("CO201", "json-minify", "json_minify:JsonMinify", "input", "lossless",
           "writes embedded JSON without indentation"),
    _entry("CO202", "data-format", "data_format:DataFormat", "input", "lossy",
           "writes embedded data as compact JSON, CSV or TOON"),
    _entry("CO203", "repeated-rule", "repeated_rule:RepeatedRule", "input", "lossy",
           "drops sentences that repeat an earlier one"),
    _entry("CO204", "dedupe", "dedupe:Dedupe", "input", "lossy",
           "drops sentences that nearly repeat an earlier one"),
    _entry("CO205", "schema-diet", "schema_diet:SchemaDiet", "input", "lossy",
           "drops from schemas what does not constrain"),
    _entry("CO210", "filler", "filler:Filler", "input", "lossy",
           "drops politeness, hedges and wordy phrases"),
    _entry("CO211", "synonyms", "synonyms:Synonyms", "input", "lossy",
           "uses shorter words for the same thing"),
    _entry("CO220", "examples", "examples_select:Examples", "input", "lossy",
           "keeps the fewest few-shot examples that do as well on samples"),
    _entry("CO221", "sections", "sections:Sections", "input", "lossy",
           "drops the sections that earn nothing on samples"),
    _entry("CO222", "minimise", "minimise:Minimise", "input", "lossy",
           "keeps the fewest sentences that do as well on samples"),
    _entry("CO223", "rewrite", "rewrite:Rewrite", "input", "lossy",
           "lets the target say the same in fewer words, checked on samples"),
    _entry("CO230", "cache-order", "cache_order:CacheOrder", "input", "lossy",
           "puts what is the same in every request first"),
    _entry("CO320", "llmlingua", "llmlingua:LLMLingua", "input", "lossy",
           "drops the tokens that a small language model finds predictable", extra="llmlingua"),
    _entry("CO321", "longllmlingua", "longllmlingua:LongLLMLingua", "input", "lossy",
           "drops what a small language model finds no help for the question", extra="llmlingua"),
    _entry("CO322", "llmlingua2", "llmlingua2:LLMLingua2", "input", "lossy",
           "drops the words that a token classifier finds worth least", extra="llmlingua"),
    _entry("CO323", "self-information", "self_information:SelfInformation", "input", "lossy",
           "drops the words of a context that tell least", extra="llmlingua"),
    _entry("CO324", "common-words", "common_words:CommonWords", "input", "lossy",
           "drops the words of a context that are most common"),
    _entry("CO330", "sentences", "sentences:Sentences", "input", "lossy",
           "keeps the sentences of a context that the question asks for"),
    _entry("CO331", "history", "history:History", "input", "lossy",
           "keeps the turns of a conversation that the question asks for"),
    _entry("CO401", "answer-only", "answer_only:AnswerOnly", "output", "lossy",
           "asks for the answer alone, in the format asked for"),
    _entry("CO402", "concise", "concise:Concise", "output", "lossy",
           "asks for concise answers, in one of several styles"),
    _entry("CO403", "token-budget", "token_budget:TokenBudget", "output", "lossy",
           "states how long the answer may be"),
    _entry("CO404", "max-tokens", "max_tokens:MaxTokens", "output", "lossy",
           "caps the answer at what the baseline's answers needed"),
    _entry("CO405", "chain-of-draft", "chain_of_draft:ChainOfDraft", "output", "lossy",
           "keeps the reasoning, in drafts of a few words a step"),
    _entry("CO406", "concise-cot", "concise_cot:ConciseCot", "output", "lossy",
           "keeps the reasoning, and asks for it to be concise"),
    _entry("CO407", "sketch", "sketch:Sketch", "output", "lossy",
           "keeps the reasoning, as a sketch instead of sentences"),
    _entry("CO408", "no-preamble", "no_preamble:NoPreamble", "output", "lossy",
           "asks for no greeting, no restated question, no closing remark"),
    _entry("CO409", "json-keys", "json_keys:JsonKeys", "output", "lossy",
           "asks for JSON with short keys, which a decoder restores"),
    _entry("CO410", "stop", "stop:Stop", "output", "lossy",
           "stops the answer where accepted answers end"),
    _entry("CO411", "effort", "effort:Effort", "output", "lossy",
           "asks a reasoning model for less reasoning"),
)  # fmt: skip


def entries() -> tuple[Entry, ...]:
    """Return all strategies by code: costopt's own, then those of plugins, which are imported."""
    return (*_ENTRIES, *_checked(plugins()).usable)


def problems() -> tuple[str, ...]:
    """Return a line for every plugin that cannot be used: which, of what package, and why."""
    return tuple(said for _, said in _checked(plugins()).wrong)


@dataclass(frozen=True)
class _Checked:
    usable: tuple[Entry, ...]
    wrong: tuple[tuple[Plugin, str], ...]


@cache
def _checked(declared: tuple[Plugin, ...]) -> _Checked:
    """Import plugins, and sort out what cannot be used; of two that clash the first stays."""
    found: list[Entry] = []
    wrong: list[tuple[Plugin, str]] = []
    for plugin in declared:
        item = _plugin_entry(plugin, (*_ENTRIES, *found))
        if isinstance(item, Entry):
            found.append(item)
        else:
            wrong.append((plugin, f"{_said(plugin)}: {item}"))
    return _Checked(tuple(sorted(found, key=lambda item: item.code)), tuple(wrong))


def _said(plugin: Plugin) -> str:
    return f"strategy {plugin.name!r} of {plugin.package} cannot be used"


def _plugin_entry(plugin: Plugin, known: Iterable[Entry]) -> Entry | str:
    """Return a plugin's place in the registry, or why it has none."""
    cls = plugin.load()
    if isinstance(cls, str):
        return cls
    for item in known:
        if cls.name == item.name or cls.code == item.code:
            taken = f"the name {cls.name!r}" if cls.name == item.name else f"the code {cls.code}"
            return f"{taken} is taken by {item.name} of {item.plugin or 'costopt'}"
    return Entry(
        name=cls.name, code=cls.code, target=f"{plugin.point.module}:{plugin.point.attr}", side=cls.side, safety=cls.safety,  # noqa: E501
        summary=cls.summary, plugin=plugin.package,
    )  # fmt: skip


def entry(name: str, *, also: Sequence[str] = ()) -> Entry:
    """Return a strategy's entry by its name or code.

    Args:
        name: The name or code.
        also: Names and codes that are no strategies' and would have been known as well.

    Raises:
        CostoptError: there is none; the hint names the nearest.

    Example:
        >>> entry("CO210").name
        'filler'
    """
    for item in _ENTRIES:
        if name in (item.name, item.code):
            return item
    return _of_plugins(name, also)


def _of_plugins(name: str, also: Sequence[str]) -> Entry:
    """Find an entry among the plugins, or say why there is none."""
    checked = _checked(plugins())
    for item in checked.usable:
        if name in (item.name, item.code):
            return item
    for plugin, said in checked.wrong:
        if name == plugin.name:
            raise CostoptError(said, hint=f"mend or uninstall {plugin.package}")
    known = [text for item in (*_ENTRIES, *checked.usable) for text in (item.name, item.code)]
    hint = nearest(name, [*known, *also], otherwise="costopt strategies lists them all")
    raise CostoptError(f"unknown strategy{' or finding' if also else ''} {name!r}", hint=hint)


def load(name: str) -> type[Strategy]:
    """Import a strategy's class.

    Raises:
        CostoptError: there is none of that name, or the extra that it needs is not installed.
    """
    item = entry(name)
    module, _, attribute = item.target.partition(":")
    try:
        found: type[Strategy] = attrgetter(attribute)(importlib.import_module(module))
    except ImportError as error:
        if item.extra is None:
            raise
        raise CostoptError(
            f"strategy {item.name} needs the extra {item.extra!r} ({error})",
            hint=f'pip install "costopt[{item.extra}]"',
        ) from error
    return found


def get(name: str, **params: Any) -> Strategy:  # noqa: ANN401 - a strategy's own parameters
    """Make a strategy.

    Args:
        name: Its name or code.
        **params: Its parameters; those left out have their defaults.

    Raises:
        CostoptError: the name or a parameter is unknown, or a value is out of range.

    Example:
        >>> get("token-budget", tokens=40).get_params()["tokens"]
        40
    """
    cls = load(name)
    known = {item.name: item for item in fields(cls)}
    for param, value in params.items():
        if param not in known:
            raise CostoptError(
                f"strategy {cls.name} has no parameter {param!r}",
                hint=nearest(param, known) if known else "it has none",
            )
        if not fits(value, hints(cls)[param]):
            raise _of_another_type(cls, param, value)
    for item in known.values():
        required = item.default is MISSING and item.default_factory is MISSING
        if required and item.name not in params:
            raise CostoptError(
                f"strategy {cls.name} needs the parameter {item.name!r}",
                hint=f"write {cls.name}:{item.name}=…",
            )
    return cls(**params)


def _of_another_type(cls: type[Strategy], param: str, value: object) -> CostoptError:
    shorter = reprlib.repr(value)
    kind = shown(hints(cls)[param])
    return CostoptError(
        f"parameter {param!r} of strategy {cls.name} must be of type {kind}, got {shorter}",
        hint=f"costopt explain {cls.code} lists its parameters",
    )


def build(spec: StrategySpec) -> Strategy:
    """Make the strategy that a spec describes.

    Raises:
        CostoptError: as :func:`get`.
    """
    return get(spec.name, **spec.params)


def _params(name: str, pairs: Iterable[str]) -> dict[str, Any]:
    cls = load(name)
    known = {item.name: hints(cls)[item.name] for item in fields(cls)}
    params: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = (part.strip() for part in pair.partition("="))
        if not equals or not key:
            raise CostoptError(
                f"parameter {pair!r} of strategy {name} is not key=value",
                hint=f"write {name}:key=value,key2=value2",
            )
        if key not in known:
            raise CostoptError(
                f"strategy {name} has no parameter {key!r}",
                hint=nearest(key, known) if known else "it has none",
            )
        try:
            params[key] = typed(value, known[key])
        except ValueError:
            raise _of_another_type(cls, key, value) from None
    return params


def parse_spec(text: str) -> tuple[StrategySpec, ...]:
    """Read a chain as it is written on the command line, and check it.

    Args:
        text: ``name``, ``name:key=value,key2=value2``, or several joined by ``+``.

    Raises:
        CostoptError: a name or a parameter is unknown, or a value is of the wrong type or range.

    Example:
        >>> [str(spec) for spec in parse_spec("filler+token-budget:tokens=40")]
        ['filler', 'token-budget:tokens=40']
    """
    specs: list[StrategySpec] = []
    for part in text.split("+"):
        written, colon, pairs = part.strip().partition(":")
        if not written:
            raise CostoptError(
                f"strategy chain {text!r} has an empty part", hint="write a name on each side of +"
            )
        name = entry(written).name
        spec = StrategySpec(name, _params(name, pairs.split(",")) if colon else {})
        if spec.params:
            build(spec)
        specs.append(spec)
    return tuple(specs)
