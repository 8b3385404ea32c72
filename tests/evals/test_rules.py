"""The rules: what each finds and where, what none may find, and how a file silences one."""

from decimal import Decimal
from pathlib import Path

import pytest

from costopt.core.formats import load_file
from costopt.core.report import Across
from costopt.core.types import PromptTemplate, Sample, Variant
from costopt.costs.prices import Price, price_for
from costopt.costs.tokens import counter_for
from costopt.evals.findings import Found, findings, with_measured
from costopt.evals.meter import Meter
from costopt.evals.rules import RULES, rule
from costopt.evals.rules.oversized_model import RULE as OVERSIZED
from costopt.evals.rules.pages import example_case, handbook, page

ROOT = Path(__file__).parent.parent.parent
MODEL = "openai:gpt-5.4-mini"


def meter(rows: tuple[Sample, ...] = (), price: Price | None = None) -> Meter:
    return Meter(
        counter=counter_for(MODEL),
        price=price or price_for(MODEL),
        recount=True,
        rows=rows,
    )


def look(template: PromptTemplate, rows: tuple[Sample, ...] = ()) -> Found:
    """What the rules find, and no strategy."""
    return findings(template, (Variant(name="baseline", template=template),), [meter(rows)])


@pytest.fixture
def found(tmp_path: Path):
    def find(text: str, name: str = "p.md", index: int = 0) -> list[tuple[str, int, int]]:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8", newline="")
        template = load_file(path)[index]
        return [(one.code, one.line, one.column) for one in look(template).findings]

    return find


@pytest.mark.parametrize("one", RULES, ids=lambda one: one.name)
def test_every_rule_finds_its_own_example_and_not_what_is_mended(one) -> None:
    assert list(one.find(example_case(one, one.before)))
    if one.before != one.after:
        assert not list(one.find(example_case(one, one.after)))


@pytest.mark.parametrize("one", RULES, ids=lambda one: one.name)
def test_every_page_says_why_what_money_and_how_to_silence_it(one) -> None:
    text = page(one)
    for part in ("## Why", "## Example", "## When to ignore it", "## Money", "Before:"):
        assert part in text or (part == "Before:" and one is OVERSIZED)
    assert f"# costopt: ignore {one.code}" in text


def test_codes_and_names_are_unique_and_apart_from_those_of_strategies() -> None:
    from costopt.compressors.registry import entries

    names = [name for one in (*RULES, *entries()) for name in (one.code, one.name)]
    assert len(set(names)) == len(names)
    assert rule("CO501") is rule("no-output-limit") is RULES[0]
    assert rule("CO101") is None


def test_the_page_of_findings_in_docs_is_what_the_code_says() -> None:
    there = (ROOT / "docs" / "findings.md").read_text("utf-8")
    assert there == handbook(), "stale: run python docs/generate.py, and commit"


