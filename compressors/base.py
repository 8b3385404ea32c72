"""What a strategy is: an immutable, parametrised transform of a prompt template."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, Self

from ..core.errors import CostoptError, nearest
from ..core.opening import open_compressor
from ..core.protocols import Bench, ContextCompressor, TokenCounter
from ..core.spans import editable
from ..core.types import Message, PromptTemplate, Safety, Side, Syntax

__all__ = [
    "ContextStrategy",
    "NotApplicable",
    "Strategy",
    "StrategyContext",
    "map_free_text",
    "map_messages",
    "newline",
    "replace_content",
    "rewritable",
]


class NotApplicable(Exception):  # noqa: N818 - it is no error: a variant is listed with this reason
    """A strategy that cannot be applied to this template, or not with what it was handed.

    Args:
        reason: One clause, such as ``"no output lengths were measured"``.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class StrategyContext:
    """What strategies are handed: they look nothing up themselves.

    Attributes:
        count: Tokens of the target.
        output_lengths: Tokens of the baseline's measured answers; empty where none were measured.
        compressor: A model that shortens text, for strategies that need one.
        capabilities: What the target can do (`Target.capabilities`); empty where none is known.
        references: Accepted answers of the eval set, as texts; empty where there is none.
        notes: What strategies want to be said: what was requested and what was achieved.
    """

    count: TokenCounter
    output_lengths: tuple[int, ...] = ()
    compressor: ContextCompressor | None = None
    capabilities: frozenset[str] = frozenset()
    references: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list[str])


def default_context(needs: frozenset[str]) -> StrategyContext:
    """Return the context of a call that names none: tokens are those of ``o200k_base``.

    A model is opened only where ``needs`` has one.

    Raises:
        CostoptError: the extra that the model needs is not installed.
    """
    from ..costs.tokens import counter_for

    compressor = open_compressor() if "model" in needs else None
    return StrategyContext(count=counter_for("o200k_base"), compressor=compressor)


