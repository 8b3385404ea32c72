"""Front matter: where it stands in a text, and what its keys mean."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

from .documents import Document, Node
from .errors import nearest
from .types import GenerationSettings, Syntax

KNOWN = (
    "name",
    "feature",
    "targets",
    "metric",
    "margin",
    "calls_per_month",
    "eval_set",
    "settings",
    "placeholders",
    "defaults",
)
SETTINGS = (
    "max_output_tokens",
    "temperature",
    "stop",
    "seed",
    "effort",
    "response_schema",
    "tools",
)
BOM = "\ufeff"
_FENCE = re.compile(r"---[ \t]*(?:\r?\n|\Z)")
_CLOSE = re.compile(r"^---[ \t]*(?:\r?\n|\Z)", re.MULTILINE)
_PREAMBLE = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)*")


@dataclass(frozen=True, slots=True)
class Split:
    """Offsets of a text's parts; without front matter, ``start == end``."""

    start: int
    """Where the YAML begins."""
    end: int
    """Where the YAML ends: the closing fence."""
    body: int
    """Where the template begins."""
    closed: bool = True
    """False where the opening fence has no closing one."""

    @property
    def present(self) -> bool:
        """Whether there is front matter."""
        return self.end > self.start or self.body > self.end


def split(text: str, *, comments: bool = False) -> Split:
    r"""Find the front matter between two lines of three dashes.

    Args:
        text: A file's text, byte-order mark and newlines untouched.
        comments: Whether ``#`` lines may stand before it (a licence header in ``.prompt``).

    Example:
        >>> found = split("---\nname: x\n---\nHello")
        >>> found.start, found.end, found.body
        (4, 12, 16)
    """
    start = len(BOM) if text.startswith(BOM) else 0
    at = start
    if comments and (preamble := _PREAMBLE.match(text, start)):
        at = preamble.end()
    opening = _FENCE.match(text, at)
    if not opening:
        return Split(start, start, start)
    closing = _CLOSE.search(text, opening.end())
    if not closing:
        return Split(start, start, start, closed=False)
    return Split(opening.end(), closing.start(), closing.end())


@dataclass(frozen=True, kw_only=True)
class Meta:
    """What a prompt's file says about it, typed; ``None`` where it says nothing."""

    name: str | None = None
    feature: str | None = None
    targets: tuple[str, ...] = ()
    metric: str | None = None
    margin: float | None = None
    calls_per_month: int | None = None
    eval_set: str | None = None
    settings: GenerationSettings = field(default_factory=GenerationSettings)
    placeholders: Syntax | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict[str, Any])


def read_meta(document: Document, node: Node | None = None) -> Meta:
    """Read the keys of contract.md from a mapping; other tools' keys are left alone.

    Args:
        document: The front matter, or the chat file.
        node: The mapping; the document's root where it is left out.

    Raises:
        CostoptError: a value of the wrong type or range, or a key that is nearly a known one.
    """
    root = node or document.root
    if root.value is None:
        return Meta()
    reader = _Reader(document, root)
    for key, at in root.keys.items():
        _refuse_typo(document, key, at)
    name = root.get("name")
    return Meta(
        name=str(name.value) if name and isinstance(name.value, (str, int, float)) else None,
        feature=reader.text("feature"),
        targets=reader.texts("targets"),
        metric=reader.text("metric"),
        margin=reader.number("margin", 0, math.inf),
        calls_per_month=reader.whole("calls_per_month", 0),
        eval_set=reader.text("eval_set"),
        settings=read_settings(document, root.get("settings")),
        placeholders=_placeholders(document, root.get("placeholders")),
        defaults=reader.mapping("defaults") or {},
    )


def _refuse_typo(document: Document, key: object, at: int) -> None:
    if not isinstance(key, str) or key in KNOWN or len(key) > 60:
        return
    for known in KNOWN:
        if SequenceMatcher(None, key.lower(), known).ratio() >= 0.8:
            raise document.error(at, f'unknown key "{key}"', f'did you mean "{known}"?')


