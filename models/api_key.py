"""API keys: read from the variable that the user names, sent, and nowhere shown."""

import base64
import json
import os
import re
from functools import lru_cache
from urllib.parse import quote

from ..core.errors import CostoptError

_SHOWN = 8
"""From this many characters on, the beginning of a key gives it away."""
_LONGEST = 300
_REST = r"[\w\-.~%+/=*\\]*"


def read_key(variable: str | None, target: str) -> str | None:
    """Return the key that the variable holds; ``None`` where the target needs none.

    Args:
        variable: The variable's name, or ``None`` for a server without keys.
        target: What the user calls the target, for the error.

    Raises:
        CostoptError: the variable is empty, or what it holds is no key.
    """
    if variable is None:
        return None
    key = os.environ.get(variable, "").strip()
    if not key:
        raise CostoptError(
            f'the target "{target}" needs an API key, and {variable} is not set',
            hint=f"set the environment variable {variable}",
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise CostoptError(f"{variable} does not hold an API key: it has characters that none has")
    return key


def without_keys(text: str, *keys: str | None) -> str:
    """Return what a server or a library said as one short line without any of the keys.

    Servers quote the key that they refuse: whole, its first characters, or encoded.

    Example:
        >>> without_keys("no such key: abcdefgh12345678, sorry", "abcdefgh12345678")
        'no such key: ***, sorry'
    """
    for key in keys:
        if key:
            text = _pattern(key).sub("***", text)
    # Some servers quote a part of the key they were given.
    text = re.sub(r"\bsk-[\w*-]+", "***", text)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


@lru_cache(maxsize=16)
def _pattern(key: str) -> re.Pattern[str]:
    """Match the key in any form by its first characters, and all that goes on after them."""
    starts = {form[:_SHOWN] for form in _forms(key)}
    longest_first = sorted(starts, key=len, reverse=True)
    return re.compile("|".join(re.escape(start) + _REST for start in longest_first))


def _forms(key: str) -> set[str]:
    forms = {key, quote(key, safe=""), json.dumps(key)[1:-1], repr(key)[1:-1]}
    for ahead in range(3):
        # What stands before the key ("Bearer ", "user:") shifts its base64 by up to two bytes.
        whole = key.encode()[(3 - ahead) % 3 :]
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            forms.add(encode(whole).decode().rstrip("="))
    return {form for form in forms if form}
