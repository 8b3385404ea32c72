"""What may change of markup: decorative marks may go, and HTML may become Markdown or text."""

import html
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from ..core.blocks import fences, inline_code, json_blocks, tables
from ..core.errors import CostoptError
from ..core.literals import urls
from ..core.placeholders import scan
from ..core.types import PromptTemplate, Syntax
from .base import replace_content
from .marks import plain

_FORMATTING = """
    p div span b i u em strong small big font center br hr h1 h2 h3 h4 h5 h6 ul ol li dl dt dd
    table thead tbody tfoot tr th td caption colgroup col blockquote pre code kbd samp tt a img
    sub sup s del ins strike mark abbr
"""
FORMATTING = frozenset(_FORMATTING.split())
"""HTML elements that format, and are no section of a prompt."""
_OF_PAGES = """
    html head body title meta link base style script noscript template iframe svg path picture
    source video audio button form input label select option textarea fieldset legend nav header
    footer main section article aside figure figcaption details summary address time cite q wbr
    hgroup dialog data var dfn bdi bdo canvas object param embed track map area datalist output
    progress meter search menu center slot
"""
OF_PAGES = frozenset(_OF_PAGES.split())
"""HTML elements that mean HTML only in a whole page: elsewhere they may name sections."""

_PAGE = re.compile(r"<!doctype\s+html|</?(?:html|body)\b", re.IGNORECASE)
_HOLE, _CODE = "\ue000", "\ue001"
_TAG = re.compile(
    r"<(?P<close>/?)(?P<name>[A-Za-z][A-Za-z0-9]{0,15})"
    r"(?P<rest>(?:\s(?:[^<>\"']|\"[^\"]{0,2000}\"|'[^']{0,2000}'){0,2000}+)?)/?>"
)
_DOCTYPE = re.compile(r"<!doctype[^<>]{0,200}>", re.IGNORECASE)
_COMMENT = re.compile(r"<!--(?:(?!-->)[^\ue000]){0,5000}+-->")
_ALT = re.compile(r"\balt\s{0,5}=\s{0,5}(?:\"([^\"]{0,2000})\"|'([^']{0,2000})')", re.IGNORECASE)
_WITHIN = "span b i u em strong small big font a sub sup s del ins strike mark abbr kbd samp tt"
_INLINE = frozenset(_WITHIN.split())
_LINE_MARK = re.compile(
    r"^[ \t]*+(?:>[ \t]*+)*+(?:#{1,6}[ \t]+|(?:[-*+•]|\d{1,3}[.)])[ \t]+)?", re.MULTILINE
)
_RULES = re.compile(r"^[ \t]*+([-*_=])(?:[ \t]*+\1){2,}+[ \t]*+$", re.MULTILINE)
_STARS = re.compile(r"(?<!\w)\*{1,3}(?=\S)|(?<=\S)\*{1,3}(?!\w)")
_LINK = re.compile(r"!?\[([^\[\]\n]{0,2000})\]\(([^()\s]{0,2000})\)")
_WORD = re.compile(r"[^\W_]+(?:_+[^\W_]+)*|[^\w\s]")
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+.!|<>~-])")


def comparable(
    before: PromptTemplate, after: PromptTemplate
) -> tuple[PromptTemplate, PromptTemplate] | str:
    """Return both templates without decorative marks, or why the edit of the markup is refused.

    Without their marks (`marks.plain`), the lines of both must be equal, blank lines and blanks at
    the ends of lines aside. Where HTML that formats was taken out, the visible words must be equal
    instead: placeholders, statements and code in the same order, the letters of all words, and no
    address that was not there before. Tags that name a section of the prompt stay in either case.
    """
    if before.syntax != after.syntax or len(before.messages) != len(after.messages):
        return before, after
    old: dict[int, str] = {}
    new: dict[int, str] = {}
    for index, (one, other) in enumerate(zip(before.messages, after.messages, strict=True)):
        if one.content == other.content:
            continue
        try:
            pair = _pair(one.content, other.content, before.syntax)
        except CostoptError as error:
            return f"the template no longer parses: {error.what}"
        if isinstance(pair, str):
            return pair
        old[index], new[index] = pair
    return replace_content(before, old), replace_content(after, new)


