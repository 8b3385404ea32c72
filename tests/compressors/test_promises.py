"""What is promised of every strategy, over generated prompts whose parts are known.

What must be kept is what the generator planted, looked up in the result by plain means (a regular
expression, `json`, `csv`, counting), so that a hole in the guard shows as well as one in a
strategy.
"""

import csv
import json
import random
import re
from collections import Counter
from dataclasses import dataclass, field

import pytest
import regex

from costopt.compressors.base import ContextStrategy, NotApplicable, StrategyContext
from costopt.compressors.contract import PieceCounter, template_of
from costopt.compressors.registry import entries, get
from costopt.compressors.variants import propose
from costopt.core.types import StrategySpec, Syntax

CONTEXT = StrategyContext(count=PieceCounter(), output_lengths=(5, 9, 20), references=("yes",))
STRATEGIES = [
    strategy
    for strategy in (get(e.name) for e in entries() if e.extra in (None, "text") and not e.control)
    if not isinstance(strategy, ContextStrategy) and not strategy.needs & {"model", "samples"}
]
LOSSLESS = {"whitespace", "table-compact", "json-minify"}
TAGS = {
    Syntax.JINJA: r"\{\{.*?\}\}|\{%.*?%\}",
    Syntax.FSTRING: r"\{v\d+\}",
    Syntax.MUSTACHE: r"\{\{\{.*?\}\}\}|\{\{.*?\}\}",
    Syntax.HANDLEBARS: r"\{\{\{.*?\}\}\}|\{\{.*?\}\}",
}
VARIABLES = {
    Syntax.JINJA: ("{{ v0 }}", "{{v0|upper}}", "{% if v0 %}now{% endif %}",
                   "{% for d in v0 %}{{ d.title }}{% endfor %}", "{%- set x = v0 -%}"),
    Syntax.FSTRING: ("{v0}",),
    Syntax.MUSTACHE: ("{{v0}}", "{{{v0}}}", "{{#v0}}{{name}}{{/v0}}", "{{^v0}}none{{/v0}}"),
    Syntax.HANDLEBARS: ("{{v0}}", "{{#if v0}}yes{{else}}no{{/if}}",
                        "{{#each v0}}{{this}}{{/each}}"),
}  # fmt: skip
PROSE = (
    "Please make sure that you read all of it, due to the fact that details matter.",
    "It is very important that you answer in the customer's language.",
    "Answer in the customer's language.", "Please answer in the language of the customer.",
    "As mentioned above, answer in the customer's language.", "Once again, never invent a label.",
    "Never invent a label.", "**Important:** keep the *whole* answer short!!!", "---", "=====",
    "## Rules ##", "Labels\n------", "• first\n• second", "- one\n- two\n- one",
    "Provide an overview of the ticket in a clear and concise manner.", "<b>Bold</b> text<br>",
    "| plan   | price  |\n| :----- | -----: |\n| basic  | cheap  |", "a  b   c   d\t",
    "<!-- a note -->", "<p>One.</p>\n<ul><li>Two.</li></ul>", "Thank you very much in advance!",
    "In order to help, utilize the list, and then write the reply.",
    "Q: two?\nA: yes\n\nQ: no?\nA: 1",
    "1. First.\n2. Second.", "Use `a  b` and ``c`d``.", "    indented  code", "请务必阅读全文。",
)  # fmt: skip
JOINTS = ("\n", "\n\n", "\n\n\n\n", "   \n", "\n \t\n")


@dataclass
class Case:
    """A prompt, and what was planted in it."""

    syntax: Syntax
    texts: list[str] = field(default_factory=list)
    roles: tuple[str, ...] = ("user",)
    code: list[str] = field(default_factory=list)
    data: list[object] = field(default_factory=list)
    anchors: list[str] = field(default_factory=list)

    @property
    def template(self):
        return template_of(*self.texts, syntax=self.syntax, roles=self.roles)


def a_value(dice):
    """Return a JSON value: a table of objects, or something nested."""
    scalars = (7, -3, 2.5, True, None, "x, y", 'say "hi"', "", "12", "ütf 😀", "a\nb", "- c")
    names = dice.sample(("id", "name", "the price", "ok", "größe"), dice.randint(1, 4))
    rows = [{n: dice.choice(scalars) for n in names} for _ in range(dice.randint(1, 4))]
    return dice.choice([rows, {"rows": rows, "more": {"n": [1, [2, []]], "o": {}}}, [rows, 1]])


