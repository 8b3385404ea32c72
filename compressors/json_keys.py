"""CO409: JSON answers with short keys, which a decoder restores."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from string import ascii_lowercase
from typing import Any, ClassVar, Self

from ..core.protocols import TokenCounter
from ..core.types import PromptTemplate, Safety, Side
from .answer_json import AnswerJson, answer_json
from .base import NotApplicable, Strategy, StrategyContext
from .placement import add_instruction

_LEAD = "Write the JSON with short keys:"
_PLAIN = re.compile(r"[\w$ /-]{1,60}")
_ATTEMPTS = 64
_LONGEST = 1_000_000


@dataclass(frozen=True, kw_only=True)
class JsonKeys(Strategy):
    r"""Ask for JSON answers with short keys and values, which a decoder restores.

    Adds one line that gives the short form of each key of the answer, and of each string that the
    schema allows as a value, where the short form saves tokens in the answer; a response schema of
    the settings gets the short forms, too. Where the JSON of the answer stands in the prompt is
    found out; ``keys`` and ``values`` say it where that is not clear. Answers are restored before
    they are scored; a program restores them with the same strategy, as in the example.

    What it can break:
        A small model may mix long and short keys (both are understood), or follow the prompt's own
        example. Whoever reads raw answers, or streams them to a parser, must restore them first.

    Args:
        keys: ``long=short``, joined by ``;``. ``None`` finds them in the prompt.
        values: ``key.long=short``, joined by ``;``: allowed values of a key.

    Reference:
        JSON without repeated long names, as in columnar and binary forms of it (CBOR's integer
        keys, RFC 9052, section 1.4).

    Example:
        >>> from costopt.compressors import get
        >>> get("json-keys", keys="order_number=o").restore('Here: {"o": "A1"}')
        'Here: {"order_number": "A1"}'
    """

    name: ClassVar[str] = "json-keys"
    code: ClassVar[str] = "CO409"
    side: ClassVar[Side] = "output"
    safety: ClassVar[Safety] = "lossy"
    summary: ClassVar[str] = "asks for JSON with short keys, which a decoder restores"
    reference: ClassVar[str] = "RFC 9052, section 1.4"
    needs: ClassVar[frozenset[str]] = frozenset({"counter"})
    example: ClassVar[str] = (
        'Answer with JSON: {"customer-name": "", "delivery-postcode": ""}\n\nEmail: {email}'
    )

    keys: str | None = None
    values: str | None = None

    def __post_init__(self) -> None:
        """Check that short forms are given for each, once."""
        for name, pairs in (("keys", self._keys), ("values", self._values)):
            holds = pairs is not None and len(set(pairs.values())) == len(pairs)
            self._require(name, holds, "LONG=SHORT joined by ;, each short form once")
        dotted = all("." in long for long in self._values or {})
        self._require("values", dotted, "KEY.LONG=SHORT joined by ;")

    @property
    def _keys(self) -> dict[str, str] | None:
        return _read(self.keys)

    @property
    def _values(self) -> dict[str, str] | None:
        return _read(self.values)

    def bind(self, template: PromptTemplate, context: StrategyContext) -> Self:
        """Return this strategy with the short forms of the prompt's own JSON.

        Raises:
            NotApplicable: it asks for no JSON that could be shorter.
        """
        if self.keys is not None or self.values is not None:
            return self
        known = answer_json(template)
        if known is None:
            raise NotApplicable("it is not clear which JSON the answer has; say keys=LONG=SHORT")
        keys = _shortened(known.names, known.names, context.count)
        values = _short_values(known, context.count)
        if not keys and not values:
            raise NotApplicable("no key of the answer's JSON gets shorter in tokens")
        return replace(self, keys=_written(keys), values=_written(values))

    def apply(self, template: PromptTemplate, context: StrategyContext) -> PromptTemplate:
        """Return the template with the line, and the short forms in its response schema.

        Raises:
            NotApplicable: the prompt asks for no JSON that could be shorter.
        """
        if any(_LEAD in message.content for message in template.messages):
            return template
        bound = self.bind(template, context)
        short = _Short(bound._keys or {}, bound._values or {})
        after = add_instruction(template, short.line())
        schema = template.settings.response_schema
        if after == template or schema is None:
            return after
        return replace(
            after, settings=replace(after.settings, response_schema=short.schema(schema))
        )

    def restore(self, answer: str) -> str:
        """Return an answer with the long names and values in its JSON; all else as it is.

        An answer in which no JSON is found stays as it is.
        """
        keys, values = self._keys or {}, self._values or {}
        if not (keys or values) or len(answer) > _LONGEST:
            return answer
        back = _Long({s: n for n, s in keys.items()}, values)
        parts: list[str] = []
        at = 0
        for start, end, value in _json_in(answer):
            parts += [answer[at:start], json.dumps(back(value), ensure_ascii=False)]
            at = end
        return "".join([*parts, answer[at:]])


def _read(text: str | None) -> dict[str, str] | None:
    """Read ``long=short;…``; ``None`` where it is malformed."""
    found: dict[str, str] = {}
    for pair in (text or "").split(";") if text else ():
        name, equals, short = pair.rpartition("=")
        if not equals or not name or not short or name in found:
            return None
        found[name] = short
    return found


def _written(pairs: Mapping[str, str]) -> str | None:
    return ";".join(f"{name}={short}" for name, short in pairs.items()) or None


def _shortened(names: Iterable[str], taken: Iterable[str], count: TokenCounter) -> dict[str, str]:
    """Return a short form of each name that is longer in tokens than its short form is."""
    used, found = set(taken), dict[str, str]()
    for name in names:
        short = next(one for one in _candidates(name) if one not in used)
        if _PLAIN.fullmatch(name) and count(f'"{short}":') < count(f'"{name}":'):
            found[name] = short
            used.add(short)
    return found


def _candidates(name: str) -> Iterator[str]:
    """Yield the name's own letters, then all others, then numbers with an x before them."""
    letters = [letter for letter in name.lower() if letter in ascii_lowercase]
    yield from dict.fromkeys([*letters, *ascii_lowercase])
    number = 1
    while True:
        yield f"x{number}"
        number += 1