def _pair(old: str, new: str, syntax: Syntax) -> tuple[str, str] | str:
    one, other = plain(old, syntax), plain(new, syntax)
    left, right = _lines(one), _lines(other)
    if left == right:
        return one, other
    if _tags(new) < _tags(old):
        return _seen_equal(old, new, syntax)
    changed = next((a for a, b in zip(left, right, strict=False) if a != b), "the last lines")
    return f"more than decorative marks changed, at {' '.join(changed.split())[:60]!r}"


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.split("\n") if line.strip()]


def formatting(text: str) -> frozenset[str]:
    """Return the names of elements that format in this text, in lower case.

    Example:
        >>> "summary" in formatting("<summary>x</summary>"), "p" in formatting("<p>x</p>")
        (False, True)
    """
    return FORMATTING | OF_PAGES if _PAGE.search(text) else FORMATTING


def _tags(text: str) -> int:
    names = formatting(text)
    tags = sum(match.group("name").lower() in names for match in _TAG.finditer(text))
    return tags + len(_DOCTYPE.findall(text))


def _seen_equal(old: str, new: str, syntax: Syntax) -> tuple[str, str] | str:
    """Compare what a reader sees of HTML and of what it became."""
    names = formatting(old)
    one, other = _Seen(old, syntax, names), _Seen(new, syntax, names)
    if one.holes != other.holes:
        return "a placeholder or statement was lost, changed or moved"
    if one.codes != other.codes or not _some_of(_fenced(old), _fenced(new)):
        return "code was lost or changed"
    if one.words != other.words:
        return f"the visible text changed, at {_first_change(one.words, other.words)!r}"
    if lost := one.links - other.links:
        return f"an address was lost: {next(iter(lost))}"
    source = html.unescape(old)
    if foreign := [link for link in other.links if _HOLE not in link and link not in source]:
        return f"an address appeared that was not there: {foreign[0]}"
    return one.text(), one.text()


def _first_change(old: list[str], new: list[str]) -> str:
    pairs = zip(old, [*new, *[""] * len(old)], strict=False)
    at = next((i for i, (a, b) in enumerate(pairs) if a != b), len(old))
    return " ".join(old[at : at + 6] or new[at : at + 6])


def _fenced(text: str) -> list[tuple[str, str]]:
    return [(fence.language, text[fence.body_start : fence.body_end]) for fence in fences(text)]


def _some_of(some: Iterable[object], of: Iterable[object]) -> bool:
    rest = iter(of)
    return all(one in rest for one in some)


class _Seen:
    """What a reader sees of a text with HTML in it: words, placeholders and code, in order."""

    def __init__(self, text: str, syntax: Syntax, names: frozenset[str]) -> None:
        self.holes: list[str] = []
        self.codes: list[str] = []
        text = text.replace(_HOLE, "").replace(_CODE, "").replace("\r\n", "\n")
        if "textarea" in names:  # its content is text, tags and all
            text = map_elements(text, "textarea", lambda inner: inner.replace("<", "&lt;"))
        text = self._solid(_coded(text), syntax, names)
        if "script" in names:
            text = _removed(_removed(text, "script"), "style")
        text = _COMMENT.sub(" ", _DOCTYPE.sub("\n", text))
        text = html.unescape(_TAG.sub(lambda tag: _untagged(tag, names), text))
        text = _unpiped(text)
        self.links = Counter(link.group(2) for link in _LINK.finditer(text))
        text = _LINK.sub(r"\1", text)
        self.links.update(text[start:end] for start, end in urls(text))
        text = _LINE_MARK.sub("", _RULES.sub("", text))
        self.words = _WORD.findall(_ESCAPED.sub(r"\1", _STARS.sub("", text)))

    def _solid(self, text: str, syntax: Syntax, names: frozenset[str]) -> str:
        """Put one character in the place of each placeholder, and of code and JSON.

        In scripts and styles of a page there is no code of the prompt's: no reader sees them.
        """
        found = [(t.start, t.end, _HOLE) for t in scan(text, syntax) if t.kind != "text"]
        holes = bytearray(len(text))
        for start, end, _ in found:
            holes[start:end] = b"\1" * (end - start)
        code = [*((f.start, f.end) for f in fences(text)), *inline_code(text), *json_blocks(text)]
        for name in ("script", "style") if "script" in names else ():
            for first, _, _, last in _between(text, name):
                holes[first:last] = b"\1" * (last - first)
        found += [(start, end, _CODE) for start, end in code if 1 not in holes[start:end]]
        parts: list[str] = []
        at = 0
        for start, end, kind in sorted(found):
            if start < at:
                continue
            if kind == _HOLE:
                self.holes.append("".join(text[start:end].split()))
            else:
                self.codes.append(_bare(text[start:end]))
            parts += [text[at:start], kind]
            at = end
        return "".join([*parts, text[at:]])

    def text(self) -> str:
        """Return words and placeholders as a text that the other checks can read."""
        holes = iter(self.holes)
        words = (next(holes, "") if word == _HOLE else word for word in self.words)
        return " ".join(word for word in words if word != _CODE)


