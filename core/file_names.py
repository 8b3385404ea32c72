"""Names from prompts and strategies made into names of files: no path, on no system a device."""

import hashlib
import re
import unicodedata

_UNSAFE = re.compile(r"[^\w.+=,@ -]+")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|\Z)", re.IGNORECASE)
_MOST_BYTES = 120


def safe_name(text: str) -> str:
    """Return a text as one part of a path, on every system; never empty, hidden or a device.

    A colon becomes a hyphen. What else had to be changed or cut gets the first digits of the
    text's SHA-256, so that two texts hardly ever come to one name.

    Example:
        >>> safe_name("filler+concise"), safe_name("llmlingua:rate=0.5")
        ('filler+concise', 'llmlingua-rate=0.5')
        >>> safe_name("../../etc/passwd"), safe_name("")
        ('etc-passwd-3754d6cb', 'x-e3b0c442')
    """
    name = _UNSAFE.sub("-", unicodedata.normalize("NFC", text)).strip(" .-")
    name = name.encode("utf-8", "replace")[:_MOST_BYTES].decode("utf-8", "ignore").strip(" .-")
    if _RESERVED.match(name):
        name = f"x-{name}"
    return name if name and name == text.replace(":", "-") else with_digest(name, text)


def with_digest(name: str, text: str) -> str:
    """Return a name with the first digits of a text's SHA-256 behind it."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{name or 'x'}-{digest}"
