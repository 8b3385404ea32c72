"""The page of one rule, with its example looked at as the page is made; and all of them."""

import re
from dataclasses import replace
from decimal import Decimal

from ...core.formats import load_string, reread
from ...core.ignores import ignores
from ...costs.tokens import counter_for
from . import RULES
from .base import Case, Model, Rule

_MODEL = "openai:gpt-5.4-mini"
_RATES = {"input": Decimal("0.75"), "cache_read": Decimal("0.075"), "output": Decimal("4.50")}
_FLOOR = 1024
_LONGEST = 420
_EDGE = 170


def page(rule: Rule) -> str:
    """Return a rule's page in Markdown.

    Example:
        >>> from costopt.evals.rules import rule
        >>> page(rule("CO506")).splitlines()[0]
        '# CO506 unused-variable'
    """
    return "\n\n".join([f"# {rule.code} {rule.name}", *_parts(rule, "##")]) + "\n"


def example_case(rule: Rule, text: str) -> Case:
    """Return a text as its rule looks at it: a rule's ``before``, or its ``after``."""
    template = load_string(text, shown=f"{rule.name}.md", format=rule.format)
    parsed = reread(template)
    model = Model(ref=_MODEL, count=counter_for(_MODEL), floor=_FLOOR, **_RATES)
    case = Case(
        parsed=parsed,
        models=(model,),
        known=frozenset(one.code for one in RULES),
        ignores=ignores(parsed),
    )
    return replace(case, across=rule.measured) if text == rule.before else case


def handbook() -> str:
    """Return the page of all rules, as it stands in ``docs``."""
    rows = "".join(f"| [{r.code}](#{_anchor(r)}) | {r.name} | {r.summary} |\n" for r in RULES)
    parts = [_HEAD + rows.rstrip("\n"), _IGNORING]
    for rule in RULES:
        parts += [f"## {rule.code} {rule.name}", *_parts(rule, "###")]
    return "\n\n".join(parts) + "\n"


def _parts(rule: Rule, mark: str) -> list[str]:
    return [
        f"A finding: {rule.summary}.",
        f"{mark} Why",
        rule.why,
        f"{mark} Example",
        *_example(rule),
        f"{mark} When to ignore it",
        f"{rule.ignore} A comment in the file silences it: `# costopt: ignore {rule.code}` in the "
        f"front matter, or `{{# costopt: ignore {rule.code} #}}` in a Jinja template.",
        f"{mark} Money",
        rule.money,
    ]


def _example(rule: Rule) -> list[str]:
    case = example_case(rule, rule.before)
    found = [f"- line {case.place(hit)[0].line}: {hit.message}" for hit in rule.find(case)]
    label = "Before:" if rule.before != rule.after else "A prompt:"
    said = f"What it says, priced as {_MODEL}:"
    shown = [label, _fenced(rule.before), said, "\n".join(found)]
    return shown if rule.before == rule.after else [*shown, "After:", _fenced(rule.after)]


def _fenced(text: str) -> str:
    body = text.rstrip("\n")
    if len(body) > _LONGEST:
        body = f"{body[:_EDGE]} […] {body[-_EDGE:]}"
    longest = max((len(run) for run in re.findall(r"`{3,}", body)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}text\n{body}\n{fence}"


def _anchor(rule: Rule) -> str:
    return f"{rule.code.lower()}-{rule.name}"


_HEAD = """# Findings

What `costopt analyze` says of a prompt before any model is asked, and what it may save. The list
has two kinds: where a [strategy](strategies/README.md) would save tokens (its code is the
strategy's), and what the rules below find. `costopt explain CODE` shows the page of either. This
page is made by `python docs/generate.py` from the code; do not edit it.

Every finding has the line and column of the file, the input tokens of a request that mending it
saves at most, and the money at list price, for 1,000 requests and for the month where the file or
the configuration says `calls_per_month`. What is unknown is left out, and `null` in the JSON.
Prompts of more than 300,000 characters are not read sentence by sentence (CO501, CO503, CO507).

| Code | Name | What it finds |
|:--|:--|:--|
"""

_IGNORING = """## Silence one

A comment in the file silences a code, or several with commas between them, in that file:
`costopt: ignore CO501, CO503`. What is measured stays the same; the report says which codes a file
ignores, and an unknown code is a finding itself (CO510).

- In front matter and YAML files: `# costopt: ignore CO501`. It is never sent to a model.
- In the template's own syntax: `{# costopt: ignore CO501 #}` in Jinja,
  `{{! costopt: ignore CO501 }}` in Mustache and Handlebars. Rendering leaves it out.
- `<!-- costopt: ignore CO501 -->`, or a line of its own that begins with `#`, works in every text,
  but there it is text like any other, and the model is sent it: prefer the front matter."""
