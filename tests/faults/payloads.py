"""Hostile strings and keys: what no output may let through. All of it is our own writing."""

import base64
import itertools
import json
import re
import urllib.parse

CANARY = 'sk-canary-7Qx"9/+\\%Zr4~tW=2kLm'
"""A key with a character that each encoding writes in its own way."""

# Each must not do what it asks for, wherever it is printed.
_TERMINAL = (
    "\x1b[2J", "\x1b[31mred", "\x1b]0;title\x07", "\x1b]52;c;Y29weQ==\x07", "\x1b[6n", "\x1bc",
    "\x1b]8;;http://127.0.0.1:1\x1b\\link\x1b]8;;\x1b\\", "\x1bP+q544e\x1b\\", "\x1b[?1049h",
    "\x1b_G\x1b\\", "\x9b31m", "\x9d0;t\x9c", "\x90q\x9c", "\x8d", "\x84", "\x08\x08\x08", "\x7f",
    "\x0e\x0f", "\x07", "\x0b\x0c", "\x00", "done\rFAILED", "\x1b[1A\x1b[2K", "\x1b[8m", "\x18",
)  # fmt: skip
_DIRECTION = (
    "\u202egnp.exe", "\u2066a\u2069", "\u2067b", "\u2068c", "\u202a", "\u202b", "\u202c", "\u202d",
    "\u200e", "\u200f", "\u061c", "\u200b", "\u2060", "\ufeff", "\u00ad", "\u2028line", "\u2029",
    "\U000e0041\U000e007f", "\ufff9x\ufffa\ufffb", "\u180e",
)  # fmt: skip
_COMMANDS = (
    "::error::forged", "::add-mask::a", "::set-env name=A::b", "::stop-commands::x", "::group::g",
    "\n::error::second line", "\r\n::warning::third", "  ::notice::indented", "\t::debug::tab",
    "##[error]forged", "a ##[command]b", "##[set-env name=A;]b", "\u2028::error::separator",
    "\x0b::error::vertical", "\x85::error::next line", "::ERROR::upper", "\u00a0::error::nbsp",
    "\u3000::error::wide", "\x1c::error::separator", "\ufeff::error::mark",
)  # fmt: skip
_MARKUP = (
    "[red]red[/red]", "[/]", "[link=http://127.0.0.1:1]x[/link]", "[bold", "\\[red]", ":smile:",
    "`code`", "```\nf\n```", "````", "| a | b |", "\n| --- |", "# head", "\n\n## verdict: holds",
    "<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "<!-- hidden -->", "</details>",
    "@someone", "#1", "[a](http://127.0.0.1:1)", "![a](http://127.0.0.1:1/p.png)",
    "http://127.0.0.1:1", "&lt;b&gt;", "~~gone~~", "**bold**", "\n---\n", "\n> quote", "$x^2$",
)  # fmt: skip
_OTHERS = (
    "{{ 7 * 7 }}", "{% raw %}", "%s%s%n", "{0.__class__}", "';--", "=cmd()", "+1", "@SUM(A1)",
    "a" * 3000, "\u0301" * 40, "\U0001f468\u200d\U0001f469", "\ud7ff", "\ue000", "\uffff",
)  # fmt: skip


def hostile(count: int = 200) -> list[str]:
    """Return so many different hostile strings: each alone, then joined in pairs."""
    single = [*_TERMINAL, *_DIRECTION, *_COMMANDS, *_MARKUP, *_OTHERS]
    pairs = (f"{one} {other}" for one, other in itertools.product(single, single[:40]))
    return list(itertools.islice(dict.fromkeys(itertools.chain(single, pairs)), count))


LIVE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff"
    "\U000e0000-\U000e007f]"
)
"""Characters that move, hide or reorder what is printed; tab and line feed are not among them."""


def live(text: str) -> list[str]:
    """Return what in an output a terminal or GitHub's log would obey."""
    found = [repr(match[0]) for match in LIVE.finditer(text)]
    for line in text.split("\n"):
        if line.lstrip().startswith("::") or "##[" in line:
            found.append(line[:80])
    return found


def encodings(key: str) -> dict[str, str]:
    """Return how a key may be written: as it is, encoded, and its beginning."""
    return {
        "raw": key,
        "percent": urllib.parse.quote(key, safe=""),
        "base64": base64.b64encode(key.encode()).decode(),
        "json": json.dumps(key)[1:-1],
        "repr": repr(key)[1:-1],
        "prefix": key[:12],
    }


def leaks(key: str, data: bytes) -> list[str]:
    """Return the encodings in which a key, or a telling part of one, stands in bytes.

    In base64 a part is found at whichever of the three offsets it stands.
    """
    inner = [base64.b64encode(b" " * n + key.encode())[4:-4].decode() for n in range(3)]
    shapes = {**encodings(key), **{f"base64+{n}": part for n, part in enumerate(inner)}}
    quoted = urllib.parse.quote_plus(key)
    shapes |= {"plus": quoted, "lower": quoted.lower(), "hex": key.encode().hex()}
    return [name for name, shape in shapes.items() if shape.encode() in data]
