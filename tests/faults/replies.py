"""The bodies that the fault server sends: ordinary answers, and those that are none."""

import gzip
import json
import re
from email.utils import formatdate
from typing import Any

_SAID = re.compile(r"\[\[(.*?)\]\]", re.DOTALL)
BOMB_BYTES = 300_000_000
ENDLESS_CHUNK = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
_bombs: list[bytes] = []


def prompt_text(body: bytes) -> str:
    """Return the text of all messages of a chat request."""
    try:
        messages = json.loads(body)["messages"]
    except (ValueError, KeyError, TypeError):
        return ""
    return "\n".join(_content(message.get("content")) for message in messages)


def _content(content: Any) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content)
    return content or ""


def limit_of(body: bytes) -> int:
    """Return the most tokens that the request allows for its answer."""
    asked = json.loads(body)
    return int(asked.get("max_tokens") or asked.get("max_completion_tokens") or 16)


def answer_text(text: str, sha: str) -> str:
    """Return the answer to a prompt: what its last ``[[…]]`` holds, and whose answer it is."""
    found = _SAID.findall(text)
    return f"{found[-1] if found else 'nothing'} #{sha[:12]}"


def usage_of(text: str, answer: str, body: bytes, do: dict[str, Any]) -> dict[str, int] | None:
    """Return what the reply says that it used; ``None`` where it says nothing.

    ``do["usage"]``: ``computed`` (the default), ``max`` (an answer as long as was allowed),
    ``missing``, ``negative``, ``huge``, or ``lying`` (thrice what was allowed).
    """
    kind = do.get("usage", "computed")
    spent_in, allowed = len(text) // 8 + 1, limit_of(body)
    spent_out = {
        "computed": len(answer) // 4 + 1,
        "max": allowed,
        "negative": -5,
        "huge": 10**15,
        "lying": 3 * allowed,
        "missing": len(answer) // 4 + 1,
    }[kind]
    if kind == "missing":
        return None
    return {
        "prompt_tokens": spent_in,
        "completion_tokens": spent_out,
        "total_tokens": spent_in + spent_out,
    }


def completion(answer: str, usage: dict[str, int] | None, **more: Any) -> bytes:
    """Return the body of a chat completion; ``more`` replaces its members."""
    message = {"role": "assistant", "content": answer}
    body: dict[str, Any] = {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "fault-model",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
    }
    if usage is not None:
        body["usage"] = usage
    return json.dumps({**body, **more}).encode("utf-8", "replace")


def http(
    status: int, body: bytes, headers: dict[str, str] | None = None, *, length: int | None = None
) -> bytes:
    """Return a whole HTTP response; ``length`` is what it says of its body's length."""
    given = {"Content-Type": "application/json", **(headers or {})}
    given["Content-Length"] = str(len(body) if length is None else length)
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"HTTP/1.1 {status} Scripted\r\n{lines}\r\n".encode() + body


def error_body(message: str) -> bytes:
    """Return an error as OpenAI's API words it."""
    error = {"message": message, "type": "scripted", "param": None, "code": None}
    return json.dumps({"error": error}).encode()


def retry_headers(after: Any) -> dict[str, str]:
    """Return the header for ``do["retry_after"]``: seconds, or ``date:SECONDS`` from now."""
    if after is None:
        return {}
    text = str(after)
    if text.startswith("date:"):
        import time

        text = formatdate(time.time() + float(text[5:]), usegmt=True)
    return {"Retry-After": text}


def gzip_bomb() -> bytes:
    """Return a small body that unpacks to 300 MB of blanks."""
    if not _bombs:
        _bombs.append(gzip.compress(b" " * BOMB_BYTES, 9))
    return _bombs[0]


def not_an_answer(kind: str, whole: bytes) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of a reply with status 200 that is no answer."""
    kinds: dict[str, tuple[bytes, dict[str, str]]] = {
        "html": (b"<html><body>Bad gateway</body></html>", {"Content-Type": "text/html"}),
        "truncated_json": (whole[: len(whole) // 2], {}),
        "invalid_utf8": (whole.replace(b'"content": "', b'"content": "\xff\xfe\xff'), {}),
        "empty": (b"", {}),
        "json_array": (b"[1, 2, 3]", {}),
        "no_choices": (completion("", {}, choices=[]), {}),
    }
    return kinds[kind]
