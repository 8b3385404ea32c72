"""What the levers save equals a replay of the log request by request, for each and for all."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
import replay_reference as reference
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from replay_reference import Request

from costopt.usage.ledger import COLUMNS, REQUESTS, connect
from costopt.usage.whatif import (
    batch,
    exact_cache,
    other_model,
    output_cap,
    prefix_cache,
    prompt_variant,
    semantic_cache,
)
from costopt.usage.whatif.combined import what_if
from costopt.usage.whatif.known_variants import KnownVariant
from costopt.usage.whatif.prefix_reuse import reuse
from costopt.usage.whatif.state import open_replay

START = datetime(2026, 10, 30, 23, 30)
MODELS = (
    ("openai", "gpt-5.4-mini"),
    ("anthropic", "claude-sonnet-4-5"),
    ("anthropic", "claude-haiku-4-5"),
    ("google", "gemini-2.5-pro"),
    ("openai", "gpt-nobody-knows"),
)


def database(log):
    connection = connect(memory_mb=200)
    connection.execute("SET threads = 1")
    connection.execute(REQUESTS)
    names = list(COLUMNS)
    for number, r in enumerate(log):
        row = dict.fromkeys(names)
        row |= {
            "request_id": f"r{number}",
            "at": r.at,
            "provider": r.provider,
            "model": r.model,
            "feature": r.feature,
            "input_tokens": r.input,
            "cache_read_tokens": r.read,
            "cache_write_tokens": r.write,
            "cache_write_1h_tokens": r.write_1h or None,
            "output_tokens": r.output,
            "error": "timeout" if r.error else None,
            "batch": r.batch,
            "request_key": r.key,
            "prefix_blocks": None if r.blocks is None else list(r.blocks),
            "block_tokens": r.block_tokens,
            "prompt": r.prompt,
            "text": r.text,
            "answer": r.answer,
            "source": "log",
            "line": number + 1,
        }
        marks = ", ".join("?" * len(names))
        connection.execute(f"INSERT INTO requests VALUES ({marks})", list(row.values()))
    return connection


LONG = " ".join(f"word{number}" for number in range(45))
TEXTS = (
    LONG,
    LONG.upper(),
    LONG.replace("word7", "not word7"),
    LONG.replace("word7", "word8"),
    LONG.replace("word7", "word8").replace("word30", "word31"),
    LONG.replace("word4", "x"),
    "ask this",
    "ask that",
    "",
)


@st.composite
def variants(draw):
    """Versions of some prompts at some models: shorter, longer, in the template or in a value."""
    made = []
    for (provider, model), prompt in draw(
        st.lists(st.tuples(st.sampled_from(MODELS), st.sampled_from("pq")), min_size=4, max_size=9)
    ):
        made.append(
            KnownVariant(
                prompt=prompt,
                path="p.md",
                model=f"{provider}:{model}",
                priced_as=None,
                name="filler",
                strategies="filler",
                input_kept=draw(st.sampled_from([500_000, 815_001, 1_000_000, 1_100_000])),
                input_change=draw(st.sampled_from([None, -900, -13, 0, 40])),
                output_kept=draw(st.sampled_from([700_001, 1_000_000, 1_200_000])),
                holds=draw(st.booleans()),
                words="holds",
            )
        )
    return list({(v.prompt, v.model): v for v in made}.values())


@st.composite
def logs(draw, most=14):
    """Small logs in which keys and prefixes repeat, prices have tiers, and things fail."""
    chains = draw(st.lists(st.lists(st.integers(0, 2), max_size=5), min_size=1, max_size=4))
    at, log = START, []
    for _ in range(draw(st.integers(1, most))):
        gap = draw(st.sampled_from([0, 1, 59, 60, 61, 299, 300, 301, 3600, 5000, 90_000]))
        at += timedelta(seconds=gap)
        provider, model = draw(st.sampled_from(MODELS))
        chain = draw(st.sampled_from(chains))
        # A hash includes all before it: here it is the path to the block.
        blocks = tuple(
            int("1" + "".join(str(x) for x in chain[: i + 1])) for i in range(len(chain))
        )
        block_tokens = draw(st.sampled_from([700, 2000, 60_000]))
        room = draw(st.integers(0, 500)) + len(blocks) * block_tokens + 1
        read = draw(st.sampled_from([0, 0, room // 2]))
        write = draw(st.sampled_from([0, 0, (room - read) // 3]))
        log.append(
            Request(
                at=at,
                provider=provider,
                model=model,
                feature=draw(st.sampled_from(["chat", "nightly", None])),
                input=room,
                read=read,
                write=write,
                write_1h=draw(st.sampled_from([0, 0, write // 2, write])),
                output=draw(st.integers(0, 3000)),
                error=draw(st.sampled_from([False, False, False, True])),
                batch=draw(st.sampled_from([False, False, False, True])),
                key=draw(st.sampled_from(["a", "b", "c", None])),
                blocks=draw(st.sampled_from([blocks, blocks, None])),
                block_tokens=block_tokens,
                prompt=draw(st.sampled_from(["p", "q", None])),
                text=draw(st.sampled_from([*TEXTS, None])),
            )
        )
    return log


many = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))


@many
@given(log=logs(), ttl_s=st.sampled_from([60, 3600, None]), size=st.sampled_from([1, 2, None]))
def test_an_exact_cache(log, ttl_s, size):
    found = exact_cache.exact_cache(open_replay(database(log)), ttl_s=ttl_s, size=size, curve=False)
    if all(r.key is None for r in log):
        assert found.usd is None
        return
    assert found.usd == reference.saved(log, reference.exact(log, ttl_s, size))


@many
@given(
    log=logs(),
    percent=st.sampled_from([50, 80, 95, 100]),
    ttl_s=st.sampled_from([60, 3600, None]),
    size=st.sampled_from([1, 2, None]),
)
def test_a_cache_of_similar_requests(log, percent, ttl_s, size):
    replay = open_replay(database(log))
    found = semantic_cache.semantic_cache(
        replay, percent=percent, ttl_s=ttl_s, size=size, curve=False
    )
    if all(r.text is None for r in log):
        assert found.usd is None
        return
    after, sources = reference.alike(log, percent, ttl_s, size)
    served = replay.rows("SELECT n - 1, source - 1 FROM whatif_alike")
    assert dict(served) == sources
    assert found.usd == reference.saved(log, after)
    assert found.certain_usd == 0


@many
@given(log=logs(), found=variants())
def test_versions_of_prompts(log, found):
    saving = prompt_variant.prompt_variant(open_replay(database(log)), variants=found)
    assert (saving.usd or 0) == reference.saved(log, reference.shortened(log, found))


@many
@given(log=logs(), ttl_s=st.sampled_from([60, 300, 3600]))
def test_a_prefix_cache(log, ttl_s):
    found = prefix_cache.prefix_cache(open_replay(database(log)), ttl_s=ttl_s, curve=False)
    if found.usd is None:
        return
    assert found.usd == reference.saved(log, reference.prefix(log, ttl_s))


@many
@given(log=logs(), size=st.integers(1, 6), ttl_s=st.sampled_from([60, 300]))
def test_a_prefix_cache_of_a_finite_size(log, size, ttl_s):
    replay = open_replay(database(log))
    lives = {
        (r.ref, r.feature): reference.lives(r.ref, ttl_s)[0]
        for r in log
        if r.blocks and reference.lives(r.ref, ttl_s)
    }
    if not lives:
        return
    chosen = prefix_cache.options(replay, ttl_s)[0]
    after = prefix_cache.read(replay, replay.first, chosen, size)
    read = [row[0] for row in replay.rows(f"SELECT read FROM {after} ORDER BY n")]
    assert read == [r.read for r in reference.prefix_with(log, lives, size)]


@many
@given(log=logs())
def test_a_batch(log):
    found = batch.batch(open_replay(database(log)), waits={"nightly": 86400, "chat": 5})
    assert found.usd == reference.saved(log, reference.batched(log, {"nightly"}))


@many
@given(log=logs(), percent=st.sampled_from([50, 90, 99]))
def test_a_cap_on_answers(log, percent):
    found = output_cap.output_cap(open_replay(database(log)), percent=percent, curve=False)
    if found.usd is None:
        assert all(r.error for r in log)
        return
    caps = reference.caps_of(log, percent)
    assert found.usd == reference.saved(log, reference.capped(log, caps))


@many
@given(log=logs())
def test_another_model(log):
    found = other_model.other_model(open_replay(database(log)))
    expected = reference.saved(log, reference.swapped(log, reference.others_of(log)))
    assert (found.usd or 0) == expected


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(log=logs(), versions=variants())
def test_all_of_them_one_after_the_other(log, versions):
    found = what_if(database(log), waits={"nightly": 86400, "chat": 5}, variants=versions)
    states = reference.combined(
        log,
        ttl_s=exact_cache.TTL_S,
        size=exact_cache.SIZE,
        prefix_ttl_s=prefix_cache.UNPROMISED_S,
        features={"nightly"},
        percent=output_cap.PERCENT,
        near=semantic_cache.PERCENT,
        variants=versions,
    )
    steps = [reference.saved(a, b) for a, b in pairwise(states)]
    assert found.usd == sum(steps)
    assert [s.usd for s in found.combined if s.usd] == [step for step in steps if step]


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@pytest.mark.slow
@given(log=logs(most=40), versions=variants())
def test_all_of_them_on_longer_logs(log, versions):
    test_all_of_them_one_after_the_other.hypothesis.inner_test(log, versions)


def chained(log, ttl_us, size):
    """Blocks held for ever at every model, without a floor: reuse alone."""
    replay = open_replay(database(log))
    replay.connection.execute(
        "CREATE OR REPLACE TEMP TABLE whatif_cached AS SELECT DISTINCT ref, feature, "
        f"{ttl_us}::BIGINT AS ttl_us, 0 AS floor FROM whatif_log"
    )
    reuse(replay, replay.first, size_blocks=size)
    return replay.rows("SELECT n, held FROM whatif_reuse ORDER BY n")


@many
@given(log=logs())
def test_a_cache_with_room_for_everything_is_one_of_any_size(log):
    assert chained(log, "300000000", None) == chained(log, "300000000", 10_000)
