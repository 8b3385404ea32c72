"""What was sent in batches is on the disk: across processes, states, versions and damage."""

import os
import sqlite3
import stat
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.core.config import load_config
from costopt.core.configured import Config, TargetConfig
from costopt.core.errors import CostoptError
from costopt.models.batches.journal import BatchJournal, Row, Settled, new_batch
from costopt.models.batches.opening import open_batches
from costopt.models.batches.pricing import batch_price_of


def rows(*keys: str) -> list[Row]:
    return [Row(key=key, summary="{}", tokens=7, worst=Decimal("0.001")) for key in keys]


def batch(target: str = "mine"):
    return new_batch(target, "m", "http://127.0.0.1:9/v1", "chat")


def test_a_request_waits_in_one_batch_only(tmp_path: Path) -> None:
    one, other = BatchJournal(tmp_path), BatchJournal(tmp_path)
    first, second, third = batch(), batch(), batch()
    assert one.claim(first, rows("a", "b")) == {"a", "b"}
    assert other.claim(second, rows("b", "c")) == {"c"}
    assert other.claim(third, rows("a", "b")) == set()
    assert [found.requests for found in one.batches()] == [2, 1]
    assert one.settle(first.id, [Settled("b", "expired", "too late", Decimal(0))])
    # Once it is settled it may be sent again, and is settled once only.
    assert other.claim(third, rows("b")) == {"b"}
    assert one.settle(first.id, [Settled("b", "answered", "", Decimal(1))]) == []
    assert one.attempts("b") == [("expired", "too late")]
    one.close()
    other.close()


def test_money_and_states_are_read_back_exactly(tmp_path: Path) -> None:
    journal, made = BatchJournal(tmp_path), batch()
    journal.claim(made, rows("a", "b", "c"))
    journal.about_to(made.id, "file-1")
    journal.submitted(made.id, "batch-1")
    journal.settle(made.id, [Settled("a", "answered", "", Decimal("0.0000123"))])
    journal.close()
    again = BatchJournal(tmp_path)
    found = again.batch(made.id)
    assert (found.state, found.name, found.reference) == ("submitted", "batch-1", "file-1")
    assert found.counts == {"answered": 1, "waiting": 2}
    assert (found.usd, found.worst) == (Decimal("0.0000123"), Decimal("0.002"))
    again.release(made.id, "no")
    assert again.batch(made.id).state == "refused"
    assert again.attempts("b") == []
    assert again.names() == {"batch-1"}
    with pytest.raises(KeyError):
        again.batch("nothing")
    again.close()


def test_the_files_are_the_users_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        BatchJournal(tmp_path / "run").close()
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "run" / "batches.sqlite3").stat().st_mode) == 0o600


def test_a_newer_file_and_a_damaged_one_are_errors_that_say_what_to_do(tmp_path: Path) -> None:
    BatchJournal(tmp_path).close()
    db = sqlite3.connect(tmp_path / "batches.sqlite3")
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(CostoptError, match="newer costopt"):
        BatchJournal(tmp_path)
    (tmp_path / "batches.sqlite3").write_bytes(b"no database" * 1000)
    with pytest.raises(CostoptError) as caught:
        BatchJournal(tmp_path)
    assert "moved aside" in (caught.value.hint or "")


@settings(max_examples=25)
@given(
    claims=st.lists(st.sets(st.sampled_from("abcdef"), min_size=1), max_size=6),
    ends=st.lists(st.tuples(st.integers(0, 5), st.sampled_from("abcdef")), max_size=12),
)
def test_no_key_ever_waits_twice(
    claims: list[set[str]], ends: list[tuple[int, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    journal = BatchJournal(tmp_path_factory.mktemp("run"))
    made = [batch() for _ in claims]
    for found, keys in zip(made, claims, strict=True):
        journal.claim(found, rows(*sorted(keys)))
        for index, key in ends:
            if index < len(made):
                journal.settle(made[index].id, [Settled(key, "failed", "", Decimal(0))])
        waiting = [key for one in made for key in journal.waiting(one.id)]
        assert len(waiting) == len(set(waiting))
        assert journal.waiting_keys("abcdef") == set(waiting)
    journal.close()


CONFIG = """
[targets.mine]
base_url = "http://127.0.0.1:9/v1"
model = "m"
api_key_env = "MINE_KEY"
batch_price = { input = 0.5, output = "2" }
"""


def test_a_batch_price_is_read_and_checked(tmp_path: Path) -> None:
    file = tmp_path / "costopt.toml"
    file.write_text(CONFIG, "utf-8")
    target = load_config(file, tmp_path).targets["mine"]
    assert target.batch_price == {"input": Decimal("0.5"), "output": Decimal(2)}
    assert batch_price_of("mine", target).output == 2
    file.write_text(CONFIG.replace("output", "outputs"), "utf-8")
    with pytest.raises(CostoptError, match="outputs"):
        load_config(file, tmp_path)
    file.write_text(CONFIG.replace("input = 0.5", "usd_per_hour = 1"), "utf-8")
    with pytest.raises(CostoptError, match="usd_per_hour"):
        load_config(file, tmp_path)


@pytest.mark.parametrize(
    "target",
    [
        TargetConfig(name="openrouter:x/y"),
        TargetConfig(name="mine", model="m", base_url="http://127.0.0.1:9/v1"),
        TargetConfig(name="mine", price={"input": Decimal(1), "output": Decimal(2)}),
        TargetConfig(name="mine", batch_price={"input": Decimal(1)}),
        TargetConfig(name="openai:gpt-4o-mini", price={"input": Decimal(1)}),
    ],
)
def test_no_saving_is_claimed_where_no_batch_price_is_known(target: TargetConfig) -> None:
    with pytest.raises(CostoptError, match="what a batch costs"):
        batch_price_of(target.name, target)


def test_a_hosted_models_batch_price_is_the_tables() -> None:
    price = batch_price_of("openai:gpt-4o-mini", TargetConfig(name="openai:gpt-4o-mini"))
    assert (price.input, price.output) == (Decimal("0.075"), Decimal("0.3"))


def test_hosted_targets_and_their_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CostoptError, match="ANTHROPIC_API_KEY is not set"):
        open_batches("anthropic:claude-haiku-4-5", Config())
    monkeypatch.setenv("ANTHROPIC_API_KEY", "x-key")
    target, api = open_batches("anthropic:claude-haiku-4-5", Config())
    assert (target.model, api.base_url) == ("claude-haiku-4-5", "https://api.anthropic.com/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "x-key")
    target, api = open_batches("openai:gpt-4o-mini", Config())
    assert (target.model, api.base_url) == ("gpt-4o-mini", "https://api.openai.com/v1")
    # A provider's own variable is for its own endpoint: another one gets no key unasked.
    own = TargetConfig(name="own", model="anthropic:claude", base_url="http://127.0.0.1:9/v1")
    _, api = open_batches("own", Config(targets={"own": own}))
    assert api._http._headers() == {"anthropic-version": "2023-06-01"}