@dataclass(frozen=True, kw_only=True)
class Strategy:
    """The base of all strategies. Subclasses are frozen dataclasses of their parameters.

    A subclass sets the class variables, checks its parameters in ``__post_init__`` and overrides
    :meth:`apply`. Its docstring is its page: a summary line, what it does, then the sections
    ``What it can break:``, ``Args:`` (where it has parameters) and ``Reference:``.

    Attributes:
        name: What it is called by, in lower case with hyphens.
        code: ``CO`` and three digits.
        side: ``input`` where it shortens the prompt, ``output`` where it shortens the answer.
        safety: ``lossless`` where a parser recovers the same content.
        summary: One line for lists.
        reference: The paper or documentation that the method comes from.
        needs: Of ``counter``, ``model``, ``lengths``, ``samples``: what the context must hold;
            with ``samples`` it is fitted before it is applied.
        rewrites: Of ``data``, ``markup``, ``examples``, ``schema``, ``order``: parts of the
            contract that it may change, each only as the guard's own check of that part allows.
        example: A small prompt for the strategy's page; of a context strategy, a value.
        example_result: What a real model made of ``example`` with the default parameters, for
            strategies that need a model; ``None`` for those that are run as the page is made.
    """

    name: ClassVar[str]
    code: ClassVar[str]
    side: ClassVar[Side] = "input"
    safety: ClassVar[Safety]
    summary: ClassVar[str]
    reference: ClassVar[str]
    needs: ClassVar[frozenset[str]] = frozenset()
    rewrites: ClassVar[frozenset[str]] = frozenset()
    example: ClassVar[str] = ""
    example_result: ClassVar[str | None] = None

    def apply(self, template: PromptTemplate, context: StrategyContext) -> PromptTemplate:
        """Return the transformed template; equal to ``template`` where there is nothing to do.

        Raises:
            NotApplicable: the strategy needs what the context or the template does not have.
        """
        raise NotImplementedError

    async def fit(self, template: PromptTemplate, context: StrategyContext, bench: Bench) -> Self:
        """Return this strategy with what it learned from samples in its parameters.

        What it learned makes the same edit again without a model. Strategies that need no samples
        return themselves.

        Args:
            template: The baseline.
            context: What strategies are handed.
            bench: Scores templates on the rows that may be learned from.

        Raises:
            NotApplicable: there is nothing to choose among, or the rows cannot tell.
        """
        del template, context, bench
        return self

    def bind(self, template: PromptTemplate, context: StrategyContext) -> Self:
        """Return this strategy with the parameters that it derives from ``template`` filled in.

        What is bound is what a variant's chain names, so that a program can make the strategy
        again where the template is not at hand, as :meth:`restore` needs. Most derive none.

        Raises:
            NotApplicable: there is nothing to derive them from.
        """
        del template, context
        return self

    def restore(self, answer: str) -> str:
        """Return an answer as it would have been without this strategy: what is scored.

        Only strategies that change the form of answers, such as shorter JSON keys, override it.
        """
        return answer

    def get_params(self) -> dict[str, Any]:
        """Return the parameters; a strategy made from them is equal to this one."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    def _require(self, name: str, holds: bool, must: str) -> None:
        """Raise a `CostoptError` unless ``holds``: ``must`` says what the parameter must be."""
        if not holds:
            value = getattr(self, name)
            raise CostoptError(
                f"The {name!r} parameter of {self.name} must be {must}, got {value!r}",
                hint=f"costopt explain {self.code} lists its parameters",
            )


@dataclass(frozen=True, kw_only=True)
class ContextStrategy(Strategy):
    """A strategy that shortens what is filled into a variable, when a sample is rendered.

    The template stays as it is. Subclasses override :meth:`shorten`. They are also callables, so
    that a program runs in production what was measured:
    ``costopt.compressors.get("sentences", rate=0.5)(text, question=...)``.

    Args:
        on: The variable whose value is shortened.
        question: The variable that holds the question, for strategies that ask what matters.

    Attributes:
        example_question: The question about ``example``, for the strategy's page.
        on_prompts: Whether it edits the prompt itself where ``on`` is left out.
        reads_messages: Whether a value may be a list of messages.
        reads_question: Whether the question has a say.
    """

    example_question: ClassVar[str | None] = None
    on_prompts: ClassVar[bool] = False
    reads_messages: ClassVar[bool] = False
    reads_question: ClassVar[bool] = True

    on: str | None = None
    question: str | None = None

    def apply(self, template: PromptTemplate, context: StrategyContext) -> PromptTemplate:
        """Return ``template`` itself, once its variables are checked.

        Raises:
            NotApplicable: ``on`` is not given, or no such variable is there.
        """
        if "model" in self.needs and context.compressor is None:
            raise NotApplicable("it needs a model that shortens text")
        if self.on is None:
            names = ", ".join(template.variables) or "none"
            raise NotApplicable(f"say which variable: {self.name}:on=NAME (variables: {names})")
        for name in (self.on, self.question):
            if name is not None and name not in template.variables:
                raise NotApplicable(
                    f"the prompt has no variable {name!r}; {nearest(name, template.variables)}"
                )
        return template

    def shorten(self, text: str, question: str | None, context: StrategyContext) -> str:
        """Return ``text`` shortened; ``text`` itself where there is nothing to do.

        What was asked for and what was reached is noted in ``context.notes`` where they differ
        by more than 5 %.

        Raises:
            NotApplicable: the strategy needs what the context does not have.
        """
        raise NotImplementedError

    def shorten_value(
        self,
        value: Any,  # noqa: ANN401 - what a sample fills in
        question: str | None,
        context: StrategyContext,
    ) -> Any:  # noqa: ANN401
        """Return a variable's value shortened; one that is no text stays as it is.

        Raises:
            NotApplicable: the strategy needs what the context does not have.
        """
        return self.shorten(value, question, context) if isinstance(value, str) else value

    def __call__(
        self, text: str, *, question: str | None = None, context: "StrategyContext | None" = None
    ) -> str:
        """Shorten ``text``; tokens are counted as ``o200k_base`` unless a context says otherwise.

        Raises:
            CostoptError: the strategy needs a model that is not there.
        """
        try:
            result = self.shorten(text, question, context or default_context(self.needs))
        except NotApplicable as error:
            raise CostoptError(f"{self.name}: {error.reason}") from None
        return result if result.strip() or not text.strip() else text


def replace_content(template: PromptTemplate, contents: dict[int, str]) -> PromptTemplate:
    """Return the template with the contents of some messages replaced; itself if none differs."""
    messages = tuple(
        Message(message.role, contents.get(index, message.content))
        for index, message in enumerate(template.messages)
    )
    return template if messages == template.messages else replace(template, messages=messages)


def map_messages(template: PromptTemplate, rewrite: Callable[[str, Syntax], str]) -> PromptTemplate:
    """Return the template with ``rewrite(content, syntax)`` applied to every message."""
    return replace_content(
        template,
        {
            index: rewrite(message.content, template.syntax)
            for index, message in enumerate(template.messages)
        },
    )


def map_free_text(template: PromptTemplate, rewrite: Callable[[str], str]) -> PromptTemplate:
    """Return the template with ``rewrite`` applied to each stretch of free prose.

    Only messages that instruct are edited, and in them only what no contract holds: no placeholder,
    code, data, table, tag, quote, number, limit, format specification or example. A message of
    which nothing would be left stays as it is.

    Example:
        >>> from costopt.compressors.contract import template_of
        >>> map_free_text(template_of("Dear model, greet {dear}."), str.upper).text
        'DEAR MODEL, GREET {dear}.'
    """
    contents: dict[int, str] = {}
    for index in rewritable(template):
        text = template.messages[index].content
        parts: list[str] = []
        at = 0
        for start, end in editable(text, template.syntax):
            parts += [text[at:start], rewrite(text[start:end])]
            at = end
        new = "".join([*parts, text[at:]])
        contents[index] = new if new.strip() else text
    return replace_content(template, contents)


def rewritable(template: PromptTemplate) -> Iterator[int]:
    """Yield the indices of messages that instruct: no assistant's, no tool's, and no example's.

    A user message with an assistant's message after it demonstrates a turn, as few-shot examples
    in chat form do; it is not rewritten.
    """
    answered = max(
        (i for i, m in enumerate(template.messages) if m.role in ("assistant", "tool")), default=-1
    )
    for index, message in enumerate(template.messages):
        if message.role in ("system", "developer") or index > answered:
            yield index


def newline(text: str) -> str:
    """Return the newline that ``text`` uses."""
    return "\r\n" if "\r\n" in text else "\n"
