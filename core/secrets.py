r"""Keys, and their removal from whatever is shown or kept.

A server may send a key back in an error: as it is, quoted, percent-encoded, in base64, or only its
beginning. What reads a key calls `remember`; what prints an error calls `scrub`.
"""

import base64
import json
import re
import urllib.parse
from functools import cache

HIDDEN = "***"
_LEAST = 16
"""Characters of a key of which the beginning alone tells something; shorter ones are words."""
_BEGINNING = 8
_remembered: set[str] = set()


def remember(secret: str) -> None:
    """Let `scrub` take this key out of every text from now on."""
    if secret:
        _remembered.add(secret)


def scrub(text: str, *more: str) -> str:
    """Return text without the remembered keys, and without ``more`` of them, however written.

    Example:
        >>> scrub("no such key: s3cr3t/0123456789", "s3cr3t/0123456789")
        'no such key: ***'
        >>> scrub("?key=s3cr3t%2F0123456789&n=1", "s3cr3t/0123456789")
        '?key=***&n=1'
    """
    for secret in sorted({*_remembered, *filter(None, more)}, key=len, reverse=True):
        text = _pattern(secret).sub(HIDDEN, text)
    return text


@cache
def _pattern(secret: str) -> re.Pattern[str]:
    """Return what finds a key in each of its forms, the longest first."""
    parts = [f"(?i:{re.escape(form)})" for form in sorted(_written(secret), key=len, reverse=True)]
    if len(secret) >= _LEAST:
        parts += [f"[\\w+/=-]*{re.escape(form)}[\\w+/=-]*" for form in _in_base64(secret)]
        # Cut short, or with its end hidden: what follows the beginning goes with it.
        parts.append(rf"{re.escape(secret[:_BEGINNING])}[^\s,;<>&]*")
    return re.compile("|".join(parts))


def _written(secret: str) -> set[str]:
    quoted = {urllib.parse.quote(secret, safe=safe) for safe in ("", "/", "/=+")}
    escaped = {json.dumps(secret)[1:-1], repr(secret)[1:-1]}
    twice = {json.dumps(form)[1:-1] for form in escaped}
    return {secret, *quoted, *escaped, *twice, secret.encode().hex()}


def _in_base64(secret: str) -> set[str]:
    """Return the beginning of a key in base64, at whichever of three places in it it may stand."""
    found: set[str] = set()
    for offset in range(3):
        whole = base64.b64encode(b" " * offset + secret.encode()).decode()
        # The first four characters also hold bits of what stands before the key.
        part = whole[(0, 4, 4)[offset] :][:12]
        found |= {part, part.translate(str.maketrans("+/", "-_"))}
    return found
