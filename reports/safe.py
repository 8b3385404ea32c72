"""Makes text from prompts, eval sets, paths and answers harmless to print.

Such text may hold terminal escape sequences, direction overrides that reorder a line ("Trojan
Source", Boucher & Anderson 2021, CVE-2021-42574), or commands that a CI log would obey.
"""

import json
import re

_INVISIBLE = (
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e0fff"
)
_CONTROL = re.compile(f"[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff{_INVISIBLE}]")
_SPACING = re.compile(r"[\t\n\v\f\r\x85\u2028\u2029]+")


def clean(text: str, limit: int | None = None) -> str:
    r"""Return text as one printable line, at most ``limit`` characters, cut with "…".

    Control, direction and invisible characters are removed, line breaks become spaces, and what
    GitHub's log would read as a command (``::`` at the start, ``##[`` anywhere) is broken up.

    Example:
        >>> clean("a\x1b[31mb\n::set-env name=X::y")
        'a[31mb ::set-env name=X::y'
        >>> clean("::error::x"), clean("abcdef", limit=4)
        (': :error::x', 'abc…')
    """
    if limit is not None:
        text = text[: 4 * limit + 64]
    line = _CONTROL.sub("", _SPACING.sub(" ", text)).strip()
    line = line.replace("##[", "## [")
    if line.startswith("::"):
        line = ": " + line[1:]
    if limit is not None and len(line) > limit:
        line = line[: limit - 1].rstrip() + "…"
    return line


def visible(text: str) -> str:
    r"""Return text with control characters written as escapes, for errors.

    Example:
        >>> visible("bad byte \x1b[2J")
        'bad byte \\x1b[2J'
    """

    def escape(match: re.Match[str]) -> str:
        code = ord(match[0])
        if match[0] in "\n\r\t":
            return " "
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"

    return _CONTROL.sub(escape, text).replace("##[", "## [")


def visible_lines(text: str) -> str:
    r"""Return text as `visible` does, with its line ends and tabs as they are.

    Example:
        >>> visible_lines("a\tb\r\nc \x1b[2J")
        'a\tb\nc \\x1b[2J'
    """
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join("\t".join(map(_line, line.split("\t"))) for line in lines)


def _line(text: str) -> str:
    # `visible` writes a carriage return as a space, which here would hide that there is one.
    return "\\x0d".join(map(visible, text.split("\r")))


def inert(dumped: str) -> str:
    r"""Return JSON that says the same and holds nothing that a terminal or a CI log would obey.

    Characters that the JSON encoder leaves as they are, such as C1 controls and direction
    overrides, are written as escapes. Outside of strings, JSON has none of them.

    Example:
        >>> inert('{"a": "##[error]"}')
        '{"a": "#\\u0023[error]"}'
    """

    def escape(match: re.Match[str]) -> str:
        return json.dumps(match[0])[1:-1] if match[0] != "\n" else "\n"

    return _CONTROL.sub(escape, dumped).replace("##[", "#\\u0023[")


def code(text: str, *, table: bool = False, limit: int | None = None) -> str:
    """Return text as a Markdown code span that it cannot leave.

    Mentions, links, images and HTML mean nothing inside of one. In a ``table``, pipes are
    escaped as GitHub-flavoured Markdown asks.

    Example:
        >>> code("a `b` @all")
        '`` a `b` @all ``'
    """
    line = clean(text, limit) or " "
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    padding = " " if longest or line == " " else ""
    if table:
        line = line.replace("|", "\\|")
    return f"{fence}{padding}{line}{padding}{fence}"
