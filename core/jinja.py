"""Jinja, rendered by minijinja so that no template can run away.

Fuel stops loops, and what a loop prints; it does not stop values that hold themselves many
times over (``{% set b = [a, a, a] %}``, ``tojson(indent=10**9)``), nor deep expressions that
overflow the parser's own stack. So expressions have a bounded length, and a template that
does more than look up, compare, filter and loop is rendered in a process of its own, with
little memory and time.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .errors import CostoptError, Where
from .scanners import TemplateSyntaxError, Token, line_column, scan_jinja, syntax_error

MAX_PARTS = 1_000
"""Names, numbers and signs of one expression; minijinja's parser dies beyond 5,000."""
MAX_BRANCHES = 500
MEMORY_BYTES = 200_000_000
CPU_S = 1
WALL_S = 20

_PART = re.compile(r"\w+|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[^\w\s]", re.DOTALL)


def check_size(text: str, tokens: Iterable[Token]) -> None:
    """Refuse expressions and chains that minijinja's parser cannot bear.

    Raises:
        TemplateSyntaxError: an expression of too many parts, or too many branches.
    """
    branches = 0
    for token in tokens:
        if token.kind not in ("variable", "statement"):
            continue
        if len(token.inner) > MAX_PARTS and len(_PART.findall(token.inner)) > MAX_PARTS:
            what = f"an expression of more than {MAX_PARTS:,} parts"
            raise syntax_error(text, token.start, what, "move the data into a variable")
        branches += token.name == "elif"
        if branches > MAX_BRANCHES:
            raise syntax_error(text, token.start, f"more than {MAX_BRANCHES} elif branches")


def free_names(text: str, tokens: Iterable[Token]) -> frozenset[str]:
    """Return the names that a template does not bind itself, those of functions included.

    Raises:
        TemplateSyntaxError: broken Jinja, with line and column.
    """
    import minijinja

    check_size(text, tokens)
    try:
        return frozenset(minijinja.Environment().undeclared_variables_in_str(text))
    except (minijinja.TemplateError, ValueError) as error:
        raise broken(text, error) from None


def broken(text: str, error: Exception) -> TemplateSyntaxError:
    """Return minijinja's error as ours, with line and column."""
    detail = getattr(error, "detail", None) or str(error).split("\n")[0]
    return _placed(text, f"broken Jinja: {detail}", _facts(error))


def _facts(error: Exception) -> dict[str, Any]:
    """Return what a template error says, as plain data."""
    kind = str(getattr(error, "kind", ""))
    detail = getattr(error, "detail", None) or str(error).split("\n")[0]
    span = getattr(error, "range", None)
    return {
        "kind": kind,
        "detail": detail,
        "line": getattr(error, "line", None),
        "range": span and list(span),
    }


def _placed(text: str, what: str, facts: Mapping[str, Any]) -> TemplateSyntaxError:
    span = facts.get("range")
    if not span:
        return TemplateSyntaxError(what, where=Where("", facts.get("line")))
    before = text.encode("utf-8", "surrogatepass")[: span[0]].decode("utf-8", "ignore")
    return TemplateSyntaxError(what, where=Where("", *line_column(text, len(before))))


_KEYWORDS = {"and", "or", "not", "in", "is", "if", "else", "elif", "for"}
_STATEMENTS = {"if", "elif", "else", "endif", "for", "endfor", "raw", "endraw"}
_FILTERS = frozenset(
    [
        "upper",
        "lower",
        "trim",
        "title",
        "capitalize",
        "length",
        "count",
        "first",
        "last",
        "default",
        "d",
        "join",
        "tojson",
        "string",
        "int",
        "float",
        "round",
        "abs",
        "items",
        "list",
        "reverse",
        "sort",
        "unique",
        "e",
        "escape",
        "safe",
        "replace",
    ]
)
_LIST = re.compile(r"(?<![\w\])\"])\s*\[\s*(?:(?:\"\"|\d+)\s*,?\s*)*\]")
_SIGN = re.compile(r"\w+|\"\"|==|!=|<=|>=|[<>|.,()\[\]:-]|\s+|(.)", re.DOTALL)


def is_simple(tokens: Iterable[Token]) -> bool:
    """Return whether a template only looks up, compares, filters and loops.

    Example:
        >>> is_simple(scan_jinja("{% for d in docs %}{{ d.title|upper }}{% endfor %}"))
        True
        >>> is_simple(scan_jinja("{% set a = [b, b] %}")), is_simple(scan_jinja("{{ 'a' * n }}"))
        (False, False)
    """
    return all(_simple(t) for t in tokens if t.kind in ("variable", "statement"))


