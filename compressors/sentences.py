"""CO330: the sentences of a context that a question asks for, chosen without a model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ..core.types import Safety
from .base import ContextStrategy, StrategyContext
from .passages import Piece, documents, sentences
from .ranking import centrality, relevance, terms

_NEIGHBOUR = 0.2
_FIRST = 0.15
_NEAR = 0.05


@dataclass(frozen=True, kw_only=True)
class Sentences(ContextStrategy):
    """Keep the documents, and then the sentences, that say most about the question.

    Documents of a value (told by their headings, or by blank lines) are ranked for the question by
    BM25, and taken whole while they fit into ``rate`` of the tokens; what is left of them is filled
    with the best sentences of the others, a sentence's neighbours lending it some of their score.
    All that is kept is verbatim and in its order, titles with what they head. Without a question,
    sentences count by how much of what the whole text is about they say, the first of a document
    a little more. No model is asked: 50,000 tokens take well under a second.

    What it can break:
        A sentence that answers the question in other words than it asks in may be dropped, and
        so may one that another refers to ("this", "he"). Do not use it where the whole of the
        text is asked about: counts, summaries, contradictions.

    Args:
        on: The variable whose value is shortened.
        question: The variable that holds the question; without it, sentences are kept that say
            most of the text.
        rate: Tokens after / tokens before; above 0 and at most 1.

    Reference:
        Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009).

    Example:
        >>> from costopt.compressors import get
        >>> text = "Ann keeps bees. The mill closed in 1931. Trains stop here at noon."
        >>> get("sentences", rate=0.4)(text, question="When did the mill close?").strip()
        'The mill closed in 1931.'
    """

    name: ClassVar[str] = "sentences"
    code: ClassVar[str] = "CO330"
    safety: ClassVar[Safety] = "lossy"
    summary: ClassVar[str] = "keeps the sentences of a context that the question asks for"
    reference: ClassVar[str] = "BM25 (Robertson and Zaragoza, 2009)"

    example: ClassVar[str] = (
        "The old mill stands by the river. Anna Brook built the mill in 1843. It ground oats for "
        "the valley. Trains stop at the station at noon. The school keeps bees in its garden."
    )
    example_question: ClassVar[str | None] = "Who built the mill?"

    rate: float = 0.5

    def __post_init__(self) -> None:
        """Check the rate."""
        self._require("rate", 0 < self.rate <= 1, "above 0 and at most 1")

    def shorten(self, text: str, question: str | None, context: StrategyContext) -> str:
        """Return the sentences of ``text`` that are worth most, within ``rate`` of its tokens."""
        if self.rate == 1 or not any(character.isalnum() for character in text):
            return text
        parts = _parts(text)
        sizes = [[context.count(text[s.start : s.end]) for s in part] for part in parts]
        total = sum(map(sum, sizes))
        budget = self.rate * total
        asked = terms(question) if question else []
        chosen = _choose(text, parts, sizes, asked, budget)
        kept = sum(sizes[d][s] for d, s in chosen)
        if abs(kept - budget) > _NEAR * budget:
            context.notes.append(
                f"{self.name}: rate {self.rate:g} requested and {kept / total:.2f} reached: "
                "sentences go whole"
            )
        kept_text = "".join(
            text[s.start : s.end]
            for d, part in enumerate(parts)
            for i, s in enumerate(part)
            if (d, i) in chosen
        )
        return kept_text.rstrip() + text[len(text.rstrip()) :]


def _parts(text: str) -> list[list[Piece]]:
    """Return the sentences of each document; where all lines are titles, none counts as one."""
    parts = [
        [
            Piece(d.start + s.start, d.start + s.end, s.title)
            for s in sentences(text[d.start : d.end])
        ]
        for d in documents(text)
    ]
    if all(piece.title for part in parts for piece in part):
        return [[Piece(piece.start, piece.end) for piece in part] for part in parts]
    return parts


def _choose(
    text: str,
    parts: Sequence[Sequence[Piece]],
    sizes: Sequence[Sequence[int]],
    asked: Sequence[str],
    budget: float,
) -> frozenset[tuple[int, int]]:
    """Return which sentences of which documents stay."""
    said = [[terms(text[s.start : s.end]) for s in part] for part in parts]
    worth = _worth(said, asked)
    chosen: set[tuple[int, int]] = set()
    used = 0
    if asked and len(parts) > 1:
        for d in _ranked(said, asked):
            size = sum(sizes[d])
            if used + size > budget * (1 + _NEAR):
                break
            chosen.update((d, i) for i in range(len(parts[d])))
            used += size
    flat = sorted(
        (
            (d, i)
            for d, part in enumerate(parts)
            for i in range(len(part))
            if (d, i) not in chosen and not part[i].title
        ),
        key=lambda at: (-worth[at[0]][at[1]], at),
    )
    headed = [_titles(part) for part in parts]
    heads = [sum(sizes[d][:count]) for d, count in enumerate(headed)]
    for d, i in flat:
        untitled = headed[d] > 0 and (d, 0) not in chosen
        size = sizes[d][i] + (heads[d] if untitled else 0)
        if chosen and abs(used + size - budget) >= abs(used - budget):
            continue
        chosen.add((d, i))
        chosen.update((d, title) for title in range(headed[d] if untitled else 0))
        used += size
    return frozenset(chosen)


def _titles(part: Sequence[Piece]) -> int:
    """Return how many title lines a document begins with."""
    return next((i for i, piece in enumerate(part) if not piece.title), 0)


def _ranked(said: Sequence[Sequence[Sequence[str]]], asked: Sequence[str]) -> list[int]:
    """Return the documents that have something of the question, the best first."""
    whole = [[term for sentence in part for term in sentence] for part in said]
    scores = relevance(whole, asked)
    return sorted((d for d in range(len(said)) if scores[d] > 0), key=lambda d: (-scores[d], d))


def _worth(said: Sequence[Sequence[Sequence[str]]], asked: Sequence[str]) -> list[list[float]]:
    """Return what each sentence is worth: its own score, its document's, and its neighbours'."""
    flat = [sentence for part in said for sentence in part]
    own = relevance(flat, asked) if asked else []
    if not any(own):
        own = centrality(flat)
        asked = ()
    top = max(own, default=0.0) or 1.0
    documents_of = relevance([[t for s in part for t in s] for part in said], asked)
    best = max(documents_of, default=0.0) or 1.0
    result: list[list[float]] = []
    at = 0
    for d, part in enumerate(said):
        scores = own[at : at + len(part)]
        at += len(part)
        near = [max([*scores[max(i - 1, 0) : i], *scores[i + 1 : i + 2]], default=0.0)
                for i in range(len(scores))]  # fmt: skip
        share = documents_of[d] / best if asked else 0.0
        result.append([
            (score + _NEIGHBOUR * other) / top + share + (_FIRST if i == 0 else 0.0)
            for i, (score, other) in enumerate(zip(scores, near, strict=True))
        ])  # fmt: skip
    return result