CASES = {
    "a repetition in YAML has its exact place": (
        "p.yaml",
        "settings: {max_output_tokens: 9}\nmessages:\n  - role: system\n    content: |\n"
        "      Never invent a label. Name one team.\n\n      Please never invent a label.\n"
        "  - role: user\n    content: '{{ x }}'\n",
        [("CO503", 7, 7)],
    ),
    "and in JSON, behind escapes": (
        "p.json",
        '{"settings": {"max_output_tokens": 9},\n "messages": [{"role": "user", "content":\n'
        '  "Sch\\u00f6n.\\n\\nNever invent a label.\\nNever invent a label.\\n{{ x }}"}]}\n',
        [("CO503", 3, 42)],
    ),
    "a repetition over two messages": (
        "p.prompty",
        "---\nmodel: {parameters: {max_tokens: 9}}\n---\nsystem:\nNever invent a new label.\n\n"
        "user:\nOnce again, never invent a new label.\n{{x}}\n",
        [("CO503", 8, 1)],
    ),
    "rules of one form about two things are none": (
        "p.md",
        "Write the IDEAS bullets as exactly 16 words.\nWrite the FACTS bullets as exactly 16 words."
        "\n\n{{ x }}\n",
        [],
    ),
    "nor are rules with other numbers, or a negation": (
        "p.md",
        "Write at most 20 words for the title.\nWrite at most 30 words for the title.\n"
        "Always copy the name of the city.\nNever copy the name of the city.\n{{ x }}\n",
        [],
    ),
    "nothing says how long": (
        "p.txt",
        "\n\n  Explain to the customer why the delivery is late.\n{x}\n",
        [("CO501", 3, 3)],
    ),
    "a maximum under another tool's name is one": (
        "p.prompt",
        "---\nconfig:\n  maxOutputTokens: 80\n---\nExplain why the delivery is late.\n{{x}}\n",
        [],
    ),
    "so is one in a promptfoo provider": (
        "promptfooconfig.yaml",
        "prompts: ['Explain why {{x}} is late']\nproviders:\n  - id: openai:gpt-4\n    config: "
        "{max_tokens: 90}\n",
        [],
    ),
    "words on the answer's length": ("p.md", "Explain {{ x }} in two short sentences.\n", []),
    "or on its form": ("p.md", "Is {{ x }} spam? Answer yes or no.\n", []),
    "a language whose words on length are unknown": ("p.md", "为什么送货晚了？{{ x }}\n", []),
    "a picture": (
        "p.md", "A photorealistic poster of {{ x }}, cinematic lighting, 8k, bokeh.\n", []
    ),
    "a picture in a sentence": ("p.md", "Generate an image of people at {{ x }}.\n", []),
    "an unused input, where it is declared": (
        "p.prompt",
        "---\nconfig: {maxOutputTokens: 9}\ninput:\n  schema:\n    name: string\n"
        "    age?: number, in years\n---\nGreet {{name}}.\n",
        [("CO506", 6, 5)],
    ),
    "an unused input in a list": (
        "p.prompty",
        "---\nmodel: {options: {maxOutputTokens: 9}}\ninputs:\n  - name: q\n    kind: string\n"
        "  - name: lang\n    kind: string\n---\nsystem:\nAnswer {{q}}.\n",
        [("CO506", 6, 11)],
    ),
    "one that the file binds elsewhere": (
        "p.prompty",
        "---\nmodel: {options: {maxOutputTokens: 9}}\ntools: [{bindings: {unit: {input: lang}}}]\n"
        "inputs:\n  - name: q\n  - name: lang\n---\nsystem:\nAnswer {{q}}.\n",
        [],
    ),
    "one that only a loop uses": (
        "p.md",
        "---\ndefaults: {sep: ','}\nsettings: {max_output_tokens: 9}\n---\n"
        "{% for a in xs %}{{ a }}{{ sep }}{% endfor %}\n",
        [],
    ),
    "a promptfoo test's variable": (
        "promptfooconfig.yaml",
        "prompts: ['Say {{x}} in one word']\ntests:\n  - vars:\n      x: 1\n      y: 2\n",
        [("CO506", 5, 7)],
    ),
    "but not one that another prompt uses": (
        "promptfooconfig.yaml",
        "prompts: ['Say {{x}} in one word', 'Say {{y}} in one word']\ntests:\n"
        "  - vars: {x: 1, y: 2}\n",
        [],
    ),
    "a part of the work in detail": (
        "p.md",
        "Be concise.\nExplain the answer in detail, with its source.\n{{ x }}\n",
        [],
    ),
    "concise and in detail": (
        "p.md", "Please be concise.\nAnswer in detail.\n{{ x }}\n", [("CO507", 2, 1)]
    ),
    "a balance in one sentence": ("p.md", "Be concise, but answer in detail.\n{{ x }}\n", []),
    "under a condition": (
        "p.md", "Be concise.\nIf they ask for more, answer in detail.\n{{ x }}\n", []
    ),
    "JSON only and an explanation": (
        "p.md", "Return only JSON.\nExplain your reasoning.\n{{ x }}\n", [("CO507", 2, 1)]
    ),
    "an explanation in the JSON": (
        "p.md",
        'Return only JSON such as {"label": 1, "reason": "…"}.\nExplain your reasoning.\n{{ x }}\n',
        [],
    ),
    "two languages": (
        "p.md",
        "Answer only in English.\nAlways respond in German.\nUse one word. {{ x }}\n",
        [("CO507", 2, 1)],
    ),
    "a translation": ("p.md", "Translate from English into German in one line.\n{{ x }}\n", []),
    "two limits": (
        "p.md",
        "Write at most 50 words.\n\n- Your answer must have at most 80 words.\n\n{{ x }}\n",
        [("CO507", 3, 3)],
    ),
    "a range": ("p.md", "Write at least 50 words.\nWrite at most 80 words.\n{{ x }}\n", []),
    "limits of parts": (
        "p.md", "Write at most 50 words.\nWrite at most 8 words for each title.\n{{ x }}\n", []
    ),
    "an example of a quoted instruction": (
        "p.md",
        'Be concise.\n\nExample 1\nInput: "Answer in detail."\nOutput: long\n\nInput: {{ x }}\n',
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=list(CASES))
def test_what_is_found_and_where(case: str, found) -> None:
    name, text, expected = CASES[case]
    assert found(text, name) == expected


INDENTED = (
    "<order>\n    <name>Ada</name>\n    <city>Paris</city>\n    <item>\n        <sku>LT-330</sku>\n"
    "        <quantity>12</quantity>\n    </item>\n    <item>\n        <sku>LT-331</sku>\n"
    "        <quantity>13</quantity>\n    </item>\n</order>\n"
)


def test_indented_xml_is_found_and_prose_in_tags_is_not(found) -> None:
    assert found(f"Sum up in one line.\n\n{INDENTED}\n{{{{ x }}}}\n") == [("CO505", 3, 1)]
    prose = "<rules>\n    Be kind to everybody.\n    Name one team in one word.\n</rules>\n"
    assert found(f"{prose}\n{{{{ x }}}}\n") == []
    assert found(f"Sum up in one line.\n\n```python\n{INDENTED}```\n\n{{{{ x }}}}\n") == []


def test_indented_json_is_said_once(tmp_path: Path) -> None:
    from costopt.compressors.base import StrategyContext
    from costopt.compressors.variants import propose
    from costopt.core.types import StrategySpec

    path = tmp_path / "p.md"
    rows = ",\n".join(f'        "key{i}": {i}' for i in range(12))
    path.write_text(f'Sum up in one line:\n\n{{\n    "a": {{\n{rows}\n    }}\n}}\n\n{{{{ x }}}}\n')
    template = load_file(path)[0]
    context = StrategyContext(count=counter_for(MODEL))
    baseline = Variant(name="baseline", template=template)
    proposed = propose(template, ((StrategySpec("json-minify"),),), context)
    both = findings(template, (baseline, *proposed), [meter()]).findings
    assert [one.code for one in both] == ["CO201"]
    alone = look(template).findings
    assert [(one.code, one.line, one.column) for one in alone] == [("CO505", 3, 1)]
    assert alone[0].tokens > 0
    assert alone[0].usd_per_1k == Decimal(alone[0].tokens) * Decimal("0.75") / 1000


RULES_TEXT = "Follow this rule of the house with care.\n" * 130


def test_fixed_text_behind_a_placeholder_is_found_with_what_caching_it_saves(tmp_path: Path):
    path = tmp_path / "p.md"
    text = f"---\ncalls_per_month: 2000\n---\nSay it in one word: {{{{ x }}}}\n\n{RULES_TEXT}"
    path.write_text(text)
    template = load_file(path)[0]
    (one,) = (f for f in look(template).findings if f.code == "CO502")
    assert (one.line, one.column, one.end_column) == (4, 21, 28)
    assert one.tokens == 0
    assert one.usd_per_1k is not None
    assert one.usd_per_month == one.usd_per_1k * 2
    told = int(one.message.split("holds 0 of ")[1].split(" ")[0].replace(",", ""))
    assert one.usd_per_1k == told * (Decimal("0.75") - Decimal("0.075")) / 1000


def test_what_has_one_value_in_all_rows_counts_as_fixed(tmp_path: Path) -> None:
    path = tmp_path / "p.md"
    path.write_text(f"Say it in one word: {{{{ shop }}}}\n\n{RULES_TEXT}\n{{{{ x }}}}\n")
    template = load_file(path)[0]
    same = tuple(Sample(id=str(i), inputs={"shop": "L", "x": str(i)}) for i in range(3))
    other = tuple(Sample(id=str(i), inputs={"shop": str(i), "x": str(i)}) for i in range(3))
    assert not any(one.code == "CO502" for one in look(template, same).findings)
    assert any(one.code == "CO502" for one in look(template, other).findings)
    assert any(one.code == "CO502" for one in look(template, same[:1]).findings)


@pytest.mark.parametrize(("times", "said"), [
    (80, None), (100, "short of the 1,024"), (118, "cutting more than"), (160, None),
])  # fmt: skip
def test_a_beginning_near_the_floor_is_found(times: int, said: str | None, tmp_path: Path) -> None:
    path = tmp_path / "p.md"
    path.write_text("Follow this rule of the house with care.\n" * times + "One word: {{ x }}\n")
    hits = [one for one in look(load_file(path)[0]).findings if one.code == "CO509"]
    assert [said in one.message for one in hits] == ([True] if said else [])
    for one in hits:
        assert (one.usd_per_1k is not None) == ("short" in one.message)


def test_without_a_price_there_is_no_money_and_no_zero(tmp_path: Path) -> None:
    path = tmp_path / "p.md"
    path.write_text("Never invent a label. Never invent a label.\n{{ x }}\n")
    template = load_file(path)[0]
    unpriced = Meter(counter=counter_for(MODEL), price=None, recount=False, rows=())
    variants = (Variant(name="baseline", template=template),)
    for one in findings(template, variants, [unpriced]).findings:
        assert (one.usd_per_1k, one.usd_per_month) == (None, None)
        assert "$" not in one.message


def test_a_cheaper_model_that_held_is_found_after_the_measurement(sample_report) -> None:
    from dataclasses import replace

    path = ROOT / "prompts" / "support-triage" / "prompt.md"
    template = load_file(path)[0]
    report = replace(sample_report.prompts[0], across=OVERSIZED.measured, findings=())
    (one,) = with_measured(report, template, [meter()]).findings
    assert (one.code, one.usd_per_1k) == ("CO508", Decimal("1.11"))
    assert one.usd_per_month == Decimal("1.11") * 420
    assert isinstance(OVERSIZED.measured, Across)
    none = replace(report, across=replace(OVERSIZED.measured, best="openai:gpt-5.5: baseline"))
    assert with_measured(none, template, [meter()]).findings == ()


def test_the_sample_prompts_are_found_only_in_what_they_repeat() -> None:
    for path in sorted((ROOT / "prompts").glob("*/prompt.*")):
        codes = {one.code for one in look(load_file(path)[0]).findings}
        assert codes <= {"CO503", "CO505"}, path
        for one in look(load_file(path)[0]).findings:
            if one.code == "CO503":
                assert path.parent.name in {"passage-qa", "support-triage", "word-problems"}


SILENT = [
    ("p.md", "---\n# costopt: ignore CO501\n---\nExplain {{ x }}.\n"),
    (
        "p.md",
        "---\nname: p  # costopt: ignore CO503, co501 since it is for essays\n---\nGo {{ x }}",
    ),
    ("p.md", "---\n# costopt: ignore no-output-limit\n---\nExplain {{ x }}.\n"),
    ("p.j2", "{# costopt: ignore CO501 #}\nExplain {{ x }}.\n"),
    ("p.j2", "{#- costopt: ignore CO101 CO501 -#}\nExplain {{ x }}.\n"),
    ("p.mustache", "{{! costopt: ignore CO501 }}Explain {{x}}.{{#y}}{{/y}}\n"),
    ("p.prompt", "# costopt: ignore CO501\n---\nmodel: m\n---\nExplain {{x}}.\n"),
    ("p.prompty", "---\nname: p\n# costopt: ignore CO501\n---\nuser:\nExplain {{x}}.\n"),
    (
        "p.yaml",
        "# costopt: ignore CO501\nmessages:\n  - role: user\n    content: Explain {{ x }}.\n",
    ),
    ("p.json", '{"messages": [{"role": "user", "content": "{# costopt: ignore CO501 #}{{ x }}"}]}'),
    ("promptfooconfig.yaml", "prompts:\n  # costopt: ignore CO501\n  - Explain {{ x }}.\n"),
]


@pytest.mark.parametrize(("name", "text"), SILENT)
def test_a_comment_silences_a_code_in_that_file(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    for template in load_file(tmp_path / name):
        looked = look(template)
        assert looked.findings == ()
        assert looked.notes == ("findings that the file ignores: CO501",)


@pytest.mark.parametrize("text", [
    "<!-- costopt: ignore CO501 -->\nExplain {{ x }}.\n",
    "# costopt: ignore CO501\nExplain {{ x }}.\n",
])  # fmt: skip
def test_a_comment_that_is_sent_works_and_is_said_to_cost(text: str, found) -> None:
    assert found(text)[0][0] == "CO510"
    assert len(found(text)) == 1


NOT_SILENT = [
    ("p.md", "---\ndescription: '# costopt: ignore CO501'\n---\nExplain {{ x }}.\n"),
    ("p.md", "Explain what the comment # costopt: ignore CO501 does to {{ x }}.\n"),
    ("p.md", "---\n# costopt: ignore CO502\n---\nExplain {{ x }}.\n"),
]


@pytest.mark.parametrize(("name", "text"), NOT_SILENT)
def test_what_is_no_comment_silences_nothing(name: str, text: str, found) -> None:
    assert "CO501" in {code for code, _, _ in found(text, name)}


def test_an_unknown_code_in_an_ignore_is_a_finding_with_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "p.md"
    path.write_text("---\n# costopt: ignore CO5011, CO101\n---\nSay {{ x }} in one word.\n")
    (one,) = look(load_file(path)[0]).findings
    assert (one.code, one.line, one.column, one.end_column) == ("CO510", 2, 19, 25)
    assert 'did you mean "CO501"?' in one.message
    path.write_text("---\n# costopt: ignore\n---\nSay {{ x }} in one word.\n")
    (one,) = look(load_file(path)[0]).findings
    assert "names no code" in one.message


def test_a_prompt_of_any_size_has_a_bounded_number_of_findings(tmp_path: Path) -> None:
    path = tmp_path / "p.md"
    path.write_text("# costopt: ignore CO1\n" * 30_000)
    assert len(look(load_file(path)[0]).findings) == 200
    path.write_text("Never invent a label and write it down now.\n" * 10_000)
    assert {one.code for one in look(load_file(path)[0]).findings} <= {"CO509"}
