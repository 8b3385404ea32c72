"""CO506: a variable that the file declares and no message uses."""

import re
from collections import Counter
from collections.abc import Iterator

from ...core.documents import Document, Node, load_json, load_yaml
from ...core.placeholders import scan
from .base import Case, Hit, Rule, quote

_MAPPINGS = (
    ("defaults",),
    ("variables",),
    ("inputs",),
    ("inputSchema",),
    ("input", "schema"),
    ("input", "default"),
)
_LISTS = (("input_variables",), ("inputVariables",))
_SCHEMA_KEYS = frozenset({"type", "properties", "required", "description", "additionalProperties"})
_TEXT_KINDS = ("string", "number", "integer", "float", "boolean", "array", "object")
_NAME = re.compile(r"[^\W\d]\w*")


def _find(case: Case) -> Iterator[Hit]:
    seen: set[str] = set()
    document = case.parsed.document
    values = Counter(map(str, _values(document.root))) if document else Counter[str]()
    for name, at in _declared(case):
        # A name that is a value elsewhere in the file is bound there, to a tool for one.
        if name in seen or _used(case, name) or values[name] > _is_value(case, at):
            continue
        seen.add(name)
        yield Hit(
            message=f"the variable {quote(name, 40)} is declared and no message uses it",
            at=(None, at, at + len(name)),
        )


def _values(node: Node) -> Iterator[object]:
    if not node.fields and not node.items:
        yield node.value
    for child in (*node.fields.values(), *node.items):
        yield from _values(child)


def _is_value(case: Case, at: int) -> bool:
    """Whether a declaration is itself a value: an item of a list, not a key."""
    document = case.parsed.document
    return document is not None and at in _starts(document.root)


def _starts(node: Node) -> frozenset[int]:
    own = frozenset() if node.fields or node.items else frozenset({node.start, node.start + 1})
    return own.union(*map(_starts, (*node.fields.values(), *node.items)))


def _declared(case: Case) -> Iterator[tuple[str, int]]:
    """Yield the names that a file declares, and where."""
    document = case.parsed.document
    if document is not None:
        for path in (*_MAPPINGS, *_LISTS):
            node = document.root.get(*path)
            if node is not None:
                yield from _names(document, node)
    elif case.template.source.format == "promptfoo":
        yield from _tested(case)


def _names(document: Document, node: Node) -> Iterator[tuple[str, int]]:
    properties = node.get("properties") if isinstance(node.value, dict) else None
    if properties is not None and _SCHEMA_KEYS.issuperset(map(str, node.fields)):
        node = properties
    for key, at in node.keys.items():
        yield from _named(document.text, str(key), at)
    for item in node.items:
        named = item.get("name") if isinstance(item.value, dict) else item
        kind = item.get("kind")
        if kind is not None and kind.value not in _TEXT_KINDS:
            continue
        if named is not None and isinstance(named.value, str):
            yield from _named(document.text, named.value, named.start)


def _named(text: str, key: str, at: int) -> Iterator[tuple[str, int]]:
    """Yield the name at the beginning of a key such as ``tags?(array, what it is about)``."""
    name = _NAME.match(key)
    if name is not None:
        found = text.find(name.group(), at, at + len(name.group()) + 2)
        yield name.group(), at if found == -1 else found


def _used(case: Case, name: str) -> bool:
    """Whether a placeholder names it, or text marks it in a way that another tool may fill in."""
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    marked = re.compile(rf"[{{$<\[%@]\s{{0,3}}{re.escape(name)}(?!\w)")
    for message in case.template.messages:
        if marked.search(message.content):
            return True
        for token in scan(message.content, case.template.syntax):
            if token.kind in ("variable", "statement") and word.search(token.inner):
                return True
    return False


def _tested(case: Case) -> Iterator[tuple[str, int]]:
    """Yield the variables of a promptfoo configuration's tests that nothing in it names.

    Prompts in other files may use any of them, and so may assertions and tests in code.
    """
    raw = case.template.source.raw
    if "file://" in raw or not case.template.source.path.endswith((".yaml", ".yml", ".json")):
        return
    load = load_json if case.template.source.path.endswith(".json") else load_yaml
    document = load(raw, case.template.source.path)
    tests = document.root.get("tests")
    default = document.root.get("defaultTest")
    for test in (*(tests.items if tests else ()), *([default] if default else [])):
        values = test.get("vars") if isinstance(test.value, dict) else None
        for name, at in _names(document, values) if values else ():
            if not re.search(rf"\{{[{{%][^}}]*(?<!\w){re.escape(name)}(?!\w)", raw):
                yield name, at


RULE = Rule(
    code="CO506",
    name="unused-variable",
    summary="a declared variable is used nowhere",
    find=_find,
    why="Somebody meant it to be in the prompt, or it was left behind by an edit: its value is "
    "looked up, and every row of the eval set gives one, for nothing. Looked at are `defaults` and "
    "`inputs` of the front matter, the input schema of a `.prompt` or `.prompty` file, and the "
    "tests of a promptfoo configuration. (A column of an eval set that no template uses is an "
    "error, as it was probably misspelt.)",
    before="---\ndefaults: {tone: friendly, shop: Larkfield}\n---\n"
    "Answer the customers of {{ shop }} in at most 40 words.\n\n{{ message }}\n",
    after="---\ndefaults: {shop: Larkfield}\n---\n"
    "Answer the customers of {{ shop }} in at most 40 words.\n\n{{ message }}\n",
    ignore="Where code outside of the file uses the declaration.",
    money="None: what no message uses is not sent.",
)
