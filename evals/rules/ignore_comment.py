"""CO510: an ignore that ignores nothing, or that the model is sent."""

from collections.abc import Iterator

from ...core.errors import nearest
from .base import Case, Hit, Rule, per_1k, quote


def _find(case: Case) -> Iterator[Hit]:
    sent: set[str] = set()
    for one in case.ignores:
        if not one.code:
            yield Hit(
                message="this ignore names no code: it silences nothing",
                at=(one.message, one.start, one.end),
            )
        elif one.code not in case.known:
            hint = nearest(one.code, case.known, otherwise="costopt strategies lists codes")
            said = f"this ignore names an unknown code, {quote(one.code, 30)}: {hint}"
            yield Hit(message=said, at=(one.message, one.start, one.end))
        if one.sent and one.comment not in sent:
            sent.add(one.comment)
            tokens = case.tokens(one.comment)
            yield Hit(
                message="this comment is sent to the model with every request: it costs nothing "
                "in the front matter, or in a comment of the template's own syntax",
                tokens=tokens,
                usd_per_1k=per_1k(tokens, case.main.input),
                at=(one.message, one.start, one.end),
            )


RULE = Rule(
    code="CO510",
    name="ignore-comment",
    summary="an ignore names an unknown code, or is sent to the model",
    find=_find,
    why="A misspelt code silences nothing, and nobody would notice. And in a file without a "
    "comment syntax of its own, or in `<!-- … -->`, the comment is text like any other, and is "
    "paid for in every request.",
    before="<!-- costopt: ignore CO5001 -->\nName the capital of {{ country }} in one word.\n",
    after="---\n# costopt: ignore CO501\n---\nName the capital of {{ country }} in one word.\n",
    ignore="Where the comment has to stand in the text.",
    money="What the comment's tokens cost as input.",
)
