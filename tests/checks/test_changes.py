"""What a static check finds in real repositories: changed, moved, new, deleted, broken prompts."""

import re
from collections.abc import Callable

import pytest
from git_repository import PROMPT, STATIC_TARGET, GitRepository, rows

PATH = "prompts/tickets/prompt.md"
ROWS = "prompts/tickets/evals.jsonl"


def only(ran: "object") -> dict[str, object]:
    changes = ran.check["changes"]  # type: ignore[attr-defined]
    assert len(changes) == 1
    return changes[0]


def test_nothing_changed(repository: GitRepository) -> None:
    repository.start()
    ran = repository.run(format="table")
    assert ran.status == 0
    assert "no prompt changed" in ran.out


def test_a_dearer_prompt_is_seen_and_its_growth_is_refused(repository: GitRepository) -> None:
    repository.start(f'[costopt]\n{STATIC_TARGET}\n[prompts."prompts/"]\nmax_growth = 0.1\n')
    repository.replace(PATH, "Route the ticket.", "Route the ticket. " + "Be thorough. " * 20)
    ran = repository.run()
    assert ran.status == 1
    assert ran.check["depth"] == "static"
    assert only(ran)["why"] == ["text"]
    (growth,) = ran.gates("max_growth")
    assert not growth["passed"]
    assert growth["head"] > 0.5
    assert ran.outcomes("quality") == ["skipped"]


def test_an_improved_prompt_passes(repository: GitRepository) -> None:
    repository.start(f'[costopt]\n{STATIC_TARGET}\n[prompts."prompts/"]\nmax_growth = 0\n')
    repository.replace(PATH, "Name one label and nothing else", "Name one label")
    repository.commit()
    ran = repository.run()
    assert ran.status == 0
    assert ran.check["head"].startswith("commit ")
    (growth,) = ran.gates("max_growth")
    assert growth["head"] < 0


def test_every_budget_that_texts_tell_of(repository: GitRepository) -> None:
    budgets = (
        "max_input_tokens = 10\nmax_output_tokens = 64\nmax_usd_per_1k = 0.0001\n"
        "max_usd_per_month = 1000\ncalls_per_month = 10\nmax_latency_p95_s = 1\nmin_quality = 0.5\n"
    )
    repository.start(f'[costopt]\n{STATIC_TARGET}\n[prompts."*.md"]\n{budgets}')
    repository.replace(PATH, "Route the", "Route this")
    ran = repository.run("--static")
    assert ran.status == 1
    said = {gate["gate"]: gate["outcome"] for gate in ran.check["gates"]}
    assert said == {
        "quality": "skipped",
        "max_input_tokens": "failed",
        "max_output_tokens": "passed",
        "max_usd_per_1k": "failed",
        "max_usd_per_month": "skipped",
        "max_latency_p95_s": "skipped",
        "min_quality": "skipped",
    }
    (money,) = ran.gates("max_usd_per_1k")
    words = r"\$[\d.]+ for 1,000 requests, the input alone, over \$0\.0001"
    assert re.fullmatch(words, money["message"])


@pytest.mark.parametrize("told", [True, False])
def test_a_renamed_prompt_is_compared_with_what_it_was(
    repository: GitRepository, told: bool
) -> None:
    repository.start()
    new = repository.folder / "prompts" / "routing"
    (repository.folder / "prompts" / "tickets").rename(new)
    repository.replace("prompts/routing/prompt.md", "Route the", "Route this")
    if told:
        repository.commit()
    change = only(repository.run())
    assert change["status"] == "renamed"
    assert (change["old_path"], change["path"]) == (PATH, "prompts/routing/prompt.md")
    assert change["why"] == ["text"]
    assert "6 rows of prompts/tickets/evals.jsonl" in str(change["rows"])


def test_a_prompt_does_not_leave_its_budget_behind_by_moving(repository: GitRepository) -> None:
    repository.start(f'[costopt]\n{STATIC_TARGET}\n[prompts."prompts/"]\nmax_input_tokens = 5\n')
    (repository.folder / "prompts").rename(repository.folder / "moved")
    assert repository.run().outcomes("max_input_tokens") == ["failed"]


def test_deleted_and_added_prompts(repository: GitRepository) -> None:
    repository.start()
    (repository.folder / PATH).unlink()
    (repository.folder / ROWS).unlink()
    repository.write("prompts/brand-new.md", "Translate {{ text }} into all languages you know.")
    ran = repository.run()
    assert ran.status == 0
    assert {c["path"]: c["status"] for c in ran.check["changes"]} == {
        PATH: "deleted",
        "prompts/brand-new.md": "added",
    }
    assert [p["name"] for p in ran.check["report"]["prompts"]] == ["brand-new"]
    added = next(c for c in ran.check["changes"] if c["status"] == "added")
    assert "+Translate {{ text }} into all languages you know." in added["diff"]


