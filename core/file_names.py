"""Names from prompts and strategies made into names of files: no path, on no system a device."""

import hashlib
import re
import unicodedata

_UNSAFE = re.compile(r"[^\w.+=,@ -]+")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|\Z)", re.IGNORECASE)
_MOST_BYTES = 120


def safe_name(text: str) -> str:
    """Return a text as one part of a path, on every system; never empty, hidden or a device.

    What had to be changed or cut gets the first digits of the text's SHA-256, so that two texts
    never come to one name.

    Example:
        >>> safe_name("filler+concise"), safe_name("llmlingua:rate=0.5")
        ('filler+concise', 'llmlingua-rate=0.5-e1a3e0dc')
        >>> safe_name("../../etc/passwd").startswith("etc-passwd-")
        True
    """
    name = _UNSAFE.sub("-", unicodedata.normalize("NFC", text)).strip(" .-")
    name = name.encode("utf-8", "replace")[:_MOST_BYTES].decode("utf-8", "ignore").strip(" .-")
    if name == text and name and not _RESERVED.match(name):
        return name
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{name}-{digest}" if name and not _RESERVED.match(name) else f"x-{name}-{digest}"
