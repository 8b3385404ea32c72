"""CO322: words that a token classifier of LLMLingua-2 finds worth least."""

from dataclasses import dataclass
from typing import ClassVar

from ..core.errors import CostoptError
from ..core.types import PromptTemplate, Safety
from ..core.words import Range
from .base import ContextStrategy, NotApplicable, StrategyContext
from .word_choice import drop, note, protected, readable, touched

_NAME_ONE = (
    "give model=: a folder with config.json, tokenizer.json and *.safetensors, or "
    "model=microsoft/llmlingua-2-xlm-roberta-large-meetingbank"
)


@dataclass(frozen=True, kw_only=True)
class LLMLingua2(ContextStrategy):
    """Drop the words of a context that LLMLingua-2's token classifier finds worth least.

    LLMLingua-2 (the package llmlingua) reads the value with a model that was trained to tell, of
    each token, whether it should stay. Words go whole, those first that it finds least worth
    keeping, until the value is down to ``rate`` of its tokens. Numbers with their units,
    negations and limits, quoted literals, URLs, code, JSON, tables and tags stay. The model is to
    be named: the embedded one is not of this kind.

    What it can break:
        Much: the published models learned from transcripts of meetings what another model would
        leave out. They know no question and no task; grammar, and who did what to whom, may go.

    Args:
        on: The variable whose value is shortened.
        question: Not used.
        rate: Tokens after / tokens before; above 0 and at most 1.
        model: A token classifier of LLMLingua-2: a folder in the format of transformers with
            safetensors, or a hub id such as
            ``microsoft/llmlingua-2-xlm-roberta-large-meetingbank`` (2.2 GB). Required.

    Reference:
        Pan et al., LLMLingua-2: Data Distillation for Efficient and Faithful Task-Agnostic Prompt
        Compression, Findings of ACL 2024, arXiv:2403.12968.
    """

    name: ClassVar[str] = "llmlingua2"
    code: ClassVar[str] = "CO322"
    safety: ClassVar[Safety] = "lossy"
    summary: ClassVar[str] = "drops the words that a token classifier finds worth least"
    reference: ClassVar[str] = "arXiv:2403.12968"
    needs: ClassVar[frozenset[str]] = frozenset({"counter", "model"})
    reads_question: ClassVar[bool] = False

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
            NotApplicable: no model is named, ``on`` is not given, or no such variable is there.
        """
        if self.model is None:
            raise NotApplicable(f"no model is named: {_NAME_ONE}")
        return super().apply(template, context)

    def shorten(self, text: str, question: str | None, context: StrategyContext) -> str:
        """Return ``text`` without the words that are worth least.

        Raises:
            NotApplicable: there is nothing to read with.
            CostoptError: no model is named, or it cannot be found, fetched or loaded.
        """
        del question
        if self.model is None:
            raise CostoptError(
                "llmlingua2 needs a token classifier of LLMLingua-2, and none is named",
                hint=_NAME_ONE,
            )
        reader = readable(self.name, text, context)
        if reader is None or self.rate == 1:
            return text
        words = reader.worth(text, model=self.model)
        ranges = [Range(word.start, word.end) for word in words]
        fixed = touched(ranges, protected(text))
        free = [index for index in range(len(words)) if index not in fixed]
        order = [(index,) for index in sorted(free, key=lambda i: (words[i].score, -i))]
        result = drop(text, ranges, order, rate=self.rate, count=context.count)
        note(self.name, self.rate, text, result, context)
        return result