def test_changed_eval_rows_are_shown_and_the_bases_are_used(repository: GitRepository) -> None:
    repository.start()
    repository.write(ROWS, rows(3, extra=" It is a very long story that goes on and on."))
    change = only(repository.run())
    assert change["why"] == ["eval set"]
    assert str(change["rows"]).startswith(f"6 rows of {ROWS} as the base has it (sha256 ")
    assert f"the head's {ROWS}: 3 rows (sha256 " in str(change["rows"])


def test_an_eval_set_that_the_head_takes_away_is_named(repository: GitRepository) -> None:
    repository.start()
    (repository.folder / ROWS).unlink()
    change = only(repository.run())
    assert str(change["rows"]).startswith(f"6 rows of {ROWS} as the base has it (sha256 ")
    assert str(change["rows"]).endswith("; the head has none")


def test_eval_rows_that_the_head_breaks_fail(repository: GitRepository) -> None:
    repository.start()
    repository.write(ROWS, rows(3) + '{"id": ')
    ran = repository.run()
    assert ran.status == 1
    (gate,) = ran.gates("readable")
    assert (gate["path"], gate["line"]) == (ROWS, 4)
    assert str(only(ran)["rows"]).startswith(f"6 rows of {ROWS} as the base has it")


def test_eval_rows_that_the_base_broke_can_be_mended(repository: GitRepository) -> None:
    repository.start()
    repository.git("checkout", "-q", "main")
    repository.write(ROWS, rows(3) + '{"id": ')
    repository.commit()
    repository.git("checkout", "-q", "-B", "change")
    repository.write(ROWS, rows(6))
    repository.replace(PATH, "Route the", "Do route the")
    static = repository.run("--static")
    assert static.status == 0
    assert static.outcomes("quality") == ["inconclusive"]
    ran = repository.run("--replay")
    assert ran.status == 3
    (gate,) = ran.gates("quality")
    assert f"its eval rows cannot be read: {ROWS}:4" in gate["message"]


NEW_AND_BROKEN = {
    "front matter": ("---\nmargin: [\n---\nHi {{ name }}.", '{"name": "Ann"}\n'),
    "metric": ("---\nmetric: nonsense\n---\nHi {{ name }}.", '{"name": "Ann"}\n'),
    "rows": ("Hi {{ name }}.", '{"name": '),
    "ids": ("Hi {{ name }}.", '{"id": "a", "name": "x"}\n{"id": "a", "name": "y"}\n'),
}


@pytest.mark.parametrize("what", NEW_AND_BROKEN)
def test_a_new_prompt_that_cannot_be_checked_fails_and_hides_nothing(
    repository: GitRepository, what: str
) -> None:
    repository.start()
    prompt, found = NEW_AND_BROKEN[what]
    repository.write("prompts/new/prompt.md", prompt)
    repository.write("prompts/new/evals.jsonl", found)
    repository.replace(PATH, "Route the", "Do route the")
    ran = repository.run()
    assert ran.status == 1
    (gate,) = ran.gates("readable")
    assert gate["path"].startswith("prompts/new/")
    assert "it is new" in gate["message"]
    assert only(ran)["name"] == "tickets"


def test_a_document_that_is_no_prompt_passes(repository: GitRepository) -> None:
    repository.start()
    repository.write("prompts/notes.md", "Look at {{ this")
    repository.replace(PATH, "Route the", "Do route the")
    ran = repository.run()
    assert (ran.status, ran.gates("readable")) == (0, [])
    assert [one["path"] for one in ran.check["report"]["skipped"]] == ["prompts/notes.md"]


def test_an_eval_set_named_in_the_front_matter(repository: GitRepository) -> None:
    repository.start()
    named = PROMPT.replace("metric:", "eval_set: ../shared/rows.jsonl\nmetric:")
    repository.write("prompts/other.md", named.replace("name: tickets", "name: other"))
    repository.write("shared/rows.jsonl", rows(4))
    base = repository.commit()
    repository.write("shared/rows.jsonl", rows(5))
    change = only(repository.run(base=base))
    assert (change["name"], change["why"]) == ("other", ["eval set"])