def a_block(dice, case):
    """Return code or JSON, fenced or bare, and note what it is."""
    if dice.random() < 0.4:
        body = f"def f{dice.randint(0, 99)}(x):\n    return x  +  1   \n\n\n\n# please never"
        case.code.append(f"```python\n{body}\n```")
        return case.code[-1]
    case.data.append(a_value(dice))
    text = json.dumps(case.data[-1], indent=dice.choice([None, 1, 4]), ensure_ascii=False)
    lead = dice.choice(["Our data:\n\n", "Return JSON like this:\n", ""])
    return lead + (f"```json\n{text}\n```" if dice.random() < 0.5 else text)


def a_prompt(number):
    """Return the prompt of this number, always the same."""
    dice = random.Random(number)
    case = Case(dice.choice(list(TAGS)))
    case.roles = dice.choice(
        [("user",), ("system", "user"), ("system", "user", "assistant", "user")]
    )
    for _ in case.roles:
        parts = dice.choices(PROSE, k=dice.randint(1, 8))
        for _ in range(dice.randint(0, 3)):
            tag = dice.choice(VARIABLES[case.syntax]).replace("v0", f"v{dice.randint(0, 9)}")
            parts.append(dice.choice(["Text: {}", "{}", "Please read {} very carefully."]).replace(
                "{}", tag, 1))  # fmt: skip
        parts += [a_block(dice, case) for _ in range(dice.randint(0, 2))]
        dice.shuffle(parts)
        case.texts.append("".join(part + dice.choice(JOINTS) for part in parts))
    if dice.random() < 0.3:
        case.texts = [text.replace("\n", "\r\n") for text in case.texts]
        case.code = [text.replace("\n", "\r\n") for text in case.code]
    if dice.random() < 0.2:
        case.texts[0] = "\ufeff" + case.texts[0]
    return case


def let_out(strategy, case):
    """Return what a user gets of a strategy, or nothing where it is rejected."""
    variant = propose(case.template, [(StrategySpec(strategy.name),)], CONTEXT)[0]
    return None if variant.rejected else variant


def tags(template):
    found = (re.findall(TAGS[template.syntax], m.content, re.DOTALL) for m in template.messages)
    return [["".join(tag.split()) for tag in one] for one in found]


def json_in(text):
    """Return every JSON value that stands anywhere in a text, as it is written compactly."""
    found, decoder = Counter(), json.JSONDecoder()
    for start in re.finditer(r"[{\[]", text):
        try:
            value, _ = decoder.raw_decode(text, start.start())
        except ValueError:
            continue
        found[json.dumps(value)] += 1
    return found


def rewritten_in(text):
    """Return the values of CSV and TOON in fences: of CSV the texts of the cells."""
    from toon_format import decode

    for kind, body in re.findall(r"```(csv|toon)\r?\n(.*?)\r?\n```", text, re.DOTALL):
        if kind == "csv":
            yield list(csv.reader(body.replace("\r\n", "\n").splitlines(keepends=True)))
        else:
            yield decode(body, indent_size=1)


def cells(rows):
    """Return the texts that a table's cells are in CSV; nothing for what is no table."""
    flat = isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
    if not flat:
        return None
    texts = [[v if isinstance(v, str) else json.dumps(v) for v in row.values()] for row in rows]
    return [list(rows[0]), *([t.replace("null", "") for t in row] for row in texts)]


def assert_contract_is_kept(strategy, case, number):
    variant = let_out(strategy, case)
    if variant is None:
        return
    before, after = case.template, variant.template
    text, shown = after.text, f"{strategy.name} on prompt {number}"
    assert [m.role for m in after.messages] == list(case.roles), shown
    if "order" in strategy.rewrites:
        assert sorted(map(sorted, tags(after))) == sorted(map(sorted, tags(before))), shown
    else:
        assert tags(after) == tags(before), shown
    for block, count in Counter(case.code).items():
        assert text.count(block) >= count, f"{shown}: {block!r}"
    read, other = json_in(text), list(rewritten_in(text))
    for value in case.data:
        kept = read[json.dumps(value)] or value in other or cells(value) in other
        assert kept, f"{shown}: {value!r}"
    assert all(m.content.strip() for m in after.messages), shown
    if strategy.side == "input":
        more = CONTEXT.count(text) - CONTEXT.count(before.text)
        assert more <= -1 or "order" in strategy.rewrites, f"{shown}: {more} tokens more"


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda s: s.name)
def test_the_contract_is_kept(strategy):
    for number in range(16):
        assert_contract_is_kept(strategy, a_prompt(number), number)


@pytest.mark.slow
@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda s: s.name)
def test_the_contract_is_kept_in_ten_thousand_prompts(strategy):
    for number in range(10_000):
        assert_contract_is_kept(strategy, a_prompt(number), number)


def test_the_prompts_are_such_that_strategies_edit_them():
    needed = LOSSLESS | {"markup", "data-format", "repeated-rule", "filler", "synonyms", "concise"}
    for strategy in STRATEGIES:
        edits = (let_out(strategy, a_prompt(number)) for number in range(60))
        assert strategy.name not in needed or any(edits), strategy.name


