"""Where strategies save tokens: one finding for each strategy that changes a prompt."""

from collections.abc import Sequence

from ..compressors.contexts import at_run_time
from ..compressors.registry import entry
from ..core.report import Finding
from ..core.types import PromptTemplate, Variant
from .meter import Meter


def findings(variants: Sequence[Variant], meter: Meter) -> tuple[Finding, ...]:
    """Return the findings of a prompt, the largest saving first.

    Args:
        variants: The baseline, then its variants; only single input strategies that change the
            template, and that the guard let pass, are findings.
        meter: Counts the template's tokens.
    """
    baseline = variants[0].template
    before = meter.template_tokens(baseline)
    found = [
        _finding(baseline, variant, before - meter.template_tokens(variant.template))
        for variant in variants[1:]
        if variant.rejected is None
        and variant.side == "input"
        and not variant.control
        and len(variant.chain) == 1
        and not at_run_time(variant.chain[0])
    ]
    return tuple(sorted(found, key=lambda finding: (-finding.tokens, finding.code)))


def _finding(baseline: PromptTemplate, variant: Variant, tokens: int) -> Finding:
    known = entry(variant.chain[0].name)
    line, column = first_change(baseline, variant.template)
    return Finding(
        code=known.code,
        name=known.name,
        line=line,
        column=column,
        message=f"{known.summary} ({known.safety})",
        tokens=tokens,
    )


def first_change(before: PromptTemplate, after: PromptTemplate) -> tuple[int, int]:
    """Return line and column, from 1, of the file where two templates first differ.

    Exact where the file holds a message's text as it is; where the format escapes or indents it,
    the line is found by its words, and the column is 1.
    """
    for old, new in zip(before.messages, after.messages, strict=False):
        if old.content == new.content:
            continue
        offset = _common_prefix(old.content, new.content)
        start = before.source.raw.find(old.content)
        if start >= 0:
            return _position(before.source.raw, start + offset)
        return _line_of(before, old.content, offset), 1
    return before.source.line, 1


def _common_prefix(left: str, right: str) -> int:
    for index, (a, b) in enumerate(zip(left, right, strict=False)):
        if a != b:
            return index
    return min(len(left), len(right))


def _position(text: str, offset: int) -> tuple[int, int]:
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def _line_of(template: PromptTemplate, content: str, offset: int) -> int:
    start = content.rfind("\n", 0, offset) + 1
    line = content[start:].split("\n", 1)[0].strip()
    place = template.source.raw.find(line) if line else -1
    return _position(template.source.raw, place)[0] if place >= 0 else template.source.line