def _placeholders(document: Document, node: Node | None) -> Syntax | None:
    if node is None:
        return None
    if node.value not in list(Syntax):
        known = nearest(str(node.value), [syntax.value for syntax in Syntax])
        raise document.error(node, f"placeholders: unknown kind {node.value!r}", known)
    return Syntax(node.value)


def read_settings(document: Document, node: Node | None) -> GenerationSettings:
    """Read costopt's own ``settings`` mapping.

    Raises:
        CostoptError: an unknown setting, or one out of its range.
    """
    if node is None or node.value is None:
        return GenerationSettings()
    if not isinstance(node.value, dict):
        raise document.error(node, "settings must be a mapping")
    for key, at in node.keys.items():
        if key not in SETTINGS:
            raise document.error(at, f'unknown setting "{key}"', nearest(str(key), SETTINGS))
    return settings_of(document, {key: node.get(key) for key in SETTINGS})


def settings_of(document: Document, nodes: Mapping[str, Node | None]) -> GenerationSettings:
    """Return settings from nodes named by costopt's words; what is missing has its default.

    Raises:
        CostoptError: a value of the wrong type or range.
    """
    present = {key: node for key, node in nodes.items() if node is not None}
    reader = _Reader(document, Node(None, 0, 0, fields=present))
    default = GenerationSettings()
    tools = reader.value("tools")
    if tools is not None and not (
        isinstance(tools, list) and all(isinstance(tool, dict) for tool in tools)
    ):
        raise document.error(present["tools"], "tools must be a list of mappings")
    temperature = reader.number("temperature", 0, 2)
    return GenerationSettings(
        max_output_tokens=reader.whole("max_output_tokens", 1) or default.max_output_tokens,
        temperature=default.temperature if temperature is None else temperature,
        stop=reader.texts("stop"),
        seed=reader.whole("seed", None),
        effort=reader.text("effort"),
        response_schema=reader.mapping("response_schema"),
        tools=tuple(tools or ()),
    )


class _Reader:
    """Typed access to a mapping's fields; each error names the field and its place."""

    def __init__(self, document: Document, root: Node) -> None:
        self.document, self.root = document, root
        if not isinstance(root.value, (dict, type(None))):
            raise document.error(root, "the front matter must be a mapping")

    def value(self, key: str) -> Any:  # noqa: ANN401
        node = self.root.get(key)
        return None if node is None else node.value

    def _typed(self, key: str, fits: Callable[[Any], bool], words: str) -> Any:  # noqa: ANN401
        node = self.root.get(key)
        if node is None or node.value is None:
            return None
        if not fits(node.value):
            shown = repr(node.value)[:60]
            raise self.document.error(node, f"{key} must be {words}, not {shown}")
        return node.value

    def text(self, key: str) -> str | None:
        return self._typed(key, lambda v: isinstance(v, str) and bool(v.strip()), "a text")

    def texts(self, key: str) -> tuple[str, ...]:
        found = self._typed(key, _is_texts, "a text or a list of texts")
        return (found,) if isinstance(found, str) else tuple(found or ())

    def whole(self, key: str, low: int | None) -> int | None:
        words = "a whole number" + (f" of at least {low}" if low is not None else "")
        return self._typed(
            key,
            lambda v: isinstance(v, int) and not isinstance(v, bool) and (low is None or v >= low),
            words,
        )

    def number(self, key: str, low: float, high: float) -> float | None:
        words = f"a number from {low}" + (f" to {high}" if math.isfinite(high) else "")
        found = self._typed(
            key,
            lambda v: (
                isinstance(v, (int, float))
                and not isinstance(v, bool)
                and math.isfinite(v)
                and low <= v <= high
            ),
            words,
        )
        return None if found is None else float(found)

    def mapping(self, key: str) -> dict[str, Any] | None:
        return self._typed(key, lambda v: isinstance(v, dict), "a mapping")


def _is_texts(value: object) -> bool:
    return isinstance(value, str) or (
        isinstance(value, list) and all(isinstance(item, str) for item in value)
    )
