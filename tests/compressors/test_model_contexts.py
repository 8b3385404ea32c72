"""The context strategies that read with a model, with models scripted for the test."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from costopt.compressors.base import NotApplicable, StrategyContext
from costopt.compressors.longllmlingua import documents
from costopt.compressors.registry import get, parse_spec
from costopt.compressors.word_kinds import drop_order
from costopt.core.errors import CostoptError
from costopt.core.protocols import WordScore
from costopt.core.types import Message, PromptTemplate, Source, Syntax

PASSAGE = (
    "The harbour of Lower Wick was dug in 1874 by the engineer Ada Corbin Hale, who had learned "
    "the trade on the canals of the north. It has 3 basins, and the deepest of them is not open "
    "to visitors. A ferry leaves for Gull Island every hour, but it never sails in a storm. "
    'The pilots call the narrow entrance "the needle", since only small boats pass through it.'
)
ALL = ["llmlingua", "longllmlingua", "llmlingua2", "self-information"]


@dataclass
class Pieces:
    """Counts words and signs."""

    tokenizer: str = "pieces"
    exact: bool = True

    def __call__(self, text: str) -> int:
        return len(re.findall(r"\w+|[^\w\s]", text))


@dataclass
class Scripted:
    """Longer words tell more; what it is asked is remembered."""

    correction_s: float = 0.0
    factor: float = 1.0
    asked: list[str] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    kept: list[tuple[str, ...]] = field(default_factory=list)

    def compress(self, text, *, rate, keep, model=None):
        self.asked.append(text)
        self.rates.append(rate)
        self.kept.append(tuple(keep))
        words = text.split(" ")
        return " ".join(words[: max(1, round(len(words) * rate * self.factor))])

    def answering(self, documents, question, *, rate, keep, model=None):
        self.asked.append(question)
        self.rates.append(rate)
        self.kept.append(tuple(keep))
        ranked = sorted(documents, key=lambda d: (question.split()[-1].strip("?") not in d, d))
        return tuple(ranked[: max(1, round(len(ranked) * rate))])

    def surprisal(self, text, *, model=None):
        self.asked.append(text)
        pattern = r"\w+|[^\w\s]" if text.isascii() else r"\X"
        found = (m for m in regex.finditer(pattern, text) if m.group().strip())
        return tuple(WordScore(m.start(), m.end(), float(len(m.group()))) for m in found)

    def worth(self, text, *, model):
        return self.surprisal(text)


def context(model: object | None = None) -> StrategyContext:
    return StrategyContext(count=Pieces(), compressor=model)  # type: ignore[arg-type]


def made(name: str, **params):
    extra = {"model": "some/model"} if name == "llmlingua2" else {}
    return get(name, **{**extra, **params})


def is_subsequence(part: str, whole: str) -> bool:
    rest = iter(whole)
    return all(character in rest for character in part)


def test_words_of_grammar_go_first_and_names_last() -> None:
    short = made("self-information", rate=0.75).shorten(PASSAGE, None, context(Scripted()))
    assert not {"The", "the", "A"} & set(short.split('"')[0].split())
    for stays in ("harbour", "Lower Wick", "1874", "Ada Corbin Hale", "Gull Island", "ferry"):
        assert stays in short
    shorter = made("self-information", rate=0.4).shorten(PASSAGE, None, context(Scripted()))
    assert "Ada Corbin Hale" in shorter
    assert "trade" not in shorter
    assert "dug" not in shorter


@pytest.mark.parametrize("rate", [0.4, 0.6, 0.8, 0.95])
@pytest.mark.parametrize("name", ["self-information", "llmlingua2"])
def test_anchors_stay_and_the_rate_is_met_or_noted(name: str, rate: float) -> None:
    given_ = context(Scripted())
    short = made(name, rate=rate).shorten(PASSAGE, None, given_)
    assert is_subsequence(short, PASSAGE)
    for anchor in ("1874", "3 basins", "not", "never", '"the needle"', "only"):
        assert anchor in short
    reached = Pieces()(short) / Pieces()(PASSAGE)
    assert abs(reached - rate) <= 0.05 * rate or f"{reached:.2f} reached" in given_.notes[0]


def test_a_rate_that_protection_forbids_is_noted() -> None:
    given_ = context(Scripted())
    short = made("self-information", rate=0.1).shorten('Say "a b c d e f g" now.', None, given_)
    assert '"a b c d e f g"' in short
    assert "rate 0.1 requested" in given_.notes[0]


def test_names_go_whole_or_not_at_all() -> None:
    text = "Ada Corbin Hale met Jo Ruth Lind on Gull Island near Lower Wick."
    words = Scripted().surprisal(text)
    groups = [
        tuple(text[words[i].start : words[i].end] for i in g) for g in drop_order(text, words)
    ]
    assert ("Ada", "Corbin", "Hale") in groups
    assert ("Gull", "Island") in groups


def test_another_language_goes_by_surprise_alone() -> None:
    text = "Man baut in Wick an der Mole und war am Ende des Jahres so gut wie fertig damit."
    words = Scripted().surprisal(text)
    order = [text[words[g[0]].start : words[g[0]].end] for g in drop_order(text, words)]
    lower = [word for word in order if word[0].islower()]
    assert [len(word) for word in lower] == sorted(len(word) for word in lower)


@given(
    st.text(alphabet="码头很深。船只每小时出发一次，👩\u200d🔧é\u0301がぎ", min_size=1, max_size=60)
)
def test_scripts_without_spaces_are_not_garbled(text: str) -> None:
    short = made("self-information", rate=0.5).shorten(text, None, context(Scripted()))
    assert is_subsequence(short, text)
    assert set(regex.findall(r"\X", short)) <= set(regex.findall(r"\X", text))


@given(st.text(max_size=200), st.floats(0.05, 1))
def test_any_text_comes_back_no_longer_and_not_empty(text: str, rate: float) -> None:
    for name in ALL:
        short = made(name, rate=rate).shorten(text, "what?", context(Scripted()))
        assert Pieces()(short) <= Pieces()(text)
        assert bool(short.strip()) == bool(text.strip())


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("text", ["", " \r\n", "7", "12 34 -- 56", "x" * 2_000_000])
def test_what_has_no_words_to_choose_among_is_not_read(name: str, text: str) -> None:
    model = Scripted()
    assert made(name, rate=0.5).shorten(text, "what?", context(model)) == text
    assert model.asked == []


@pytest.mark.parametrize("name", ALL)
def test_a_text_too_long_to_read_is_noted(name: str) -> None:
    text = "word " * 200_001
    model = Scripted()
    given_ = context(model)
    assert made(name).shorten(text, "what?", given_) == text
    assert "200,001 tokens are left as they are" in given_.notes[0]
    assert model.asked == []


@pytest.mark.parametrize("name", ALL)
def test_without_a_model_it_says_what_is_missing(name: str) -> None:
    with pytest.raises(NotApplicable, match=r"costopt\[llmlingua\]"):
        made(name).shorten(PASSAGE, "what?", context())


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("rate", [0.0, 1.01, -1.0, float("nan")])
def test_a_rate_out_of_range_is_an_error(name: str, rate: float) -> None:
    with pytest.raises(CostoptError, match="rate"):
        made(name, rate=rate)


@pytest.mark.parametrize("name", ALL)
def test_at_rate_1_nothing_is_read(name: str) -> None:
    model = Scripted()
    assert made(name, rate=1.0).shorten(PASSAGE, "what?", context(model)) == PASSAGE
    assert model.asked == []


@pytest.mark.parametrize("factor", [0.8, 1.0, 1.2])
@pytest.mark.parametrize("words", [60, 700, 20_000])
def test_llmlingua_is_steered_to_the_rate(factor: float, words: int) -> None:
    text = " ".join(f"word{chr(97 + n % 26)}" for n in range(words))
    model = Scripted(factor=factor)
    given_ = context(model)
    short = made("llmlingua", on="x", rate=0.6).shorten(text, None, given_)
    assert Pieces()(short) / words == pytest.approx(0.6, rel=0.05)
    assert given_.notes == []
    assert max(len(part.split()) for part in model.asked) < 1600


def test_llmlingua_hands_over_what_stays() -> None:
    model = Scripted()
    made("llmlingua", on="x", rate=0.6).shorten(PASSAGE, None, context(model))
    assert {"1874", "3", "is not", "never", '"the needle"', "only"} <= set(model.kept[0])


def template(*variables: str) -> PromptTemplate:
    content = " ".join(f"{{{name}}}" for name in variables)
    return PromptTemplate(
        name="p",
        messages=(Message("user", content),),
        variables=variables,
        syntax=Syntax.FSTRING,
        source=Source(path="p.md", format="markdown", raw=content),
    )


@pytest.mark.parametrize("name", ALL)
def test_on_a_variable_the_template_stays(name: str) -> None:
    before = template("text", "ask")
    strategy = made(name, on="text", question="ask")
    assert strategy.apply(before, context(Scripted())) is before
    with pytest.raises(NotApplicable, match="no variable 'nothing'"):
        made(name, on="nothing", question="ask").apply(before, context(Scripted()))


def test_longllmlingua_needs_a_question() -> None:
    with pytest.raises(NotApplicable, match="question=NAME"):
        made("longllmlingua", on="text").apply(template("text"), context(Scripted()))
    for question in (None, " "):
        with pytest.raises(NotApplicable, match="question=NAME"):
            made("longllmlingua").shorten(PASSAGE, question, context(Scripted()))
    with pytest.raises(CostoptError, match="question"):
        made("longllmlingua")(PASSAGE, context=context(Scripted()))


def test_longllmlingua_keeps_the_document_that_helps_first() -> None:
    text = "\n\n".join(f"Document [{n}](Title: {w}) about the {w} of it" for n, w in
                       enumerate(("sails", "masts", "ropes", "keels")))  # fmt: skip
    short = made("longllmlingua", rate=0.5).shorten(text, "what of the ropes?", context(Scripted()))
    assert short.startswith("Document [2](Title: ropes)")
    assert short.count("Document") == 2


def test_documents_are_cut_at_heads_or_blank_lines_or_lines() -> None:
    long = "word " * 60
    assert len(documents(f"{long}\n\n{long}\n\n{long}")) == 3
    assert len(documents(f"{long}\n{long}")) == 2
    assert len(documents("one\n\ntwo\n\nthree")) == 1
    headed = "intro\nDocument [1](Title: A) a\n\nmore a\nDocument [2](Title: B) b"
    assert [part.split()[0] for part in documents(headed)] == ["intro", "Document", "Document"]


@given(st.text(alphabet="ab \n\r[]12:Document", max_size=400))
def test_documents_are_the_text(text: str) -> None:
    assert "".join(documents(text)) == text


def test_llmlingua2_must_be_told_a_model() -> None:
    with pytest.raises(NotApplicable, match="model="):
        get("llmlingua2", on="text").apply(template("text"), context(Scripted()))
    with pytest.raises(CostoptError, match="none is named") as caught:
        get("llmlingua2")(PASSAGE, context=context(Scripted()))
    assert "microsoft/llmlingua-2" in (caught.value.hint or "")


def test_they_are_written_on_the_command_line() -> None:
    (spec,) = parse_spec("longllmlingua:on=context,question=ask,rate=0.3")
    assert spec.params == {"on": "context", "question": "ask", "rate": 0.3}
    assert [get(code).name for code in ("CO320", "CO321", "CO322", "CO323")] == ALL


def read(name: str) -> Sequence[str]:
    model = Scripted()
    made(name, rate=0.5).shorten(PASSAGE + " \ud800 end", "what?", context(model))
    return model.asked


@pytest.mark.parametrize("name", ALL)
def test_half_a_surrogate_pair_is_no_error(name: str) -> None:
    assert read(name)
