"""Turns of a conversation: lists of messages, and transcripts with a speaker before each line."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

__all__ = ["Turn", "message_turns", "transcript_turns"]

_SPEAKER = re.compile(
    r"^[ \t>]{0,8}(?:[-*][ \t]+)?(?:\[[^\]\n]{1,40}\][ \t]*|\(?\d{1,2}:\d{2}(?::\d{2})?\)?[ \t]+)?"
    r"[*_#]{0,4}[ \t]?(?P<name>[^\W\d_][\w .'’()/-]{0,40}?)[*_]{0,3}[ \t]?[:：][*_]{0,3}"
    r"(?=[ \t\r\n]|\Z)",
    re.MULTILINE,
)
_ROLES = frozenset(
    {
        "user", "assistant", "system", "human", "ai", "bot", "agent", "customer", "tool", "model",
        "client", "developer", "operator", "support", "caller",
    }
)  # fmt: skip
_TOOLS = frozenset({"tool", "function", "observation", "tool result", "api"})
_USERS = frozenset({"user", "human", "customer", "client", "caller"})
_LEAST = 4


@dataclass(frozen=True)
class Turn:
    """What stays or goes as a whole: a message with the results of the tools it calls.

    Attributes:
        start: Where it begins: a character of a transcript, or a number of a message.
        end: Where it ends; the next begins there.
        text: What is said.
        said_by: The role or the speaker, in lower case.
        body: Where in a transcript's turn the speaker's name ends.
    """

    start: int
    end: int
    text: str
    said_by: str
    body: int = 0

    @property
    def by_user(self) -> bool:
        """Whether it is what the user said."""
        return self.said_by in _USERS


def message_turns(messages: Sequence[Any]) -> tuple[Turn, ...]:
    """Return the turns of a list of messages; none where it is no such list.

    An assistant's message that calls tools and the messages with their results are one turn.

    Example:
        >>> [(t.start, t.end, t.said_by) for t in message_turns([
        ...     {"role": "user", "content": "Hi"},
        ...     {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]},
        ...     {"role": "tool", "tool_call_id": "1", "content": "42"}])]
        [(0, 1, 'user'), (1, 3, 'assistant')]
    """
    if not all(isinstance(m, Mapping) and isinstance(m.get("role"), str) for m in messages):
        return ()
    starts = [i for i, message in enumerate(messages) if i == 0 or not _is_result(message)]
    return tuple(
        Turn(
            start, end, "\n".join(map(_said, messages[start:end])), messages[start]["role"].lower()
        )
        for start, end in pairwise([*starts, len(messages)])
    )


def _is_result(message: Mapping[str, Any]) -> bool:
    if message["role"].lower() in _TOOLS:
        return True
    content = message.get("content")
    return isinstance(content, list) and any(
        isinstance(part, Mapping) and part.get("type") == "tool_result" for part in content
    )


def _said(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    rest = {k: v for k, v in message.items() if k not in ("role", "content") and v}
    parts = [content] if isinstance(content, str) else []
    if content and not isinstance(content, str):
        parts.append(json.dumps(content, ensure_ascii=False, default=str))
    if rest:
        parts.append(json.dumps(rest, ensure_ascii=False, default=str))
    return " ".join(parts)


def transcript_turns(text: str) -> tuple[Turn, ...]:
    r"""Return the turns of a transcript: all of it; none where too few lines name a speaker.

    A name counts as a speaker's where it is a usual role, or comes twice; what a tool says belongs
    to the turn before it.

    Example:
        >>> [t.said_by for t in transcript_turns("Ann: Hi\nBo: Hello\nAnn: Bye\nBo: Bye\n")]
        ['ann', 'bo', 'ann', 'bo']
    """
    found = [(match, match.group("name").strip().lower()) for match in _SPEAKER.finditer(text)]
    often = Counter(name for _, name in found)
    spoken = [(m, name) for m, name in found if name in _ROLES or often[name] > 1]
    if len(spoken) < _LEAST or len({name for _, name in spoken}) < 2:
        return ()
    first = [
        (match, name) for i, (match, name) in enumerate(spoken) if i == 0 or name not in _TOOLS
    ]
    ends = [*(match.start() for match, _ in first[1:]), len(text)]
    return tuple(
        Turn(0 if i == 0 else match.start(), end, text[match.start() : end], name, match.end())
        for i, ((match, name), end) in enumerate(zip(first, ends, strict=True))
    )