def test_an_eval_set_of_an_odd_name(repository: GitRepository) -> None:
    repository.start()
    front = '---\neval_set: "all rows (1).jsonl"\n---\n'
    repository.write("prompts/x.md", f"{front}Route {{{{ ticket }}}}.")
    repository.write("prompts/all rows (1).jsonl", rows(4))
    base = repository.commit()
    repository.write("prompts/all rows (1).jsonl", rows(5))
    assert only(repository.run(base=base))["why"] == ["eval set"]


def test_rows_that_the_configuration_names_are_the_bases(repository: GitRepository) -> None:
    repository.start(f'[costopt]\n{STATIC_TARGET}\neval_set = "shared/rows.jsonl"\n')
    repository.write("shared/rows.jsonl", rows(9))
    base = repository.commit()
    repository.write("shared/rows.jsonl", rows(2))
    repository.replace(PATH, "Route the", "Do route the")
    ran = repository.run(base=base)
    assert str(only(ran)["rows"]).startswith("9 rows of shared/rows.jsonl (sha256")


def test_an_unmeasurable_prompt_does_not_make_a_check_undecided(repository: GitRepository) -> None:
    budgets = '[prompts."*.md"]\nmax_output_tokens = 10\nmin_quality = 0.5\n'
    repository.start(f"[costopt]\n{STATIC_TARGET}\n{budgets}")
    repository.write("prompts/no-rows.md", "Say {{ x }}.")
    ran = repository.run("--replay")
    assert ran.status == 0
    assert ran.outcomes("max_output_tokens") == ["skipped"]


def test_a_promptfoo_configuration_whose_part_changed(repository: GitRepository) -> None:
    repository.start()
    repository.write(
        "suite/promptfooconfig.yaml",
        "prompts: [file://parts/*.txt]\nproviders: []\ntests:\n  - vars: {name: Ada}\n",
    )
    again = repository.read("suite/promptfooconfig.yaml")
    repository.write("suite/promptfooconfig.other.yaml", again)
    repository.write("suite/parts/hello.txt", "Hello {{ name }}, be brief.")
    base = repository.commit()
    repository.write("suite/parts/hello.txt", "Hello {{ name }}, be brief and kind.")
    change = only(repository.run(base=base))
    assert (change["why"], change["status"]) == (["text"], "modified")
    assert change["path"] == "suite/parts/hello.txt"


def test_a_prompt_that_can_no_longer_be_read_does_not_pass(repository: GitRepository) -> None:
    repository.start()
    repository.replace(PATH, "metric: accuracy", "metric: [")
    ran = repository.run()
    assert ran.status == 1
    (gate,) = ran.gates("readable")
    assert gate["path"] == PATH


def test_a_prompt_that_another_hides_is_deleted(repository: GitRepository) -> None:
    repository.start()
    repository.write("prompts/faq/faq.md", "Answer {{ question }}.")
    base = repository.commit()
    repository.write("prompts/faq/prompt.md", "Hi {{ question }}.")
    found = {c["path"]: c["status"] for c in repository.run(base=base).check["changes"]}
    assert found == {"prompts/faq/faq.md": "deleted", "prompts/faq/prompt.md": "added"}


def test_new_findings_fail_where_they_are_chosen_and_old_ones_do_not(
    repository: GitRepository,
) -> None:
    repository.start(f'[costopt]\n{STATIC_TARGET}\n[check]\nfail_on = ["filler"]\n')
    wordy = "Please note that it is very important that in order to "
    repository.replace(PATH, "Route the ticket.", f"{wordy}route the ticket, read it.")
    ran = repository.run()
    assert ran.status == 1
    (gate,) = ran.gates("finding")
    assert (gate["line"], gate["limit"]) == (6, "filler")
    base = repository.commit()
    repository.replace(PATH, "read it.", "read it. Thank you.")
    assert repository.run(base=base).outcomes("finding") == ["passed"]