LITERALS = (
    "{n} words", "${n}.50", "{n} kg", "{n} %", "2026-03-{d}", "ORD-{n}", "{n},500", "{n}:30",
    "https://shop.example/a/{n}?b=c", "help{n}@shop.example", '"label  {n}"', "'tag-{n}'", "-{n}",
    "{n} euros", "v{n}.2", "“note {n}”", "www.shop.example/{n}", "1/{n}", "{n} March 2026",
)  # fmt: skip
FRAMES = (
    "Mention {}.", "The limit is {}.", "It is very important that you keep {} in mind.",
    "Please make sure that you write {}, due to the fact that it matters.", "- {}", "**{}** so!!",
    "| what   | value  |\n|:-------|-------:|\n| this   | {}   |", "Once again, mention {}.",
    "Mention {}. Mention {}.", "<p>Take {}</p>", "In order to pass, utilize {}.", "Reply {} now.",
)  # fmt: skip
WORDS = {
    "en": ("not", "never", "unless", "only", "except", "at most", "must not", "don't", "can't",
           "won't", "isn't", "no more than", "without", "cannot", "nothing", "neither"),
    "de": ("nicht", "nie", "niemals", "nur", "außer", "höchstens", "kein", "ohne", "mindestens",
           "keinesfalls", "ausschließlich", "nichts", "es sei denn"),
    "fr": ("pas", "jamais", "seulement", "sauf", "sans", "uniquement", "aucun", "au plus", "rien",
           "à moins que"),
    "es": ("no", "nunca", "solo", "sólo", "excepto", "sin", "como máximo", "jamás", "ninguna",
           "a menos que", "salvo"),
    "it": ("non", "mai", "solo", "senza", "tranne", "al massimo", "nessun", "a meno che",
           "soltanto", "eccetto"),
}  # fmt: skip
RULES = {
    "en": ("You {} name the {}.", "Write {} about the {}.", "Please make sure you {} use a {}."),
    "de": ("Nenne {} die {}.", "Bitte schreibe {} über die {}.", "Antworte {} mit der {}."),
    "fr": ("Ne cite {} la {}.", "Veuillez écrire {} sur la {}.", "Réponds {} avec la {}."),
    "es": ("Cita {} la {}.", "Por favor escribe {} sobre la {}.", "Responde {} con la {}."),
    "it": ("Cita {} la {}.", "Per favore scrivi {} sulla {}.", "Rispondi {} con la {}."),
}  # fmt: skip
THINGS = ("price", "label", "Rechnung", "facture", "factura", "fattura", "ticket", "source")


def with_literals(number):
    """Return a prompt with numbers, URLs and quoted literals, none of them twice by chance."""
    dice = random.Random(number)
    case = Case(Syntax.NONE)
    parts = dice.choices(PROSE, k=3)
    for at in range(dice.randint(1, 6)):
        n = dice.randint(2, 9) * 1000 + at
        literal = dice.choice(LITERALS).replace("{n}", str(n)).replace("{d}", str(10 + at))
        case.anchors.append(literal)
        parts.append(dice.choice(FRAMES).replace("{}", literal))
    dice.shuffle(parts)
    case.texts = ["".join(part + dice.choice(JOINTS) for part in parts)]
    return case


def with_rules(number):
    """Return a prompt of constraints in one of five languages, some of them said twice."""
    dice = random.Random(number)
    language = dice.choice(list(RULES))
    case = Case(Syntax.NONE, anchors=list(WORDS[language]))
    rules = []
    for _ in range(dice.randint(2, 5)):
        frame, word = dice.choice(RULES[language]), dice.choice(WORDS[language])
        rules.append(frame.format(word, dice.choice(THINGS)))
    parts = [*rules, *dice.choices(rules, k=2), *dice.choices(PROSE, k=2)]
    dice.shuffle(parts)
    case.texts = ["".join(part + dice.choice((" ", *JOINTS)) for part in parts)]
    return case


def occurrences(text, anchors):
    """Return what stands of the anchors in a text, in order, longer ones first."""
    either = "|".join(re.escape(a) for a in sorted(set(anchors), key=len, reverse=True))
    found = re.findall(rf"(?<!\w)(?:{either})(?!\w)", " ".join(text.split()), re.IGNORECASE)
    return [literal.casefold() for literal in found]


