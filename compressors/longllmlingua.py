"""CO321: what of a context is no help for the question, as a small language model sees it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from ..core.types import PromptTemplate, Safety
from .base import ContextStrategy, NotApplicable, StrategyContext
from .word_choice import kept_strings, nearest, note, readable

_HEAD = re.compile(r"^(?:Document|Passage|Source)[ \t]*\[?\d+\]?[ \t]*[:(\n]", re.MULTILINE)
_PARAGRAPH = re.compile(r"\n[ \t\r]*\n")
_LINE = re.compile(r"\n")
_ASKS_NOT = "it needs a question: longllmlingua:on=NAME,question=NAME"
_SMALLEST = 200
"""Characters of a document; shorter ones go with the next."""


@dataclass(frozen=True, kw_only=True)
class LongLLMLingua(ContextStrategy):
    """Drop documents, then words, of a context that do not help to answer the question.

    LongLLMLingua (the package llmlingua, with the settings that it recommends) cuts the value into
    documents: at heads such as "Document [1](Title: ...)", else at blank lines, else at lines. A
    small language model ranks them by how probable each makes the question, and drops the
    last; of what fits, the words go that become no more probable by the question. What is left
    stands with the most helpful document first. Words stay whole, and within a document that is
    left so do numbers with their units, negations and limits, quoted literals, URLs, code and
    data.

    What it can break:
        Much: the ranking is a small model's, and with the embedded one of 135 million parameters
        it may well miss the document that holds the answer. The order of documents changes, so a
        text that tells a story, or refers to "the above", suffers. The prompt differs for every
        question: a provider's prompt cache no longer helps. It reads every value twice, at about
        150 tokens a second on two CPUs.

    Args:
        on: The variable whose value is shortened.
        question: The variable that holds the question.
        rate: Tokens after / tokens before; above 0 and at most 1.
        model: A model to read with: a folder in the format of transformers with safetensors, or
            a hub id; the embedded model's own weights if left out.

    Reference:
        Jiang et al., LongLLMLingua: Accelerating and Enhancing LLMs in Long Context Scenarios via
        Prompt Compression, ACL 2024, arXiv:2310.06839.
    """

    name: ClassVar[str] = "longllmlingua"
    code: ClassVar[str] = "CO321"
    safety: ClassVar[Safety] = "lossy"
    summary: ClassVar[str] = "drops what a small language model finds no help for the question"
    reference: ClassVar[str] = "arXiv:2310.06839"
    needs: ClassVar[frozenset[str]] = frozenset({"counter", "model"})
    example: ClassVar[str] = (
        "Document [1](Title: Lower Wick) The harbour of Lower Wick was dug in 1874. It has three "
        "basins, and the town sells smoked eel on the quay.\n"
        "Document [2](Title: Gull Island) The lighthouse on Gull Island was built by Ada Corbin "
        "in 1931. Its lamp is seen from nine miles away.\n"
        "Document [3](Title: Marsh Line) The Marsh Line is a railway of seven stations. Its "
        "trains run every hour, and dogs travel free."
    )
    example_question: ClassVar[str | None] = "Who built the lighthouse on Gull Island?"
    example_result: ClassVar[str | None] = (
        "Document [2](: Gull) The lighthouse on Gull Island was built by Ada Corbin in 1931 nine "
        "miles away\n\nDocument [3]( Marsh) The seven. Its trains and free.\n\n"
        "[1] The 1874 three."
    )

    rate: float = 0.5
    model: str | None = None

    def __post_init__(self) -> None:
        """Check the rate.

        Raises:
            CostoptError: it is out of range.
        """
        self._require("rate", 0 < self.rate <= 1, "above 0 and at most 1")

    def apply(self, template: PromptTemplate, context: StrategyContext) -> PromptTemplate:
        """Return ``template`` itself, once its variables are checked.

        Raises:
            NotApplicable: ``on`` or ``question`` is not given, or no such variable is there.
        """
        checked = super().apply(template, context)
        if self.question is None:
            raise NotApplicable(_ASKS_NOT)
        return checked

    def shorten(self, text: str, question: str | None, context: StrategyContext) -> str:
        """Return what of ``text`` helps to answer ``question``.

        Raises:
            NotApplicable: there is no question, or no model to read with.
            CostoptError: the model cannot be loaded.
        """
        if question is None or not question.strip():
            raise NotApplicable(_ASKS_NOT)
        reader = readable(self.name, text, context)
        if reader is None or self.rate == 1:
            return text
        parts = documents(text)
        keep = kept_strings(text)

        def compress(whole: str, rate: float) -> str:
            del whole
            left = reader.answering(parts, question, rate=rate, keep=keep, model=self.model)
            return "\n\n".join(part.strip() for part in left)

        result = nearest(text, self.rate, context.count, compress)
        result = result if context.count(result) < context.count(text) else text
        note(self.name, self.rate, text, result, context)
        return result


def documents(text: str) -> tuple[str, ...]:
    r"""Cut a context into documents: at their heads, at blank lines, or else at lines.

    Joined, they are the text.

    Example:
        >>> documents("Document [1](Title: A) one\nDocument [2](Title: B) two")
        ('Document [1](Title: A) one\n', 'Document [2](Title: B) two')
    """
    heads = [match.start() for match in _HEAD.finditer(text)]
    if len(heads) > 1:
        return tuple(_cut(text, heads))
    for mark in (_PARAGRAPH, _LINE):
        cuts = [match.end() for match in mark.finditer(text)]
        parts = tuple(_grown(text, cuts))
        if len(parts) > 1:
            return parts
    return (text,)


def _cut(text: str, places: list[int]) -> Iterator[str]:
    edges = sorted({0, *places, len(text)})
    yield from (text[a:b] for a, b in pairwise(edges))


def _grown(text: str, places: list[int]) -> Iterator[str]:
    """Cut at those places that leave parts of some length."""
    start = 0
    for place in places:
        if place - start >= _SMALLEST and len(text) - place >= _SMALLEST:
            yield text[start:place]
            start = place
    yield text[start:]
