"""A cache of similar requests is wrong where requests differ in what matters, and that is shown."""

import json
from datetime import datetime

import pytest
from scipy.stats import beta

from costopt.core.binomial import share_bounds
from costopt.usage.ledger import REQUESTS, connect
from costopt.usage.recommend import recommend
from costopt.usage.whatif import semantic_cache
from costopt.usage.whatif.combined import what_if
from costopt.usage.whatif.false_hits import differs
from costopt.usage.whatif.state import open_replay

START = datetime(2026, 11, 2)
# Questions long enough that one word more or less leaves them nearly as they were.
ASKED = (
    "dear support team i bought the {thing} with the wooden arms in your shop on the corner of "
    "the market square and i would like to know whether you {can} take it back within {days} days "
    "when my neighbour {name} brings it by in the box that it came in"
)
NAMES = ("Ann", "Bob", "Eve", "Kim", "Lou", "Max")
TOPICS = 12


def question(topic=0, **changed):
    """The same question about quite another thing, in words of its own, is another topic."""
    slots = {"thing": "chair", "can": "can", "days": "30", "name": "Ann", **changed}
    words = ASKED.split()
    said = " ".join(word if "{" in word or not topic else f"{word}{topic}" for word in words)
    return said.format(**slots)


def database(rows):
    """Requests of (text, answer), one a minute."""
    connection = connect(memory_mb=200)
    connection.execute("SET threads = 1")
    connection.execute(REQUESTS)
    connection.execute(
        """INSERT INTO requests BY NAME SELECT 'r' || n AS request_id,
        ?::TIMESTAMP + to_minutes(n) AS "at", 'openai' AS provider, 'gpt-5.4-mini' AS model,
        'help' AS feature, 100 AS input_tokens, 50 AS output_tokens, text, answer,
        'log' AS source, n + 1 AS line
        FROM (SELECT unnest(?::VARCHAR[]) AS text, unnest(?::VARCHAR[]) AS answer,
            unnest(range(?)) AS n)""",
        [START, [text for text, _ in rows], [answer for _, answer in rows], len(rows)],
    )
    return connection


def lever(rows):
    return semantic_cache.semantic_cache(open_replay(database(rows)))


