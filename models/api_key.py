"""API keys: read from the variable that the user names, sent, and nowhere shown."""

import os
import re

from ..core.errors import CostoptError
from ..core.secrets import remember, scrub

_LONGEST = 300


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
    remember(key)
    return key


def without_keys(text: str, *keys: str | None) -> str:
    """Return what a server or a library said as one short line without any of the keys.

    Servers quote the key that they refuse: whole, its first characters, or encoded.

    Example:
        >>> without_keys("no such key: abcdefgh12345678, sorry", "abcdefgh12345678")
        'no such key: ***, sorry'
    """
    text = scrub(text, *(key for key in keys if key))
    # Some servers quote a part of the key they were given.
    text = re.sub(r"\bsk-[\w*-]+", "***", text)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
