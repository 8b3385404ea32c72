"""Which blocks of a template are open where: a role may not begin inside one."""

from collections.abc import Iterable, Iterator

from ..placeholders import Token
from ..types import Syntax

_JINJA = {"if", "for", "block", "macro", "call", "filter", "with", "autoescape", "raw"}


def _step(token: Token, syntax: Syntax) -> int:
    """Return +1 where a block opens, -1 where one closes, else 0."""
    if token.kind != "statement":
        return 0
    if syntax is Syntax.JINJA:
        if token.name.startswith("end"):
            return -1
        opens = token.name in _JINJA or (token.name == "set" and "=" not in token.inner)
        return 1 if opens else 0
    sigil = token.name[:1]
    return 1 if sigil in ("#", "^") and len(token.name) > 1 else -1 if sigil == "/" else 0


def with_depth(tokens: Iterable[Token], syntax: Syntax) -> Iterator[tuple[Token, int]]:
    """Yield each token with the number of blocks that are open before it."""
    depth = 0
    for token in tokens:
        step = _step(token, syntax)
        yield token, depth
        depth = max(0, depth + step)
