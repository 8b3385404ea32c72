"""How a verdict looks: a word, a sign and a style, so that colour is never the only one."""

_SIGNS = {
    "baseline": "■",
    "better": "▲",
    "holds": "✓",
    "worse": "✗",
    "not enough data": "?",
    "not measured": "–",
    "passed": "✓",
    "failed": "✗",
    "inconclusive": "?",
    "skipped": "–",
}
_STYLES = {
    "baseline": "base",
    "better": "good",
    "holds": "good",
    "worse": "bad",
    "not enough data": "open",
    "not measured": "none",
    "passed": "good",
    "failed": "bad",
    "inconclusive": "open",
    "skipped": "none",
}


def style_of(verdict: str) -> str:
    """Return the style of a verdict or of a gate's outcome."""
    return _STYLES.get(verdict, "none")


def sign_of(verdict: str) -> str:
    """Return the sign that stands before it."""
    return _SIGNS.get(verdict, "–")


def signed_word(verdict: str, words: str | None = None) -> str:
    """Return a verdict with its sign.

    Example:
        >>> signed_word("holds"), signed_word("not enough data", "not enough data, 9 more rows")
        ('✓ holds', '? not enough data, 9 more rows')
    """
    return f"{sign_of(verdict)} {words or verdict}"
