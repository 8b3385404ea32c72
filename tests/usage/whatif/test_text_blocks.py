"""Prefixes that are told by texts: as if the log had the hashes of these pieces itself."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from replay_reference import Request

from costopt.usage.ledger import COLUMNS, REQUESTS, connect
from costopt.usage.whatif.prefix_cache import prefix_cache
from costopt.usage.whatif.state import open_replay
from costopt.usage.whatif.text_blocks import CHARACTERS, MOST

START = datetime(2026, 11, 2, 9)
PIECES = st.lists(st.sampled_from(["a", "bé", "c d "]), max_size=5).map(
    lambda parts: "".join(part * 900 for part in parts)
)


def _replay(log):
    connection = connect(memory_mb=200)
    connection.execute("SET threads = 1")
    connection.execute(REQUESTS)
    for number, one in enumerate(log):
        row = dict.fromkeys(COLUMNS) | {
            "at": one.at, "provider": one.provider, "model": one.model, "feature": one.feature,
            "input_tokens": one.input, "output_tokens": one.output, "text": one.text,
            "prefix_blocks": None if one.blocks is None else list(one.blocks),
            "block_tokens": one.block_tokens, "source": "log", "line": number + 1,
        }  # fmt: skip
        marks = ", ".join("?" * len(row))
        connection.execute(f"INSERT INTO requests VALUES ({marks})", list(row.values()))
    return open_replay(connection)


def _asked(number, text, tokens):
    return Request(
        at=START + timedelta(minutes=number),
        provider="anthropic",
        model="claude-sonnet-4-5",
        feature="chat",
        input=tokens,
        output=10,
        text=text,
    )


def _hashed(one):
    whole = range(1, min(len(one.text) // CHARACTERS, MOST) + 1)
    blocks = tuple(hash(one.text[: end * CHARACTERS]) % 2**63 for end in whole)
    each = min(one.input * CHARACTERS // len(one.text), CHARACTERS) if one.text else None
    return replace(one, text=None, blocks=blocks, block_tokens=each)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(PIECES, st.integers(1, 6000)), min_size=1, max_size=8))
def test_texts_are_worth_what_hashes_of_their_pieces_are(asked):
    log = [_asked(number, text, tokens) for number, (text, tokens) in enumerate(asked)]
    by_text = prefix_cache(_replay(log), curve=False)
    by_hash = prefix_cache(_replay([_hashed(one) for one in log]), curve=False)
    assert by_text.usd == by_hash.usd
    assert by_text.tokens == by_hash.tokens


def test_what_texts_tell_is_estimated_and_not_in_the_lower_bound():
    rules = "Answer in one word, and never guess. " * 200
    log = [_asked(number, f"{rules}{number}", 1800) for number in range(4)]
    found = prefix_cache(_replay(log), curve=False)
    assert found.usd > 0
    assert (found.certain_usd, found.evidence) == (0, "estimated")
    assert any(note.startswith("of 4 requests prefixes are told by") for note in found.notes)
    hashed = prefix_cache(_replay([_hashed(one) for one in log]), curve=False)
    assert (hashed.usd, hashed.certain_usd, hashed.evidence) == (found.usd, found.usd, "replayed")


def test_a_log_without_texts_says_how_to_read_them():
    found = prefix_cache(_replay([replace(_asked(0, None, 5), text=None)]))
    assert found.usd is None
    assert "--texts" in found.notes[0]
