"""What a prompt asks of its answers: reasoning or none, and in which form."""

import re

from ..core.spans import spans
from ..core.types import PromptTemplate, SpanKind
from .base import NotApplicable, rewritable
from .placement import add_instruction

__all__ = [
    "add_reasoning_line",
    "asks_for_reasoning",
    "has_line",
    "own_form",
    "prose",
    "strict_form",
]

_REASONING = re.compile(
    r"\bstep[- ]by[- ]step\b|\bchain[- ]of[- ]thought\b"
    r"|\bshow (?:me )?(?:all )?(?:of )?(?:your|the|each|every) "
    r"(?:work(?:ing)?|reasoning|steps?|thinking|calculations?|derivation)\b"
    r"|\b(?:explain|describe|write (?:down|out)|give|state|include|provide|lay out) "
    r"(?:\w+ )?your (?:reasoning|thinking|thought process|steps|working)\b"
    r"|\breason (?:carefully|through|about|first|aloud|out loud)\b"
    r"|\bthink (?:carefully|aloud|out loud|it through|through)\b",
    re.IGNORECASE,
)
_NO_REASONING = re.compile(
    r"\b(?:do not|don['’]t|never|without|no need to|avoid)\b[^.!?\n]{0,30}$", re.IGNORECASE
)
_DATA = re.compile(r"\b(json|xml|ya?ml|csv|tsv|html)\b", re.IGNORECASE)
_ALONE = re.compile(
    r"\bnothing else\b|\bno (?:other|additional|extra) (?:text|words|output)\b"
    r"|\bno explanations?\b|\b(?:do not|don['’]t|never) explain\b"
    r"|\bwithout (?:any |an )?(?:explanations?|reasoning)\b"
    r"|\b(?:only|just) (?:with )?(?:the|a|an|one|its|that) (?:\w+ )?"
    r"(?:label|category|class|topic|number|letter|option|name|word|phrase|answer|result)\b",
    re.IGNORECASE,
)
_OWN_END = re.compile(
    r"####|\\boxed|\bfinal (?:answer|result|line)\b|\blast (?:line|number|word|sentence)\b"
    r"|\b(?:end|finish|conclude|close) (?:your \w+ )?with\b"
    r"|^[ \t>*_#-]*(?:answer|solution|output|response|label|result)[*_]{0,2}:",
    re.IGNORECASE | re.MULTILINE,
)
_CUE = re.compile(r"[*_]{0,3}[A-Z][\w /-]{0,30}[*_]{0,3}:[*_]{0,3}")


def prose(template: PromptTemplate) -> str:
    """Return what the instructing messages say, without variables, code, data and examples."""
    dropped = (SpanKind.PLACEHOLDER, SpanKind.CODE, SpanKind.DATA, SpanKind.EXAMPLE)
    parts: list[str] = []
    for index in rewritable(template):
        content = template.messages[index].content
        found = spans(content, template.syntax)
        parts.append("".join(content[s.start : s.end] for s in found if s.kind not in dropped))
    return "\n\n".join(parts)


def asks_for_reasoning(template: PromptTemplate) -> bool:
    r"""Tell whether a prompt asks for reasoning in the answer, such as "step by step".

    Example:
        >>> from costopt.compressors.contract import template_of
        >>> asks_for_reasoning(template_of("Think step by step.\n\n{q}"))
        True
        >>> asks_for_reasoning(template_of("Do not think step by step.\n\n{q}"))
        False
    """
    text = prose(template)
    return any(
        not _NO_REASONING.search(text, max(0, found.start() - 60), found.start())
        for found in _REASONING.finditer(text)
    )


def strict_form(template: PromptTemplate) -> str | None:
    r"""Say what the whole answer must be, where nothing else may stand beside it, or ``None``.

    Example:
        >>> from costopt.compressors.contract import template_of
        >>> strict_form(template_of("Reason first. Respond in JSON.\n\n{q}"))
        'JSON'
    """
    if template.settings.response_schema is not None:
        return "JSON by a schema"
    text = prose(template)
    for index in rewritable(template):
        content = template.messages[index].content
        for span in spans(content, template.syntax):
            named = _DATA.search(content, span.start, span.end)
            if span.kind is SpanKind.FORMAT and named:
                return named[0].upper()
    return "the answer alone" if _ALONE.search(text) else None


def own_form(template: PromptTemplate) -> bool:
    r"""Tell whether a prompt says or shows how an answer ends, so that none may be laid on top.

    Example:
        >>> from costopt.compressors.contract import template_of
        >>> own_form(template_of("End with #### and the number.\n\n{q}"))
        True
    """
    if any(message.role == "assistant" for message in template.messages):
        return True
    for index in rewritable(template):
        content = template.messages[index].content
        kinds = {span.kind for span in spans(content, template.syntax)}
        if kinds & {SpanKind.FORMAT, SpanKind.EXAMPLE} or _OWN_END.search(content):
            return True
    last = template.messages[-1].content.rstrip() if template.messages else ""
    return _CUE.fullmatch(last, last.rfind("\n") + 1) is not None


def has_line(template: PromptTemplate, lead: str) -> bool:
    """Tell whether a line of the template begins with ``lead``, so that it is not added twice."""
    return any(
        line.strip().startswith(lead)
        for message in template.messages
        for line in message.content.split("\n")
    )


def add_reasoning_line(template: PromptTemplate, lead: str) -> PromptTemplate:
    """Return the template with a line on how to reason, which keeps the answer extractable.

    The prompt's own way to end an answer is kept; where it has none, the line asks for a last line
    "Answer: …".

    Args:
        template: What is asked.
        lead: What the line asks of the reasoning; where a line begins so already, all stays.

    Raises:
        NotApplicable: the prompt asks for no reasoning, or for an answer without room for it.
    """
    if has_line(template, lead):
        return template
    if not asks_for_reasoning(template):
        raise NotApplicable("the prompt does not ask for reasoning")
    form = strict_form(template)
    if form is not None:
        raise NotApplicable(f"the prompt asks for {form}: reasoning has no place beside it")
    end = "Then give the answer in the format asked for."
    if not own_form(template):
        end = 'End with a last line "Answer: …".'
    return add_instruction(template, f"{lead} {end}")