def _short_values(known: AnswerJson, count: TokenCounter) -> dict[str, str]:
    return {
        f"{name}.{value}": short
        for name, allowed in known.values.items()
        if _PLAIN.fullmatch(name)
        for value, short in _shortened(allowed, allowed, count).items()
    }


@dataclass(frozen=True)
class _Short:
    """From long to short."""

    keys: Mapping[str, str]
    values: Mapping[str, str]

    def line(self) -> str:
        said = [f"{short} for {name}" for name, short in self.keys.items()]
        parts = [f"{_LEAD} {', '.join(said) if said else 'none'}."]
        by_key: dict[str, list[str]] = {}
        for dotted, short in self.values.items():
            key, _, value = dotted.partition(".")
            by_key.setdefault(key, []).append(f"{short} for {value}")
        parts += [f"Values of {key}: {', '.join(some)}." for key, some in by_key.items()]
        return " ".join(parts)

    def schema(self, schema: Any, owner: str | None = None) -> Any:  # noqa: ANN401
        """Return a JSON Schema with the short names and values in the place of the long ones."""
        if isinstance(schema, list):
            return [self.schema(item, owner) for item in schema]
        if not isinstance(schema, Mapping):
            return schema
        return {key: self._part(key, value, owner) for key, value in schema.items()}

    def _part(self, key: str, value: Any, owner: str | None) -> Any:  # noqa: ANN401
        if key == "properties" and isinstance(value, Mapping):
            return {self.keys.get(n, n): self.schema(inner, n) for n, inner in value.items()}
        if key == "required" and isinstance(value, list):
            return [self.keys.get(name, name) for name in value]
        if key == "enum" and owner and isinstance(value, list):
            return [self.values.get(f"{owner}.{one}", one) for one in value]
        if key in ("const", "default", "examples", "description", "title"):
            return value
        return self.schema(value, owner)


@dataclass(frozen=True)
class _Long:
    """From short to long."""

    keys: Mapping[str, str]
    values: Mapping[str, str]

    def __call__(self, value: Any, owner: str | None = None) -> Any:  # noqa: ANN401
        if isinstance(value, dict):
            named = ((self._name(name, value), item) for name, item in value.items())
            return {name: self(item, name) for name, item in named}
        if isinstance(value, list):
            return [self(item, owner) for item in value]
        if owner and isinstance(value, str):
            prefix = f"{owner}."
            for dotted, short in self.values.items():
                if short == value and dotted.startswith(prefix):
                    return dotted[len(prefix) :]
        return value

    def _name(self, short: str, among: Mapping[str, Any]) -> str:
        """Return the long name, unless that is there as well."""
        name = self.keys.get(short, short)
        return short if name in among else name


def _json_in(text: str) -> Iterator[tuple[int, int, Any]]:
    """Yield ranges and values of JSON objects and arrays, the outermost from left to right."""
    decoder: Callable[..., tuple[Any, int]] = json.JSONDecoder().raw_decode
    attempts, at = _ATTEMPTS, 0
    for opening in re.finditer(r"[{\[]", text):
        if opening.start() < at or attempts == 0:
            continue
        try:
            value, end = decode_at(decoder, text, opening.start())
        except ValueError:
            attempts -= 1
            continue
        yield opening.start(), end, value
        at = end


def decode_at(decoder: Callable[..., tuple[Any, int]], text: str, start: int) -> tuple[Any, int]:
    """Decode at an offset; one nested too deeply is no JSON."""
    try:
        return decoder(text, start)
    except RecursionError:
        raise ValueError("nested too deeply") from None