def test_paths_narrow_it(repository: GitRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    repository.start()
    repository.write("more/one.md", "One {{ x }}.")
    repository.write("more/two.md", "Two {{ x }}.")
    names = [c["path"] for c in repository.run("more").check["changes"]]
    assert names == ["more/one.md", "more/two.md"]
    monkeypatch.chdir(repository.folder / "more")
    names = [c["path"] for c in repository.run("two.md").check["changes"]]
    assert names == ["more/two.md"]
    ran = repository.run("gone.md")
    assert ran.status == 2
    assert "neither the base nor the head" in ran.err
    assert repository.run("/").status == 2


def test_commits_of_the_base_since_then_are_no_change_of_the_head(
    repository: GitRepository,
) -> None:
    repository.start()
    repository.write("prompts/new.md", "New {{ x }}.")
    repository.commit()
    repository.git("checkout", "-q", "main")
    repository.replace(PATH, "Route the", "Do route the")
    repository.write("costopt.toml", f"[costopt]\n{STATIC_TARGET}\n[check]\nfail_on = ['CO101']\n")
    repository.commit()
    repository.git("checkout", "-q", "change")
    ran = repository.run()
    assert only(ran)["path"] == "prompts/new.md"
    assert ran.outcomes("finding") == ["passed"]  # the base's configuration as it is by now


def test_names_that_git_would_quote(repository: GitRepository) -> None:
    repository.start()
    odd = 'prompts/ä "b"\tc.md'
    repository.write(odd, "Say {{ x }}.")
    assert only(repository.run())["path"] == odd


def test_line_ends_that_git_turned_are_no_change(repository: GitRepository) -> None:
    repository.start(f'[costopt]\n{STATIC_TARGET}\n[prompts."prompts/"]\nmax_growth = 0.5\n')
    repository.git("config", "core.autocrlf", "true")
    (repository.folder / PATH).unlink()
    repository.git("checkout", "-q", "--", PATH)
    assert b"\r\n" in (repository.folder / PATH).read_bytes()
    repository.replace("costopt.toml", "0.5", "0.6")
    change = only(repository.run())
    assert (change["why"], change["diff"]) == (["configuration"], [])
    text = (repository.folder / PATH).read_bytes()
    repository.write(PATH, text.replace(b"Route the", b"Do route the"))
    repository.commit()
    ran = repository.run()
    base, head = (one["text"] for one in ran.check["report"]["prompts"][0]["variants"][:2])
    assert head == base.replace("Route the", "Do route the")


def test_line_ends_that_a_change_turned_are_one(repository: GitRepository) -> None:
    repository.start()
    text = (repository.folder / PATH).read_bytes()
    repository.write(PATH, text.replace(b"\n", b"\r\n"))
    repository.commit()
    assert only(repository.run())["why"] == ["text"]


def test_an_unknown_finding_is_refused(repository: GitRepository) -> None:
    repository.start(f'[costopt]\n{STATIC_TARGET}\n[check]\nfail_on = ["fillr"]\n')
    ran = repository.run()
    assert ran.status == 2
    assert 'fail_on of [check] names "fillr"' in ran.err
    assert 'did you mean "filler"?' in ran.err


def test_what_people_see(repository: GitRepository, golden: Callable[[str, str], None]) -> None:
    budgets = '[prompts."prompts/"]\nmax_input_tokens = 40\nmax_growth = 0.5\n'
    repository.start(f"[costopt]\n{STATIC_TARGET}\n{budgets}")
    repository.replace(PATH, "Route the", "Please do route, and with the greatest of care, the")
    (repository.folder / "notes.md").write_text("Sum up {{ text }} in one line.", "utf-8")
    told = repository.run("--static", format="table").out
    told = re.sub(r"\([0-9a-f]{11}…\)", "(0123456789a…)", told)
    today = re.compile(r"\d{4}-\d\d-\d\d")
    golden("check-static.txt", today.sub("2026-01-01", told))
    golden("check-unknown-base.txt", repository.run(base="origin/mian").err)


def test_rows_of_the_command_line_are_the_bases(repository: GitRepository) -> None:
    repository.write("shared/rows.jsonl", rows(9))
    repository.start()
    repository.write("shared/rows.jsonl", rows(4))
    repository.replace(PATH, "Route the", "Do route the")
    ran = repository.run("--eval-set", "shared/rows.jsonl")
    (prompt,) = ran.check["report"]["prompts"]
    assert (prompt["eval_set"]["path"], prompt["eval_set"]["rows"]) == ("shared/rows.jsonl", 9)
    repository.write("shared/mine.jsonl", rows(4))
    mine = repository.run("--eval-set", "shared/mine.jsonl")
    assert mine.status == 2
    assert "the base has no such eval set" in mine.err


def test_lengths_in_use_decide_nothing_here(repository: GitRepository) -> None:
    """They are known of the version in use: a change may have lengthened its answers."""
    rules = '[prompts."prompts/"]\nmax_usd_per_1k = 100\nmax_growth = 0.02\n'
    base = f"[costopt]\n{STATIC_TARGET}\n{rules}"
    repository.start(f"{base}output_tokens_per_call = 500\n")
    repository.replace("prompts/tickets/prompt.md", "Name one label", "Please name just one label")
    ran = repository.run("--static")
    assert ran.outcomes("max_usd_per_1k") == ["skipped"]
    assert ran.outcomes("max_growth") == ["failed"]
    for version in ran.check["report"]["prompts"][0]["variants"]:
        assert version["cost"]["evidence"] == "list"
