"""The ratchet: costopt.lock."""

import tomllib
from decimal import Decimal
from pathlib import Path

import pytest
from git_repository import STATIC_TARGET, GitRepository
from hypothesis import given
from hypothesis import strategies as st

from costopt.checks.lock import Lock, Locked, read_lock, rounded, write_lock
from costopt.core.errors import CostoptError

PATH = "prompts/tickets/prompt.md"
_names = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)
_numbers = st.floats(0, 1e6)
_locked = st.builds(
    Locked,
    input_tokens=_numbers,
    output_tokens=st.none() | _numbers,
    usd_per_1k=st.none() | st.decimals(0, 1000, allow_nan=False, places=9),
    metric=st.none() | st.sampled_from(["accuracy", "log_likelihood"]),
    quality=st.none() | st.floats(-100, 1),
    n=st.none() | st.integers(0, 1000),
)
_locks = st.dictionaries(
    _names, st.dictionaries(_names, _locked, min_size=1, max_size=3), max_size=4
)


@given(_locks)
def test_what_is_written_is_read_again_and_written_the_same(
    tmp_path_factory: pytest.TempPathFactory, lock: Lock
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.lock"
    text = write_lock(lock)
    tomllib.loads(text)
    file.write_text(text, "utf-8", newline="")
    found = read_lock(file)
    assert found == {p: {t: rounded(one) for t, one in rows.items()} for p, rows in lock.items()}
    assert write_lock(found) == text
    assert write_lock(dict(reversed(list(lock.items())))) == text


@pytest.mark.parametrize(
    "text",
    [
        "version = 2", "version = 1\nprompts = 3", 'version = 1\n[prompts."a"]\nx = 1',
        'version = 1\n[prompts."a"."t"]\noutput_tokens = 1',
        'version = 1\n[prompts."a"."t"]\ninput_tokens = -1', "not toml", "",
    ],
)  # fmt: skip
def test_a_lock_that_is_none(tmp_path: Path, text: str) -> None:
    file = tmp_path / "x.lock"
    file.write_text(text, "utf-8")
    with pytest.raises(CostoptError):
        read_lock(file)


def test_small_amounts_keep_their_digits() -> None:
    locked = rounded(Locked(input_tokens=1, usd_per_1k=Decimal("0.000000123456789")))
    assert locked.usd_per_1k == Decimal("0.000000123457")


@pytest.fixture
def locked(repository: GitRepository) -> str:
    """A repository whose base has a lock of two prompts; the commit of the base."""
    repository.start()
    repository.write("prompts/other.md", "Translate {{ text }}, please.")
    ran = repository.run("--update-lock", "--static", format="table")
    assert ran.status == 0
    assert "costopt.lock is written" in ran.err
    return repository.commit()


def test_the_first_lock_holds_every_prompt(repository: GitRepository, locked: str) -> None:
    del locked
    found = tomllib.loads(repository.read("costopt.lock"))
    assert [*found["prompts"]] == ["prompts/other.md", PATH]
    assert set(found["prompts"][PATH]["openai:gpt-4.1-mini"]) == {"input_tokens"}


def test_growth_fails_and_says_what_to_do(repository: GitRepository, locked: str) -> None:
    repository.replace(PATH, "Route the", "Do route the")
    ran = repository.run("--static", base=locked)
    assert ran.status == 1
    (gate,) = ran.gates("lock")
    assert gate["message"].startswith("input grew from")
    assert gate["head"] == gate["limit"] + 1


def test_an_improvement_is_asked_for_and_banked(repository: GitRepository, locked: str) -> None:
    repository.replace(PATH, "Route the ticket. ", "")
    ran = repository.run("--static", base=locked)
    assert ran.status == 1
    (gate,) = ran.gates("lock")
    assert "bank it: run this check again with `--static --update-lock`" in gate["message"]
    before = repository.read("costopt.lock")
    assert repository.run("--static", "--update-lock", base=locked).status == 0
    after = repository.read("costopt.lock")
    assert len(set(before.splitlines()) ^ set(after.splitlines())) == 2  # one number
    assert repository.run("--static", base=locked).status == 0
    repository.commit()
    assert repository.run("--static", base=locked).status == 0


def test_added_renamed_and_deleted_prompts_keep_the_lock_whole(
    repository: GitRepository, locked: str
) -> None:
    repository.write("prompts/new.md", "New {{ x }}.")
    (repository.folder / "prompts/other.md").unlink()
    (repository.folder / "prompts/tickets").rename(repository.folder / "prompts/routing")
    ran = repository.run("--static", base=locked)
    assert ran.status == 1
    messages = sorted(gate["message"].split(":")[0] for gate in ran.gates("lock"))
    assert messages == [
        "deleted, and costopt.lock still has it", "not in costopt.lock yet",
        "not in costopt.lock yet",
    ]  # fmt: skip
    assert repository.run("--static", "--update-lock", base=locked).status == 0
    found = tomllib.loads(repository.read("costopt.lock"))
    assert [*found["prompts"]] == ["prompts/new.md", "prompts/routing/prompt.md"]


def test_a_renamed_prompt_may_not_grow_either(repository: GitRepository, locked: str) -> None:
    (repository.folder / "prompts/tickets").rename(repository.folder / "prompts/routing")
    repository.replace("prompts/routing/prompt.md", "Route the", "Do route the")
    ran = repository.run("--static", "--update-lock", base=locked)
    assert ran.status == 1
    assert "input grew from" in ran.gates("lock")[0]["message"]


def test_targets_that_are_checked_apart_keep_one_lock(
    repository: GitRepository, locked: str
) -> None:
    other = ("--static", "--target", "openai:gpt-4.1-nano")
    repository.replace(PATH, "Route the ticket. ", "")
    assert repository.run("--static", "--update-lock", base=locked).status == 0
    assert repository.run(*other, "--update-lock", base=locked).status == 0
    found = tomllib.loads(repository.read("costopt.lock"))["prompts"][PATH]
    assert [*found] == ["openai:gpt-4.1-mini", "openai:gpt-4.1-nano"]
    assert repository.run("--static", base=locked).status == 0
    assert repository.run(*other, base=locked).status == 0


def test_without_a_lock_at_the_base_nothing_is_ratcheted(repository: GitRepository) -> None:
    repository.start()
    repository.replace(PATH, "Route the", "Do route the")
    repository.run("--static", "--update-lock")
    repository.commit()
    ran = repository.run("--static")
    assert ran.status == 0
    assert ran.gates("lock") == []
    assert any("brings costopt.lock" in note for note in ran.check["notes"])


def test_a_prompt_at_an_own_configuration_folder(repository: GitRepository) -> None:
    repository.start()
    repository.write("app/costopt.toml", f"[costopt]\n{STATIC_TARGET}\n")
    repository.write("app/p.md", "Say {{ x }}.")
    base = repository.commit()
    ran = repository.run("--static", "--update-lock", "--config", "app/costopt.toml", base=base)
    assert ran.status == 0
    assert (repository.folder / "app/costopt.lock").exists()