def assert_anchors_are_kept_or_listed(strategy, case, number):
    variant = let_out(strategy, case)
    if variant is None:
        return
    planted = [" ".join(anchor.split()) for anchor in case.anchors]
    before = occurrences(case.texts[0], planted)
    after = occurrences(variant.template.text, planted)
    shown = f"{strategy.name} on {case.texts[0]!r}: {variant.template.text!r}"
    fewer, more = (after, before) if strategy.side == "input" else (before, after)
    rest = iter(more)
    assert all(anchor in rest for anchor in fewer), f"moved: {shown}"
    gone = Counter(before) - Counter(after)
    if strategy.name in LOSSLESS:
        assert not gone, shown
    listed = [literal.casefold() for literal in variant.dropped]
    for anchor in gone:
        named = any(literal in anchor or anchor in literal for literal in listed)
        assert named, f"{anchor!r} is gone and not in {variant.dropped!r}: {shown}"


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda s: s.name)
@pytest.mark.parametrize("make", [with_literals, with_rules], ids=["literals", "rules"])
def test_anchors_are_kept_or_listed(strategy, make):
    for number in range(20):
        assert_anchors_are_kept_or_listed(strategy, make(number), number)


@pytest.mark.slow
@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda s: s.name)
@pytest.mark.parametrize(
    ("make", "cases"), [(with_literals, 10_000), (with_rules, 2_000)], ids=["literals", "rules"]
)
def test_anchors_are_kept_or_listed_in_full(strategy, make, cases):
    for number in range(cases):
        assert_anchors_are_kept_or_listed(strategy, make(number), number)


SCRIPTS = (
    "Latin", "Greek", "Cyrillic", "Armenian", "Hebrew", "Arabic", "Syriac", "Thaana", "Devanagari",
    "Bengali", "Gurmukhi", "Gujarati", "Oriya", "Tamil", "Telugu", "Kannada", "Malayalam",
    "Sinhala", "Thai", "Lao", "Tibetan", "Myanmar", "Georgian", "Hangul", "Ethiopic", "Cherokee",
    "Khmer", "Mongolian", "Hiragana", "Katakana", "Han", "Adlam",
)  # fmt: skip
SOME = "".join(map(chr, (*range(0x41, 0x3200), *range(0x4E00, 0x4F00), *range(0xAC00, 0xAD00),
                         *range(0x1E900, 0x1E950))))  # fmt: skip
LETTERS = {name: regex.findall(rf"(?V1)[\p{{Script={name}}}&&\p{{L}}]", SOME) for name in SCRIPTS}
BETWEEN = (
    " ", " ", "  ", ". ", "? ", "\r\n", "\n\n\n\n", "！", "，", "**", "🇩🇪", "👩‍👩‍👧", "👍🏽", "1️⃣",
    "\u200d", "\u200c", "\u00a0", "\ufeff", "\u2067", "\u2069", "e\u0301", "ﬁ", "①", "—",
)  # fmt: skip


def in_a_script(number):
    dice = random.Random(number)
    letters = LETTERS[SCRIPTS[number % len(SCRIPTS)]]
    words = ["".join(dice.choices(letters, k=dice.randint(1, 7))) for _ in range(12)]
    pieces = [dice.choice((*words, *BETWEEN)) for _ in range(dice.randint(1, 60))]
    return Case(Syntax.NONE, [dice.choice(["", "\ufeff"]) + "".join(pieces)])


def assert_script_is_kept(strategy, case, repeats):
    template, shown = case.template, f"{strategy.name} on {case.texts[0]!r}"
    try:
        after = strategy.apply(template, CONTEXT)
    except NotApplicable:
        return
    old, new = template.text, after.text
    assert "\ufffd" not in new, shown
    assert set(regex.findall(r"\w", new)) <= set(old) or strategy.side == "output", shown
    split = set(regex.findall(r"\X", new)) - set(regex.findall(r"\X", old))
    assert all(regex.fullmatch(r"[\x00-\x7f]+|\r\n", c) for c in split), f"{shown}: {split!r}"
    kept = "\u200d\u200c\u00a0\u2067\u2069"
    if strategy.name in LOSSLESS:
        assert Counter(c for c in new if c in kept) == Counter(c for c in old if c in kept), shown
    assert new.startswith("\ufeff") == old.startswith("\ufeff"), shown
    assert ("\r\n" in old) >= ("\r\n" in new), shown
    assert strategy.apply(after, CONTEXT) == after, shown
    assert all(strategy.apply(template, CONTEXT) == after for _ in range(repeats)), shown


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda s: s.name)
def test_any_script_is_kept(strategy):
    for number in range(len(SCRIPTS)):
        assert_script_is_kept(strategy, in_a_script(number), 1)


@pytest.mark.slow
@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda s: s.name)
def test_any_script_is_kept_in_five_thousand_texts(strategy):
    for number in range(5_000):
        assert_script_is_kept(strategy, in_a_script(number), 99 if number < 100 else 1)
