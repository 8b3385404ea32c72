"""Chat messages in YAML and JSON: a list of messages, or a mapping that holds them."""

from ..documents import Document, Node, load_json, load_yaml
from ..errors import nearest
from ..frontmatter import BOM, SETTINGS, Meta, read_meta
from ._common import Draft, File, NotAPromptError, Part, Reading, Slot, build

ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "ai": "assistant",
    "model": "assistant",
    "tool": "tool",
    "function": "tool",
}


def parse(file: File, kind: str) -> Document:
    """Parse the whole file; ``kind`` is ``json`` or ``yaml``.

    Raises:
        CostoptError: it is broken; with line and column.
    """
    start = len(BOM) if file.raw.startswith(BOM) else 0
    return (load_json if kind == "json" else load_yaml)(file.raw, file.shown, start)


def looks_like_messages(node: Node | None) -> bool:
    """Return whether a node is a list of mappings, the first with a role."""
    return bool(node and node.items and "role" in node.items[0].fields)


def messages_node(document: Document) -> Node | None:
    """Return the node of the messages, or ``None`` where the file is no chat prompt."""
    root = document.root
    if looks_like_messages(root):
        return root
    return root.get("messages") if isinstance(root.value, dict) else None


def load_chat(file: File, document: Document, kind: str) -> Reading:
    """Read a chat prompt from a parsed file.

    Raises:
        NotAPromptError: there are no messages in it.
        CostoptError: a message that is not supported, or broken placeholders.
    """
    node = messages_node(document)
    if node is None:
        where = document.where(document.root.start)
        hint = "a chat prompt is a list of {role, content}, or a mapping with messages"
        raise NotAPromptError("no messages in this file", where=where, hint=hint)
    mapping = node is not document.root
    draft = Draft(
        file=file,
        format=f"chat-{kind}",
        parts=read_messages(document, node, kind),
        chat=True,
        meta=read_meta(document) if mapping else Meta(),
        document=document,
        places={key: ("settings", key) for key in SETTINGS} if mapping else {},
    )
    return Reading(parsed=(build(draft),))


def read_messages(document: Document, node: Node, kind: str) -> list[Part]:
    """Return the messages of a list node.

    Raises:
        CostoptError: not a list of mappings with a known role and a text; with the place.
    """
    if not isinstance(node.value, list) or not node.items:
        raise document.error(node, "messages must be a list of {role, content}")
    return [_message(document, item, kind) for item in node.items]


def _message(document: Document, node: Node, kind: str) -> Part:
    if not isinstance(node.value, dict):
        raise document.error(node, "a message must be a mapping with role and content")
    role = node.get("role")
    if role is None or not isinstance(role.value, str) or role.value.lower() not in ROLES:
        shown = "no role" if role is None else f"unknown role {str(role.value)[:40]!r}"
        raise document.error(role or node, f"a message with {shown}", nearest("", ROLES))
    content = node.get("content")
    if content is None or content.value is None:
        tools = " (it calls tools)" if "tool_calls" in node.fields else ""
        raise document.error(node, f"a message without content{tools} is not supported")
    text, slot = _content(document, content, kind)
    return Part(ROLES[role.value.lower()], text, slot)


def _content(document: Document, node: Node, kind: str) -> tuple[str, Slot]:
    if isinstance(node.value, str):
        return node.value, slot_of(document, node, kind)
    if not isinstance(node.value, list) or not node.items:
        raise document.error(node, "content must be a text or a list of text parts")
    texts = [_text_part(document, item) for item in node.items]
    if len(texts) == 1:
        return texts[0].value, slot_of(document, texts[0], kind)
    return "\n".join(text.value for text in texts), Slot(node.start, node.end, "fixed")


def _text_part(document: Document, node: Node) -> Node:
    if isinstance(node.value, str):
        return node
    text, kind = node.get("text"), node.get("type")
    if text and isinstance(text.value, str) and (kind is None or kind.value in _TEXT):
        return text
    named = f"of type {str(kind.value)[:40]!r} " if kind else ""
    raise document.error(node, f"a content part {named}is not supported; only text is")


_TEXT = ("text", "input_text", "output_text")


def slot_of(document: Document, node: Node, kind: str) -> Slot:
    """Return the slot of a string node; one with an anchor or a tag stays as it is."""
    if document.text[node.start : node.start + 1] in ("&", "!", "*"):
        return Slot(node.start, node.end, "fixed")
    return Slot(node.start, node.end, "json" if kind == "json" else "yaml")


def load_yaml_chat(file: File) -> Reading:
    """Read chat messages in YAML.

    Raises:
        CostoptError: see :func:`load_chat`.
    """
    return load_chat(file, parse(file, "yaml"), "yaml")


def load_json_chat(file: File) -> Reading:
    """Read chat messages in JSON.

    Raises:
        CostoptError: see :func:`load_chat`.
    """
    return load_chat(file, parse(file, "json"), "json")
