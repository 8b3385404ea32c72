from collections import Counter

import pytest

from costopt.compressors.base import StrategyContext
from costopt.compressors.contract import PieceCounter, template_of
from costopt.compressors.registry import get
from costopt.core.anchors import anchors
from costopt.core.types import Syntax

CONTEXT = StrategyContext(count=PieceCounter())


def shorten(text, syntax=Syntax.FSTRING):
    return get("filler").apply(template_of(text, syntax=syntax), CONTEXT).messages[0].content


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Please read the text.", "Read the text."),
        ("please  read the text.", "read the text."),
        ("If it is long, please stop.", "If it is long, stop."),
        ("Please note that it is very important that you read it.", "Read it."),
        ("It is **very important** that you read it, and that you write.", "Read it, and write."),
        ("Please make sure that the answer is short.", "Ensure the answer is short."),
        ("Make sure to cite, and be sure to check.", "Cite, and check."),
        ("I would like you to act as a guide.", "Act as a guide."),
        ("Your task is to read it and then to answer.", "Read it and then answer."),
        ("In order to help, you should ask.", "To help, ask."),
        ("Stop, due to the fact that it is late.", "Stop, because it is late."),
        ("In the event that it rains, stay.", "If it rains, stay."),
        ("You are an extremely helpful, very kind guide.", "You are a helpful, kind guide."),
        ("You are a very experienced guide.", "You are an experienced guide."),
        ("Please never guess.", "Never guess."),
        ("Please kindly choose one.", "Choose one."),
        ("Please do not guess.", "Do not guess."),
        ("- Kindly reply in one line.", "- Reply in one line."),
        ("Sum it up. Thank you very much in advance!", "Sum it up."),
        ("Sum it up.\nThanks in advance.\nText: {x}", "Sum it up.\nText: {x}"),
        ("Use the words that are listed in the table.", "Use the words listed in the table."),
        ("Basically, the aim is clear.", "The aim is clear."),
        ("As mentioned above, be brief.", "Be brief."),
        ("PLEASE NOTE THAT the end is near.", "The end is near."),
        ("**Note:** stay.\r\nPlease go.\r\n", "**Note:** stay.\r\nGo.\r\n"),
    ],
)
def test_what_it_says_shorter(before, after):
    assert shorten(before) == after


@pytest.mark.parametrize(
    "text",
    [
        'Answer with "please make sure that you call".',
        "Write `please` and 'very nice', then stop.",
        "```\nplease make sure that you stop, in order to rest\n```",
        "Say please and thank you.",
        "This is not very useful, and not really new.",
        "It is the very end, so much as very few know.",
        "Read {please} and {very} {much}.",
        "Use a very unique word.",
        "Q: Could you please help?\nA: Yes, in order to be kind.",
        "Your task is to find out whether it is new, to check it, or to stop.",
        "It is vital that you read it and that the answer is short.",
        "You should not guess.",
        "You should have received a letter.",
        "What I want you to do is clear.",
        "I don't want you to guess.",
        "She is a very, very good one, e.g. very late ones.".replace("very late", "late"),
        "Thank you for calling the bank, how can we help?",
        "| please | in order to |\n|---|---|\n| very nice | a |",
        "请务必 very",
        "",
    ],
)
def test_what_it_leaves_alone(text):
    assert shorten(text) == text


def test_each_edit_saves_tokens_by_the_counter_it_is_given():
    context = StrategyContext(count=lambda text: 5)
    template = template_of("Please make sure that you read it.")
    assert get("filler").apply(template, context) is template


def test_a_turn_that_demonstrates_is_left_alone():
    roles = ("system", "user", "assistant", "user")
    before = template_of("Please sum up.", "Please: 1", "Please 2", "Please {x} go", roles=roles)
    after = get("filler").apply(before, CONTEXT)
    assert [m.content for m in after.messages[:3]] == ["Sum up.", "Please: 1", "Please 2"]


LIMITS = ["not", "never", "only", "unless", "except", "without", "at most", "at least",
          "no more than", "must not",
          "do not", "don't", "cannot", "exactly", "up to", "fewer than"]  # fmt: skip
FRAMES = [
    "Please make sure that you {} write in order to help.",
    "It is very important that you {} answer, due to the fact that it is read.",
    "Please note that the reply is {} very long, in the event that it is asked for.",
    "I would like you to {} make use of the extremely long list of 30 words.",
    "You should always, as mentioned above, {} reply with \"very good\" by 2026-01-31.",
    "Kindly see https://a.example/please?very=1 and {} do it for $4.50, please.",
    "Your task is to {} summarise 3 pages, and to keep 12% of the very best.",
]  # fmt: skip
SENTENCES = [frame.format(limit) for frame in FRAMES for limit in LIMITS]


def test_there_are_enough_sentences_to_mean_something():
    assert len(set(SENTENCES)) >= 100
    changed = sum(shorten(sentence) != sentence for sentence in SENTENCES)
    assert changed > 90


@pytest.mark.parametrize("sentence", SENTENCES)
def test_no_limit_number_quote_or_url_is_lost(sentence):
    found = anchors(sentence, Syntax.NONE)
    assert found
    assert anchors(shorten(sentence), Syntax.NONE) == found
    new = {"to", "because", "if", "use", "ensure", "a", "list", "summarise"}
    words = Counter(w for w in shorten(sentence).lower().split() if w not in new)
    assert words <= Counter(sentence.lower().split())
