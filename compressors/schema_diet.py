"""CO205: tool and response schemas without what does not constrain."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from ..core.protocols import TokenCounter
from ..core.ranges import Ranges
from ..core.spans import spans
from ..core.types import PromptTemplate, Safety, SpanKind, Syntax
from .base import Strategy, StrategyContext, replace_content, rewritable
from .encodings import encoded
from .guard import check
from .guard_schema import schema_blocks
from .schemas import slim

_FIXED = frozenset({SpanKind.FORMAT, SpanKind.EXAMPLE, SpanKind.QUESTION, SpanKind.PLACEHOLDER})


@dataclass(frozen=True, kw_only=True)
class SchemaDiet(Strategy):
    """Drop from tool and response schemas what does not constrain.

    Titles, comments and examples go, and so do descriptions that say no more than the property's
    name; one that repeats an earlier property's becomes "As NAME.". Keywords that say nothing go
    (``required: []``, ``additionalProperties: true``, ``minLength: 0``), as do definitions that
    nothing refers to. It works on the tools and the response schema of the settings, and on
    schemas in the text, which are written without indentation. A schema accepts and rejects the
    same values as before.

    What it can break:
        A title or an example that explained a property to the model. Code that is generated from
        the schema's titles.

    Reference:
        JSON Schema 2020-12, Validation, section 9 (annotations). On tokens of tool schemas:
        OpenAI, "Function calling", section "Token usage".
    """

    name: ClassVar[str] = "schema-diet"
    code: ClassVar[str] = "CO205"
    safety: ClassVar[Safety] = "lossy"
    summary: ClassVar[str] = "drops from schemas what does not constrain"
    reference: ClassVar[str] = "JSON Schema 2020-12, Validation, section 9"
    needs: ClassVar[frozenset[str]] = frozenset({"counter"})
    rewrites: ClassVar[frozenset[str]] = frozenset({"schema"})
    example: ClassVar[str] = (
        "Call this tool for the ticket below:\n\n"
        '{"name": "refund", "description": "Pay back an order.", "parameters": {\n'
        '  "type": "object", "title": "Refund", "properties": {\n'
        '    "order_number": {"type": "string", "description": "The order number."},\n'
        '    "amount": {"type": "number", "description": "In USD.", "examples": [9.5]}},\n'
        '  "required": ["order_number"], "additionalProperties": true}}\n\nTicket: {ticket}'
    )

    def apply(self, template: PromptTemplate, context: StrategyContext) -> PromptTemplate:
        """Return the template with the schemas of its settings and messages slimmed."""
        template = self._kept(template, _settings(template, context.count))
        for index in rewritable(template):
            text = template.messages[index].content
            after = replace_content(
                template, {index: _slimmed(text, template.syntax, context.count)}
            )
            template = self._kept(template, after)
        return template

    def _kept(self, before: PromptTemplate, after: PromptTemplate) -> PromptTemplate:
        """Return the edit unless the guard would refuse it."""
        if before == after:
            return before
        refused = check(before, after, self.safety, self.side, self.rewrites).rejected
        return before if refused else after


def _settings(template: PromptTemplate, count: TokenCounter) -> PromptTemplate:
    own = template.settings
    tools = tuple(_smaller(tool, count) for tool in own.tools)
    schema = own.response_schema
    settings = replace(own, tools=tools, response_schema=schema and _smaller(schema, count))
    return template if settings == own else replace(template, settings=settings)


def _smaller(value: Mapping[str, Any], count: TokenCounter) -> Mapping[str, Any]:
    short = slim(value, count)
    before, after = encoded(value, "json"), encoded(short, "json")
    return short if count(after or "") < count(before or "") else value


def _slimmed(text: str, syntax: Syntax, count: TokenCounter) -> str:
    fixed = Ranges((s.start, s.end) for s in spans(text, syntax) if s.kind in _FIXED)
    parts: list[str] = []
    at = 0
    for block, value in schema_blocks(text):
        if fixed.touch(block.start, block.end):
            continue
        written = encoded(slim(value, count), "json") or block.source
        if count(written) < count(block.source):
            head, _, tail = text[block.start : block.end].partition(block.source)
            parts += [text[at : block.start], head, written, tail]
            at = block.end
    return "".join([*parts, text[at:]])