def _simple(token: Token) -> bool:
    if token.kind == "statement" and token.name not in _STATEMENTS:
        return False
    expression = re.sub(
        r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'", '""', token.inner, flags=re.DOTALL
    )
    expression = _LIST.sub(' ""', expression)
    before = earlier = ""
    for found in _SIGN.finditer(expression):
        part = found.group()
        if part.isspace():
            continue
        if found.group(1) or not _follows(part, before, earlier):
            return False
        earlier, before = before, part
    return True


def _follows(part: str, before: str, earlier: str) -> bool:
    """Return whether a part may stand after the two before it in a simple expression."""
    named = bool(before) and (before[0].isalnum() or before[0] == "_") and before not in _KEYWORDS
    if before == "|":
        return part in _FILTERS
    if part == "(":
        return not named or (earlier == "|" and before != "tojson")
    if part == "[":
        return named or before in ("]", ")")
    return True


def render_jinja(text: str, values: Mapping[str, Any], limit: int) -> str:
    """Render a template with plain data.

    Args:
        text: The template.
        values: Strings, numbers, booleans, ``None``, lists and dictionaries of these.
        limit: The most characters that may come out.

    Raises:
        TemplateSyntaxError: it is broken, names an undefined variable, or takes too much.
    """
    tokens = tuple(scan_jinja(text))
    if not tokens:
        return text
    check_size(text, tokens)
    fuel = 100_000 + (len(text) + _weight(values)) // 4
    answer = (run if is_simple(tokens) else _apart)(text, values, fuel)
    if "error" in answer:
        raise _render_error(text, answer["error"])
    if len(answer["text"]) > limit:
        raise TemplateSyntaxError(f"the template makes more than {limit:,} characters")
    return answer["text"]


def _weight(value: Any) -> int:  # noqa: ANN401
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Mapping):
        return sum(8 + _weight(child) for child in value.values())
    if isinstance(value, list):
        return sum(8 + _weight(child) for child in value)
    return 8


def run(text: str, values: Mapping[str, Any], fuel: int) -> dict[str, Any]:
    """Render in this process; returns ``text``, or ``error`` with what it says."""
    import minijinja

    try:
        # values as globals: as arguments, "self" and "name" would mean something else
        environment = minijinja.Environment(globals=dict(values))
        environment.fuel = fuel
        environment.undefined_behavior = "strict"
        environment.keep_trailing_newline = True
        environment.add_template("prompt", text)
        return {"text": environment.render_template("prompt")}
    except Exception as error:  # a value's own method may raise anything
        return {"error": _facts(error)}


_CHILD = """
import json, sys
task = json.load(sys.stdin)
try:
    import resource
    resource.setrlimit(resource.RLIMIT_CPU, (task["cpu"], task["cpu"] + 1))
    resource.setrlimit(resource.RLIMIT_AS, (task["memory"], task["memory"]))
except Exception:
    pass
sys.path.insert(0, task["path"])
import minijinja
try:
    environment = minijinja.Environment(globals=task["values"])
    environment.fuel = task["fuel"]
    environment.undefined_behavior = "strict"
    environment.keep_trailing_newline = True
    environment.add_template("prompt", task["text"])
    answer = {"text": environment.render_template("prompt")}
except Exception as error:
    answer = {"error": {
        "kind": str(getattr(error, "kind", "")), "line": getattr(error, "line", None),
        "detail": getattr(error, "detail", None) or str(error).split("\\n")[0],
        "range": list(getattr(error, "range", None) or ()),
    }}
sys.stdout.write(json.dumps(answer))
"""


def _apart(text: str, values: Mapping[str, Any], fuel: int) -> dict[str, Any]:
    """Render in a process of its own, where memory and time are bounded."""
    import minijinja

    task = {
        "text": text,
        "values": values,
        "fuel": fuel,
        "cpu": CPU_S,
        "memory": MEMORY_BYTES,
        "path": str(Path(minijinja.__file__).parents[1]),
    }
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", _CHILD],
            input=json.dumps(task),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=WALL_S,
            check=False,
        )
        return json.loads(done.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        return {"error": {"kind": "OutOfFuel", "detail": ""}}


_UNDEFINED = re.compile(r"`([^`]{1,80})`")


def _render_error(text: str, facts: Mapping[str, Any]) -> CostoptError:
    detail = str(facts.get("detail") or "")
    kind = str(facts.get("kind"))
    if kind == "OutOfFuel" or not detail or "out of fuel" in detail or "too large" in detail:
        return _placed(text, "the template takes too much time or memory", facts)
    if kind == "UndefinedError":
        named = _UNDEFINED.search(detail)
        what = f'undefined variable "{named.group(1)}"' if named else "undefined variable"
        return _placed(text, what, facts)
    return _placed(text, f"the template cannot be rendered: {detail}", facts)
