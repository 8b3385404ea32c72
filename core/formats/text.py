"""Markdown, plain text and Jinja files: one user message, with optional front matter."""

from ..documents import Document, load_yaml
from ..frontmatter import BOM, SETTINGS, Meta, Split, read_meta, split
from ..types import Syntax
from ._common import Draft, File, Part, Reading, Slot, build

_SYNTAX = {
    ".mustache": Syntax.MUSTACHE,
    ".hbs": Syntax.HANDLEBARS,
    ".handlebars": Syntax.HANDLEBARS,
}
PLACES = {key: ("settings", key) for key in SETTINGS}


def front_matter(file: File, *, comments: bool = False) -> tuple[Document | None, Split]:
    """Return the front matter, if there is any, and where the parts stand.

    A text that merely begins with a rule (``---``) and holds no mapping has none.

    Raises:
        CostoptError: the YAML is broken; with line and column.
    """
    parts = split(file.raw, comments=comments)
    if not parts.present:
        return None, parts
    document = load_yaml(file.raw, file.shown, parts.start, parts.end)
    if isinstance(document.root.value, (dict, type(None))):
        return document, parts
    start = len(BOM) if file.raw.startswith(BOM) else 0
    return None, Split(start, start, start)


def _load(file: File, format: str, syntax: Syntax | None) -> Reading:
    document, parts = front_matter(file)
    meta = read_meta(document) if document else Meta()
    slot = Slot(parts.body, len(file.raw))
    draft = Draft(
        file=file,
        format=format,
        parts=[Part("user", file.raw[parts.body :], slot)],
        chat=False,
        meta=meta,
        syntax=syntax,
        document=document,
        places=PLACES,
        insert_at=parts.start,
    )
    return Reading(parsed=(build(draft),))


def load_markdown(file: File) -> Reading:
    """Read a Markdown prompt.

    Raises:
        CostoptError: broken front matter or placeholders.
    """
    return _load(file, "markdown", None)


def load_text(file: File) -> Reading:
    """Read a plain text prompt; ``.mustache`` and ``.hbs`` name their syntax.

    Raises:
        CostoptError: broken front matter or placeholders.
    """
    return _load(file, "text", _SYNTAX.get(file.path.suffix.lower()))


def load_jinja(file: File) -> Reading:
    """Read a Jinja prompt.

    Raises:
        CostoptError: broken front matter or Jinja.
    """
    return _load(file, "jinja", Syntax.JINJA)