DIFFERENT = {
    "number": [
        (question(t, days=str(n)), f"We take it back within {n} days if it is in its box.")
        for n in range(20, 26)
        for t in range(TOPICS)
    ],
    "name": [
        (question(t, name=name), f"{name} is welcome.") for name in NAMES for t in range(TOPICS)
    ],
    "negation": [
        (question(t, can=can), answer)
        for can, answer in (("can", "Yes, we take it back."), ("can not", "No, we do not."))
        for t in range(60)
    ],
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_what_differs_in_one_word_is_alike_and_its_answer_is_wrong(what):
    found = lever(DIFFERENT[what])
    (feature,) = found.features
    topics = 60 if what == "negation" else TOPICS
    assert feature.requests == len(DIFFERENT[what]) - topics  # All get the first one's answer.
    assert "0 of" in feature.detail
    assert "false hits 100.0 % of the others [9" in feature.detail
    assert found.usd > 0
    assert found.certain_usd == 0
    assert found.month.low == 0


def test_the_same_answers_in_other_words_of_politeness_are_no_false_hits():
    rows = [
        (question(t).replace("dear", opening, 1), "Yes, within 30 days, in its box.")
        for opening in ("dear", "good", "kind", "nice", "great", "hello", "hello")
        for t in range(TOPICS)
    ]
    found = lever(rows)
    (feature,) = found.features
    expected = (
        "0 of 72 hits in the same words; false hits 0.0 % of the others [0.0 %, 4.1 %], n = 72"
    )
    assert expected in feature.detail
    assert found.certain_usd == found.usd > 0


@pytest.mark.parametrize(("hits", "shown"), [(58, False), (59, True)])
def test_too_few_hits_show_nothing(hits, shown):
    first = [(question(t), "Yes.") for t in range(hits)]
    again = [(question(t, name="Bob"), "Yes.") for t in range(hits)]
    found = lever(first + again)
    assert f"n = {hits}" in found.features[0].detail
    assert (found.certain_usd == found.usd) is shown
    assert found.usd > 0


def test_many_hits_in_the_same_words_do_not_hide_that_the_others_are_wrong():
    found = lever([(question(), "Yes.")] * 1000 + DIFFERENT["negation"][1:])
    assert found.features[0].detail.startswith("texts 95 % similar: 999 of 1,059")
    assert "false hits 100.0 % of the others" in found.features[0].detail
    assert found.certain_usd == 0


def test_hits_in_the_same_words_alone_show_nothing_of_others():
    found = lever([(question(), "Yes.")] * 80)
    assert found.features[0].detail == "texts 95 % similar: 79 of 79 hits in the same words"
    assert found.certain_usd == 0


def test_without_answers_the_share_is_unknown_and_nothing_is_certain():
    found = lever([(text, None) for text, _ in DIFFERENT["number"]])
    assert "how many of the others are false is unknown" in found.features[0].detail
    assert any("nothing of this saving is in the lower bound" in note for note in found.notes)
    assert found.certain_usd == 0 < found.usd
    assert all(point.false_hits is None for point in found.curve)


def test_without_texts_it_is_unknown():
    found = lever([(None, "Yes.")] * 3)
    assert found.usd is None
    assert "--texts" in found.notes[0]


def test_the_curve_tells_hits_and_false_ones_by_threshold():
    rows = DIFFERENT["number"] + DIFFERENT["name"] + [DIFFERENT["name"][0]] * 5
    found = lever(rows)
    by_percent = {p.setting: p for p in found.curve if "1 day, room for 10,000" in p.setting}
    hits = [point.requests for point in by_percent.values()]
    assert hits == sorted(hits, reverse=True)
    exact = by_percent["100 %, for 1 day, room for 10,000"]
    assert exact.requests < hits[0]
    assert exact.false_hits is None
    assert found.curve[0].false_hits == 1


def test_hits_after_the_exact_cache_are_judged_for_themselves():
    """Most requests repeat to the letter; those that are only alike are wrong."""
    rows = [(question(), "Yes.")] * 300 + DIFFERENT["number"]
    connection = database(rows)
    connection.execute("UPDATE requests SET request_key = md5(text)")
    found = what_if(connection)
    step = next(one for one in found.combined if one.lever == semantic_cache.LEVER)
    assert step.requests == 6 * TOPICS - TOPICS + 1  # The chair of day 20 is like that of day 30.
    assert step.certain_usd == 0


def test_it_is_recommended_with_its_grounds():
    (one,) = [
        found
        for found in recommend(what_if(database(DIFFERENT["number"])), least=0)
        if found.lever == semantic_cache.LEVER
    ]
    assert (one.effort, one.risk, one.evidence) == ("medium", "high", "estimated")
    assert "false hits 100.0 %" in one.detail
    assert "--repeats 3" in one.command
    json.dumps(one.detail)


@pytest.mark.parametrize(
    ("one", "other", "different"),
    [
        ("Paris", "paris.", False),
        ("Paris", "Madrid", True),
        ("The total of your order is 42 euros.", "The total of your order is 43 euros.", True),
        ("You may open the box before you pay for it.", "You may not open the box before you pay "
         "for it.", True),
        ("You can send it back to our shop.", "You can send it back to our shop, yes.", False),
        ('{"label": "spam"}', '{"label": "ham"}', True),
        ("", "", False),
        ("", "x", True),
    ],
)  # fmt: skip
def test_which_answers_differ(one, other, different):
    assert differs(one, other) is different
    assert differs(other, one) is different


@pytest.mark.parametrize(("found", "of"), [(0, 1), (1, 1), (0, 59), (3, 200), (199, 200), (7, 9)])
def test_bounds_of_a_share(found, of):
    low, high = share_bounds(found, of)
    assert low == pytest.approx(0 if not found else beta.ppf(0.05, found, of - found + 1))
    assert high == pytest.approx(1 if found == of else beta.ppf(0.95, found + 1, of - found))
