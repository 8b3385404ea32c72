"""200 texts that try to be more than text, and a check with them wherever data goes."""

import types
from collections.abc import Callable, Collection, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

PARTS = [
    "\x1b[2J\x1b]0;owned\x07", "\x9b31m", "\u202egnp.exe", "\u2066x\u2069", "[bold red]x[/]", "[/]",
    "[link=http://x]y[/link]", "::set-env name=A::b", "##[error]x", "|a|b|", "``` x ```", "`", "``",
    "<img src=x>", "@everyone", "![a](http://x)", "[a](javascript:x)", "\n\n# h", "\r\nX", "\t",
    ":smile:", "{0}", "%s", "\x00", "\ud800", "日本語", "a" * 300, "", " ", "--",
]  # fmt: skip
HOSTILE = [f"{PARTS[i % len(PARTS)]}{PARTS[(i * 7 + i // 30) % len(PARTS)]}" for i in range(200)]
BREAKERS = [
    "-->", "<!-- costopt:check -->", "</details>", "</summary><script>alert(1)</script>",
    "<details open>", "</code></pre><a href=//x>y</a>", "```\n@all\n```", "~~~\n# x", "\\`@all\\`",
    "\\|@all [a](http://x)|", "`|@all|`", "www.example.com", "https://example.com", "a@example.com",
    "#1", "GH-1", "org/repo#1", "0123456789abcdef0123456789abcdef01234567", "[^1]", "[^1]: note",
    "[x]: http://x", "[x]", "<http://x>", "$\\href{http://x}{y}$", "$$x$$", "&lt;b&gt;&#64;all",
    "::stop-commands::t", "::add-mask::x", " ::error::x", "a%0A::error::x", "%25", "x::error::y",
    "##[group]x", "##vso[task.setvariable]x", "]]>", "<![CDATA[", "&", "<", "\uffff", "\ufffe",
    "- [ ] task", "1. one", "===", "> quote", "    code", "***", "| - |", "\\", "`" * 40, "$(id)",
    "{{ x }}", "{% raw %}", "${{ github.token }}", "\u2028::error::x", "\u0085::error::x", "=1+1",
]  # fmt: skip
TEXTS = list(dict.fromkeys(text for text in (*HOSTILE, *BREAKERS) if text))
"""Each of them once, but for the empty one, which stands for nothing in most places."""

_NEVER = frozenset({("VariantReport", "name"), ("Message", "role")})
"""Versions are found by their names; a role is one of four words."""


def poisoned(value: Any, text: Callable[[], str], keep: Collection[str] = ()) -> Any:
    """Return a dataclass with a hostile text for every text in it; equal texts stay equal.

    Args:
        value: Any dataclass of `core`.
        text: Gives the next hostile text.
        keep: Names of fields that are left alone.
    """
    known: dict[str, str] = {}

    def other(found: str) -> str:
        if found not in known:
            known[found] = text()
        return known[found]

    return _walk(value, other, frozenset(keep))


def _walk(value: Any, other: Callable[[str], str], keep: frozenset[str]) -> Any:
    if not is_dataclass(value) or isinstance(value, type):
        return value
    hints = get_type_hints(type(value))
    changed = {
        item.name: _changed(hints[item.name], getattr(value, item.name), other, keep)
        for item in fields(value)
        if item.name not in keep and (type(value).__name__, item.name) not in _NEVER
    }
    return replace(value, **changed)


def _changed(kind: Any, value: Any, other: Callable[[str], str], keep: frozenset[str]) -> Any:
    if isinstance(value, str):
        return value if _is_literal(kind) else other(value)
    if isinstance(value, tuple):
        item = get_args(kind)[0] if get_origin(kind) is tuple else str
        return tuple(_changed(item, one, other, keep) for one in value)
    if isinstance(value, Mapping):
        return value
    return _walk(value, other, keep)


def _is_literal(kind: Any) -> bool:
    if get_origin(kind) in (Union, types.UnionType):
        return any(_is_literal(one) for one in get_args(kind))
    return get_origin(kind) is Literal
