import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.compressors import get
from costopt.compressors.base import StrategyContext
from costopt.compressors.contract import PieceCounter
from costopt.compressors.word_choice import fewest
from costopt.core.errors import CostoptError
from costopt.costs.rarity import rarity
from costopt.costs.tokens import counter_for

TEXT = (
    "The ferry to Gull Island leaves the harbour of Lower Wick every hour in the summer, and it "
    "takes about 40 minutes. It was built by the shipwright Ada Corbin in 1931, and it has never "
    "been replaced. In the winter there is only one ferry in the morning, since the sea is often "
    "too rough for a boat of that size.\n\n"
)
WORDS = st.sampled_from([*TEXT.split(), "\n", "não", "кот", "東京", "`code`", "12 km", "👩‍👩‍👧"])


def test_articles_go_first_and_names_and_numbers_stay():
    after = get("common-words", rate=0.75)(TEXT)
    assert "The" not in after.split()
    for kept in ("Gull Island", "Lower Wick", "40 minutes", "Ada Corbin", "1931", "never", "only"):
        assert kept in after


@pytest.mark.parametrize("rate", [0.9, 0.75, 0.6])
@pytest.mark.parametrize("copies", [1, 60])
def test_the_rate_is_met_or_the_note_says_why(rate, copies):
    notes: list[str] = []
    count = counter_for("o200k_base")
    text = "".join(TEXT.replace("1931", str(1900 + n)) for n in range(copies))
    context = StrategyContext(count=count, notes=notes)
    reached = count(get("common-words", rate=rate)(text, context=context)) / count(text)
    assert abs(reached - rate) <= 0.05 * rate or notes


def test_fifty_thousand_tokens_keep_the_rate():
    count = counter_for("o200k_base")
    text = "".join(TEXT.replace("1931", str(n)) for n in range(1000, 1700))
    assert count(text) > 50_000
    reached = count(get("common-words", rate=0.75)(text)) / count(text)
    assert abs(reached - 0.75) <= 0.05 * 0.75


@given(words=st.lists(WORDS, max_size=30))
@settings(max_examples=60, deadline=None)
def test_nothing_is_written_that_the_text_has_not_in_this_order(words):
    text = " ".join(words)
    after = get("common-words", rate=0.6)(text, context=StrategyContext(count=PieceCounter()))
    left = iter("".join(text.split()))
    assert all(character in left for character in "".join(after.split()))


@given(sizes=st.lists(st.integers(1, 9), max_size=60), wanted=st.integers(-5, 400), data=st.data())
def test_the_fewest_groups_that_have_to_go_are_found(sizes, wanted, data):
    left = [sum(sizes)]
    for size in sizes:  # what a group frees is only about its size
        left.append(left[-1] - data.draw(st.integers(0, 2 * size)))
    looked = []
    found = fewest(sizes, left[0], wanted, lambda n: looked.append(n) or left[n])
    assert found == next((n for n in range(len(sizes)) if left[n] <= wanted), len(sizes))
    assert len(looked) <= 4 * (len(sizes).bit_length() + 1)


def test_rarer_words_count_more():
    assert 0 <= rarity("of") < rarity("harbour") < rarity("Corrow")
    assert rarity("x" * 1_000_000) == rarity("x" * 64)
    assert rarity("\ud800") >= 0


def test_a_rate_out_of_range_is_an_error():
    with pytest.raises(CostoptError, match="above 0 and at most 1"):
        get("common-words", rate=0)
