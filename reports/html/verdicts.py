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


def signed_word(verdict: str) -> str:
    """Return a verdict with its sign.

    Example:
        >>> signed_word("holds"), signed_word("not enough data")
        ('✓ holds', '? not enough data')
    """
    return f"{_SIGNS.get(verdict, '–')} {verdict}"
