"""CO320: words that a small language model finds predictable."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from ..core.protocols import ContextCompressor
from ..core.spans import editable
from ..core.types import PromptTemplate, Safety, Syntax
from .base import (
    ContextStrategy,
    NotApplicable,
    StrategyContext,
    replace_content,
    rewritable,
)
from .word_choice import MISSING, kept_strings, note, readable, steered

_LEAST = 40
"""Tokens of free prose in a message, below which there is nothing to choose among."""
_LABEL = re.compile(r"^[ \t]*[*_]{0,3}(\w[\w'/-]*(?: \w[\w'/-]*){0,2}:)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class LLMLingua(ContextStrategy):
    """Drop the words that a small language model finds predictable.

    LLMLingua (the package of that name) reads each message that instructs and drops the words that
    surprise its model least, until about ``rate`` of the tokens of the free prose are left. The
    model reads the whole message, and words stay whole. Placeholders, code, JSON, tables, tags,
    format specifications, examples, URLs, quoted literals, numbers, and negations and limits stay
    as they are, and so do line breaks, list marks and labels such as "Answer:". A message with
    less than 40 tokens of free prose is left alone. What was asked for and what was reached are
    noted: they differ a little, since whole words are dropped and tokenizers differ. Horizontal
    rules, and list marks with nothing left behind them, go.

    With ``on=VARIABLE`` the prompt stays as it is, and what is filled into that variable is
    compressed when the prompt is rendered. There ``rate`` is of all the value's tokens: a long
    value goes in parts of some 1,000 tokens, each asked for what is left of the budget, and a
    short one is asked for again where the rate is missed by more than 5 %.

    What it can break:
        Much: it knows no grammar, no facts and no task. What is predictable to a model of 135
        million parameters may still matter, such as which of two things a sentence is about. A
        negation stays, but what it negates may go ("never invent a topic": "never a"). Read
        the result, and trust the measurement rather than the rate. Its savings are in tokens of
        its own model; another tokenizer may need more for the same words.

    Args:
        on: The variable whose value is compressed; the prompt's own prose if left out.
        question: Not used.
        rate: Tokens after / tokens before: of the free prose, or with ``on`` of the value; above 0
            and at most 1.
        model: A model to read with: a folder in the format of transformers with safetensors, or
            a hub id; the embedded model's own weights if left out.

    Reference:
        Jiang et al., LLMLingua: Compressing Prompts for Accelerated Inference of Large Language
        Models, EMNLP 2023, arXiv:2310.05736.
    """

    name: ClassVar[str] = "llmlingua"
    code: ClassVar[str] = "CO320"
    safety: ClassVar[Safety] = "lossy"
    summary: ClassVar[str] = "drops the tokens that a small language model finds predictable"
    reference: ClassVar[str] = "arXiv:2310.05736"
    needs: ClassVar[frozenset[str]] = frozenset({"counter", "model"})
    example: ClassVar[str] = (
        "You are a support agent who works for a company that sells garden furniture to customers "
        "all over the country. Please read the message of the customer very carefully and decide "
        "which of our teams should take care of it. Never answer the customer yourself.\n\n"
        "Message: {message}"
    )
    on_prompts: ClassVar[bool] = True
    reads_question: ClassVar[bool] = False
    example_result: ClassVar[str | None] = (
        "You are support agent works for sells garden furniture to all country Please read message "
        "of very decide which our teams should take Never answer yourself\n\nMessage: {message}"
    )

    rate: float = 0.6
    model: str | None = None

    def __post_init__(self) -> None:
        """Check the rate.

        Raises:
            CostoptError: it is out of range.
        """
        self._require("rate", 0 < self.rate <= 1, "above 0 and at most 1")

    def apply(self, template: PromptTemplate, context: StrategyContext) -> PromptTemplate:
        """Return the template with the free prose of its messages compressed; itself with ``on``.

        Raises:
            NotApplicable: there is no compressor, or too little free prose.
            CostoptError: the compressor's model cannot be loaded.
        """
        if context.compressor is None:
            raise NotApplicable(MISSING)
        if self.on is not None:
            return super().apply(template, context)
        texts = {
            index: template.messages[index].content
            for index in rewritable(template)
            if _prose(template.messages[index].content, template.syntax, context) >= _LEAST
        }
        if not texts:
            raise NotApplicable(f"no message has {_LEAST} tokens of free prose")
        contents = {
            index: self._compressed(text, template.syntax, context, context.compressor)
            for index, text in texts.items()
        }
        _note(self, texts, contents, template.syntax, context)
        return replace_content(template, contents)

    def shorten(self, text: str, question: str | None, context: StrategyContext) -> str:
        """Return ``text`` with the words dropped that the model finds predictable.

        Raises:
            NotApplicable: there is no compressor.
            CostoptError: the compressor's model cannot be loaded.
        """
        del question
        reader = readable(self.name, text, context)
        if reader is None or self.rate == 1:
            return text

        def compress(part: str, rate: float) -> str:
            return reader.compress(part, rate=rate, keep=kept_strings(part), model=self.model)

        result = steered(text, self.rate, context.count, compress)
        result = result if context.count(result) < context.count(text) else text
        note(self.name, self.rate, text, result, context)
        return result

    def _compressed(
        self, text: str, syntax: Syntax, context: StrategyContext, compressor: ContextCompressor
    ) -> str:
        kept = tuple(_protected(text, syntax))
        keep = (*kept, *_LABEL.findall(text))
        result = compressor.compress(text, rate=self.rate, keep=keep, model=self.model)
        if not _in_order(result, kept):
            context.notes.append("llmlingua: a message is left alone, since its result lost a span")
            return text
        return result if context.count(result) < context.count(text) else text


def _protected(text: str, syntax: Syntax) -> Iterator[str]:
    """Yield what stands between the ranges that may be edited."""
    end = 0
    for start, stop in (*editable(text, syntax), (len(text), len(text))):
        if text[end:start].strip():
            yield text[end:start].strip()
        end = stop


def _in_order(text: str, parts: tuple[str, ...]) -> bool:
    """Whether ``parts`` stand in ``text`` one after another."""
    at = 0
    for part in parts:
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return True


def _prose(text: str, syntax: Syntax, context: StrategyContext) -> int:
    return sum(context.count(text[start:end]) for start, end in editable(text, syntax))


def _note(
    strategy: LLMLingua,
    before: dict[int, str],
    after: dict[int, str],
    syntax: Syntax,
    context: StrategyContext,
) -> None:
    """Say what was asked for and what was reached."""
    old = sum(context.count(text) for text in before.values())
    new = sum(context.count(text) for text in after.values())
    prose = sum(_prose(text, syntax, context) for text in before.values())
    reached = 1 - (old - new) / max(prose, 1)
    context.notes.append(
        f"llmlingua: rate {strategy.rate:g} requested and {reached:.2f} achieved over {prose:,} "
        f"tokens of free prose; {new / max(old, 1):.2f} of all {old:,} with what is protected"
    )