def _bare(code: str) -> str:
    """Return code without its fence or backticks, and without the blanks around it."""
    for fence in fences(code):
        return code[fence.body_start : fence.body_end].strip()
    return code.strip("`").strip() if code.startswith("`") else code


def _between(text: str, name: str) -> Iterator[tuple[int, int, int, int]]:
    """Yield where elements of this name start, their content starts and ends, and they end."""
    lowered, at = text.lower(), 0
    opening = re.compile(rf"<{name}(?:\s[^<>]{{0,2000}})?>")
    while match := opening.search(lowered, at):
        stop = lowered.find(f"</{name}>", match.end())
        if stop == -1:
            return
        at = stop + len(name) + 3
        yield match.start(), match.end(), stop, at


def map_elements(text: str, name: str, change: Callable[[str], str]) -> str:
    """Return a text with what is in elements of a name changed.

    Example:
        >>> map_elements("a<b c>d</b>e", "b", str.upper)
        'a<b c>D</b>e'
    """
    parts: list[str] = []
    at = 0
    for _, first, last, _ in _between(text, name):
        parts += [text[at:first], change(text[first:last])]
        at = last
    return "".join([*parts, text[at:]])


def _removed(text: str, name: str) -> str:
    """Remove elements of this name with all that is in them, placeholders left."""
    parts: list[str] = []
    at = 0
    for start, first, last, end in _between(text, name):
        parts += [text[at:start], " ", _HOLE * text.count(_HOLE, first, last)]
        at = end
    return "".join([*parts, text[at:]])


def _coded(text: str) -> str:
    """Write code of HTML as code of Markdown."""
    for name, opening, closing in (("pre", "\n```\n", "\n```\n"), ("code", "`", "`")):
        parts: list[str] = []
        at = 0
        for start, first, last, end in _between(text, name):
            code = html.unescape(_TAG.sub("", text[first:last]))
            fits = name == "pre" or ("\n" not in code and "`" not in code)
            written = f"{opening}{code}{closing}" if code.strip() else " "
            parts += [text[at:start], written if fits else text[start:end]]
            at = end
        text = "".join([*parts, text[at:]])
    return text


def _untagged(tag: re.Match[str], names: frozenset[str]) -> str:
    """Return what a reader sees of a tag: nothing, a gap, or the text in place of an image."""
    name = tag.group("name").lower()
    if name not in names:
        return tag.group()
    alt = _ALT.search(tag.group("rest")) if name == "img" else None
    said = (alt.group(1) or alt.group(2) or "") if alt else _HOLE * tag.group("rest").count(_HOLE)
    return said or ("" if name in _INLINE else "\n")


def _unpiped(text: str) -> str:
    """Write the cells of Markdown tables without what parts them."""
    parts: list[str] = []
    at = 0
    for table in tables(text):
        rows = text[table.start : table.end].split("\n")
        rows = [*rows[:1], *rows[2:]]
        parts += [text[at : table.start], re.sub(r"(?<!\\)\|", "\n", "\n".join(rows))]
        at = table.end
    return "".join([*parts, text[at:]])
