"""What is alike: against every text compared with every other, and what it cannot see."""

from datetime import datetime, timedelta

import numpy as np
import pytest
import replay_reference as reference
from hypothesis import given, settings
from hypothesis import strategies as st
from replay_reference import Request

from costopt.usage.whatif.alike import Numbers, compared, pairs, words
from costopt.usage.whatif.alike_cache import MOST_COMPARED, AlikeCache, Texts

START = datetime(2026, 11, 2)


def asked(text, second, *, error=False):
    return Request(
        at=START + timedelta(seconds=second),
        provider="p",
        model="m",
        feature="f",
        input=1,
        text=text,
        error=error,
    )


def prepared(log):
    """The different texts of a log of one kind, and which one each request is."""
    numbers, places, found = Numbers(), {}, []
    for r in log:
        same, own = pairs(r.text, numbers)
        if same not in places:
            places[same] = len(found)
            found.append(own)
    kind = compared(found, 0)
    texts = Texts(kind.sizes, kind.shared, kind.tokens)
    return texts, [places[pairs(r.text, numbers)[0]] for r in log]


def served(log, percent, ttl_s, size):
    texts, places = prepared(log)
    cache = AlikeCache(texts, percent, None if ttl_s is None else ttl_s * 1_000_000, size)
    rows = [
        (n, place, round((r.at - START).total_seconds() * 1_000_000), not r.error)
        for n, (r, place) in enumerate(zip(log, places, strict=True))
    ]
    return dict(cache.answered(rows))


TEMPLATE = "please answer the question of our customer in one line "
ONE = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=14).map(" ".join)


@settings(max_examples=150, deadline=None)
@given(
    log=st.lists(st.tuples(ONE, st.integers(0, 40), st.booleans()), min_size=1, max_size=60),
    template=st.sampled_from(["", TEMPLATE]),
    percent=st.sampled_from([40, 60, 80, 95, 100]),
    ttl_s=st.sampled_from([30, 200, None]),
    size=st.sampled_from([1, 3, 10, None]),
)
def test_the_most_alike_is_found_as_if_all_were_compared(log, template, percent, ttl_s, size):
    at, made = 0, []
    for text, gap, error in log:
        at += gap
        made.append(asked(template + text, at, error=error))
    assert served(made, percent, ttl_s, size) == reference.alike(made, percent, ttl_s, size)[1]


def test_a_template_does_not_make_requests_alike():
    template = " ".join(f"say{n}" for n in range(40))
    few = [asked(f"{template} thing{n} of place{n}", n) for n in range(19)]
    many = [asked(f"{template} thing{n} of place{n}", n) for n in range(60)]
    again = [*many, asked(many[7].text, 99)]
    assert len(served(few, 80, None, None)) == 18
    assert served(again, 80, None, None) == {60: 7}


def test_only_texts_with_the_same_words_are_found_once_the_comparisons_are_used_up():
    log = [asked(f"a b c d e f g h {n % 3}", n) for n in range(9)]
    texts, places = prepared(log)
    cache = AlikeCache(texts, 50, None, None, left=0)
    found = dict(cache.answered((n, place, n, True) for n, place in enumerate(places)))
    assert found == {3: 0, 4: 1, 5: 2, 6: 0, 7: 1, 8: 2}


def test_looking_for_what_is_near_enough_counts_where_little_is():
    # All have a pair in common, and what was stored is too old: nothing is ever compared.
    texts = Texts(sizes=[1] * 40, shared=[np.array([0], dtype=np.int32)] * 40, tokens=1)
    cache = AlikeCache(texts, 80, 0, None)
    assert [*cache.answered((n, n, n, True) for n in range(40))] == []
    assert cache.left < MOST_COMPARED


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("  Hello,\tWORLD!  ", ["hello", "world"]),
        ("x > 5, not < 5", ["x", ">", "5", "not", "<", "5"]),
        ("e\u0301t\u00e9 STRASSE stra\u00dfe", ["\u00e9t\u00e9", "strasse", "strasse"]),
        ("gpt\u6771\u4eac2026", ["gpt", "\u6771", "\u4eac", "2026"]),
        ("\u0000\ud800 _", ["\u0000", "\ud800"]),
        ("", []),
    ],
)
def test_words(text, found):
    assert words(text) == found


def test_texts_without_words_are_the_same_and_alike_to_nothing_else():
    log = [asked("?!", 0), asked("...", 1), asked("a", 2)]
    assert served(log, 50, None, None) == {1: 0}
