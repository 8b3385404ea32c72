"""Requests whose log records no revision have that of the last commit by then."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from dated_prompts import FIRST, PROMPT, SECOND, DatedPrompts, every, template
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.cli.main import main
from costopt.core.discovery import load_prompts
from costopt.core.formats import load_string
from costopt.usage.ledger import REQUESTS, connect
from costopt.usage.opening import open_requests
from costopt.usage.origin import find_origin
from costopt.usage.prompt_history import History, Version, histories
from costopt.usage.revisions import with_revisions

NOW = datetime(2027, 1, 1)
START = datetime(2026, 10, 1)
CONNECTION = connect()


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DatedPrompts:
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    found = DatedPrompts(tmp_path / "work")
    found.start()
    monkeypatch.chdir(found.folder)
    return found


def history(path: str = PROMPT) -> History:
    (found,) = histories([one.template for one in load_prompts([Path(path)]).prompts])
    return found


def revisions(made: DatedPrompts, *times: str, **more: object) -> list[str | None]:
    """Return the revisions of requests of these times."""
    made.log([{"timestamp": time, **more} for time in times])
    templates = [one.template for one in load_prompts([Path("prompts")]).prompts]
    with open_requests(["log.jsonl"], templates=templates, now=NOW) as found:
        rows = found.connection.execute("SELECT revision FROM requests ORDER BY line").fetchall()
    return [row[0] for row in rows]


def test_a_request_has_the_last_commit_by_its_time(made: DatedPrompts) -> None:
    first = made.mark()
    second = made.put(SECOND, "2026-10-10T12:00:00Z")
    made.write("x", "other.txt")
    made.commit("2026-10-11T12:00:00Z")  # This does not touch the prompt.
    assert revisions(
        made, "2026-09-30T23:59:59Z", "2026-10-01T00:00:00Z", "2026-10-10T13:59:59+02:00",
        "2026-10-10T12:00:00Z", "2026-12-01T00:00:00Z",
    ) == [None, first, first, second, second]  # fmt: skip


def test_a_request_without_a_time_or_with_another_prompt_has_none(made: DatedPrompts) -> None:
    assert revisions(made, "no time") == [None]
    made.log([
        {"timestamp": "2026-10-05T00:00:00Z", "prompt": "other"},
        {"timestamp": "2026-10-05T00:00:00Z", "prompt": PROMPT},
    ])  # fmt: skip
    templates = [one.template for one in load_prompts([Path("prompts")]).prompts]
    with open_requests(["log.jsonl"], templates=templates, now=NOW) as found:
        rows = found.connection.execute("SELECT revision FROM requests ORDER BY line").fetchall()
    assert rows == [(None,), (made.mark(),)]


def test_recorded_revisions_stay_and_are_kept_apart(made: DatedPrompts) -> None:
    made.log([
        *every(60, "2026-10-02T00:00:00", 1, revision="v7"),
        *every(60, "2026-10-03T00:00:00", 1),
    ])  # fmt: skip
    done = made.run(
        "usage", "log.jsonl", "--prompts", "prompts", "--by", "revision", "--only-cost",
        "--format", "json",
    )  # fmt: skip
    found = json.loads(done.stdout)
    groups = {group["by"]["revision"]: group["requests"] for group in found["groups"]}
    assert groups == {"v7": 24, made.mark(): 24}
    assert any("no revision of 24 requests" in note for note in found["notes"])


def test_without_prompts_nothing_is_asked_of_git(made: DatedPrompts) -> None:
    made.log(every(60, "2026-10-02T00:00:00", 1))
    done = made.run("usage", "log.jsonl", "--by", "revision", "--only-cost", "--format", "json")
    assert [group["by"]["revision"] for group in json.loads(done.stdout)["groups"]] == [None]


def test_requests_of_parquet_have_revisions_too(made: DatedPrompts) -> None:
    made.log(every(60, "2026-10-02T00:00:00", 1))
    connect().execute("COPY (FROM read_json('log.jsonl')) TO 'log.parquet'")
    templates = [one.template for one in load_prompts([Path("prompts")]).prompts]
    with open_requests(["log.parquet"], templates=templates, now=NOW) as found:
        rows = found.connection.execute("SELECT DISTINCT revision FROM requests").fetchall()
    assert rows == [(made.mark(),)]


def test_a_merge_counts_from_when_it_was_made(made: DatedPrompts) -> None:
    first = made.mark()
    made.git("checkout", "-q", "-b", "work")
    made.put(SECOND, "2026-10-05T00:00:00Z")
    made.git("checkout", "-q", "main")
    made.write("x", "other.txt")
    made.commit("2026-10-06T00:00:00Z")
    made.git("merge", "-q", "--no-ff", "-m", "merge", "work", at="2026-10-09T00:00:00Z")
    assert revisions(made, "2026-10-07T00:00:00Z", "2026-10-09T00:00:00Z") == [first, made.mark()]


def test_renames_are_followed_and_a_time_without_the_file_is_unknown(made: DatedPrompts) -> None:
    first = made.mark()
    (made.folder / "prompts/Ä b").mkdir()
    made.git("mv", PROMPT, "prompts/Ä b/prompt.md")
    moved = made.commit("2026-10-04T00:00:00Z")
    made.git("rm", "-q", "prompts/Ä b/prompt.md")
    made.commit("2026-10-06T00:00:00Z")
    back = made.put(SECOND, "2026-10-08T00:00:00Z", "prompts/Ä b/prompt.md")
    assert revisions(
        made, "2026-10-02T00:00:00Z", "2026-10-05T00:00:00Z", "2026-10-07T00:00:00Z",
        "2026-10-09T00:00:00Z",
    ) == [first, moved, None, back]  # fmt: skip


def test_a_clock_that_went_back_takes_nothing_from_the_order(made: DatedPrompts) -> None:
    later = made.put(SECOND, "2026-10-10T00:00:00Z")
    last = made.put(FIRST, "2026-10-03T00:00:00Z")
    found = history().versions
    assert [one.revision for one in found][1:] == [later, last]
    assert [one.since for one in found][1:] == [datetime(2026, 10, 10)] * 2
    assert revisions(made, "2026-10-05T00:00:00Z", "2026-10-11T00:00:00Z")[1] == last


def test_a_date_that_no_calendar_has_is_the_last_one(made: DatedPrompts) -> None:
    first = made.mark()
    made.put(SECOND, "@300000000000 +0000")
    assert history().versions[-1].since.year == 9999
    assert revisions(made, "2026-10-05T00:00:00Z") == [first]


def test_the_end_of_a_shallow_clone_is_unknown_and_said(
    made: DatedPrompts, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.write("x", "other.txt")
    made.commit("2026-10-05T00:00:00Z")
    second = made.put(SECOND, "2026-10-10T00:00:00Z")
    clone = DatedPrompts(made.folder.parent / "clone")
    made.git("clone", "-q", "--depth", "2", f"file://{made.folder}", str(clone.folder))
    monkeypatch.chdir(clone.folder)
    assert revisions(clone, "2026-10-06T00:00:00Z", "2026-10-11T00:00:00Z") == [None, second]
    assert "shallow" in history().notes[0]
    assert "before 2026-10-10" in history().notes[0]


def test_what_is_not_committed_is_said(made: DatedPrompts) -> None:
    assert history().notes == ()
    (made.folder / PROMPT).write_bytes(template(FIRST).replace("\n", "\r\n").encode())
    assert history().notes == ()
    made.write(template(SECOND))
    assert "not committed" in history().notes[0]
    assert revisions(made, "2026-10-05T00:00:00Z") == [made.mark()]
    made.write(template("Never seen by git at all."), "prompts/new.md")
    assert history("prompts/new.md").unknown == "in no commit of this branch"


def test_a_link_has_no_history_of_its_own(made: DatedPrompts) -> None:
    (made.folder / "prompts/link.md").symlink_to("triage/prompt.md")
    made.commit("2026-10-02T00:00:00Z")
    found = history("prompts/link.md")
    assert (found.versions, found.unknown) == ((), "a link has no history of its own")


def test_no_repository_no_commit_and_no_git(
    made: DatedPrompts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = DatedPrompts(tmp_path / "outside")
    outside.write(template(FIRST))
    monkeypatch.chdir(outside.folder)
    assert "in no working tree of git" in (history().unknown or "")
    outside.git("init", "-q")
    assert "does not have any commits" in (history().unknown or "")
    monkeypatch.chdir(made.folder)
    monkeypatch.setenv("PATH", "/nonexistent")
    assert history().unknown == "git is not installed"
    assert revisions(made, "2026-10-05T00:00:00Z") == [None]


def test_requests_are_linked_by_the_text_of_an_earlier_version(made: DatedPrompts) -> None:
    first = made.mark()
    second = made.put(SECOND, "2026-10-10T00:00:00Z")
    made.log([
        {"timestamp": "2026-10-02T00:00:00Z", "prompt": None, "text": f"{FIRST}\n\nlost"},
        {"timestamp": "2026-10-12T00:00:00Z", "prompt": None, "text": f"{SECOND}\n\nlost"},
        {"timestamp": "2026-10-12T00:00:00Z", "prompt": None, "text": "Something else."},
    ])  # fmt: skip
    done = made.run(
        "usage", "log.jsonl", "--prompts", "prompts", "--by", "prompt,revision", "--only-cost",
        "--format", "json",
    )  # fmt: skip
    found = {
        (group["by"]["prompt"], group["by"]["revision"])
        for group in json.loads(done.stdout)["groups"]
    }
    assert found == {("triage", first), ("triage", second), (None, None)}


def test_nothing_of_the_repository_is_run(made: DatedPrompts) -> None:
    trap = made.folder / "trap.sh"
    trap.write_text("#!/bin/sh\ntouch sprung\ncat\n")
    trap.chmod(0o755)
    made.write("*.md filter=evil diff=evil\n", ".gitattributes")
    first = made.mark()
    made.commit("2026-10-02T00:00:00Z")
    second = made.put(SECOND, "2026-10-03T00:00:00Z")
    for key in (
        "core.fsmonitor", "core.pager", "diff.external", "diff.evil.command", "diff.evil.textconv",
        "filter.evil.clean", "filter.evil.smudge", "gpg.program", "core.sshCommand",
    ):  # fmt: skip
        made.git("config", key, str(trap))
    made.git("config", "log.showSignature", "true")
    made.git("config", "log.showRoot", "false")
    made.git("config", "core.hooksPath", str(made.folder))
    assert revisions(made, "2026-10-01T12:00:00Z", "2026-10-05T00:00:00Z") == [first, second]
    assert not (made.folder / "sprung").exists()


def test_a_replaced_commit_is_read_as_it_is(made: DatedPrompts) -> None:
    first = made.git("rev-parse", "HEAD").strip()
    second = made.put(SECOND, "2026-10-10T00:00:00Z")
    made.git("replace", "HEAD", first)
    assert history().versions[-1].revision == second


def test_an_anomaly_names_the_commit_that_it_came_with(made: DatedPrompts) -> None:
    second = made.put(SECOND, "2026-10-20T09:20:00Z")
    made.log([
        *every(2, "2026-10-15T00:00:00", 5.5),
        *every(2, "2026-10-20T12:00:00", 1, output_tokens=90),
    ])  # fmt: skip
    shown = " ".join(made.run("usage", "log.jsonl", "--prompts", "prompts").stdout.split())
    assert "longer answers 2026-10-20 12:00" in shown
    assert "at 2026-10-20 12:00 (log.jsonl:3961)" in shown
    assert f"came with revision {second} (by commit time)" in shown


@pytest.mark.parametrize("revision", ["v1", "~0123456789ab"])
@pytest.mark.parametrize(("hour", "new"), [(0, False), (6, False), (50, True)])
def test_what_was_always_there_came_with_no_anomaly(revision: str, hour: int, new: bool) -> None:
    connection = connect()
    connection.execute(REQUESTS)
    start = START + timedelta(hours=hour)
    for n in range(60):
        now = START + timedelta(hours=n)
        name = revision if not new or now >= start else "before"
        connection.execute(
            'INSERT INTO requests("at", feature, revision) VALUES (?, ?, ?)', [now, "help", name]
        )
    hours = timedelta(hours=1)
    found = find_origin(connection, "help", "longer answers", start, start + 9 * hours, hours)
    assert found is not None
    assert found.revision == (revision if new else None)


def test_notes_are_of_prompts_that_the_log_has(
    made: DatedPrompts, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(7):
        made.write(f"---\nname: new-{number}\n---\nNot committed.\n", f"prompts/new-{number}.md")
        made.write("---\nname: twin\n---\nOf two.\n", f"prompts/twin-{number}.md")
    made.write(template(SECOND))  # Not committed, and all of its requests say their revision.
    made.log([
        *every(60, "2026-10-02T00:00:00", 1, revision="v1"),
        *every(60, "2026-10-02T00:00:00", 1, prompt="twin"),
        *(one for n in range(6) for one in every(60, "2026-10-02T00:00:00", 1, prompt=f"new-{n}")),
    ])  # fmt: skip
    words = ["usage", "log.jsonl", "--prompts", "prompts", "--only-cost", "--format", "json"]
    assert main(words) == 0
    files = ", ".join(f"prompts/new-{n}.md" for n in range(5))
    assert json.loads(capsys.readouterr().out)["notes"] == [
        f"revisions by commit time are unknown of {files} and 1 more: in no commit of this branch",
        "revisions by commit time are unknown of twin: several prompts are called so",
    ]


def test_names_of_files_reach_no_terminal(
    made: DatedPrompts, capsys: pytest.CaptureFixture[str]
) -> None:
    made.write("---\nname: evil\n---\nHi.\n", "prompts/e\x1b[31mvil.md")
    made.log(every(60, "2026-10-02T00:00:00", 1, prompt="evil"))
    for format in ("table", "markdown", "json"):
        words = ["usage", "log.jsonl", "--prompts", "prompts", "--only-cost", "--format", format]
        assert main(words) == 0
        shown = "".join(capsys.readouterr())
        assert "\x1b" not in shown
        assert "in no commit" in " ".join(shown.split())


moments = st.integers(0, 40).map(lambda hours: START + timedelta(hours=hours))


@settings(max_examples=50)
@given(
    committed=st.lists(st.tuples(moments, st.booleans()), max_size=6),
    asked=st.lists(st.tuples(st.none() | moments, st.sampled_from(["t", "other", None])),
                   min_size=1, max_size=12),
)  # fmt: skip
def test_the_join_is_the_last_commit_by_then(
    committed: list[tuple[datetime, bool]],
    asked: list[tuple[datetime | None, str | None]],
) -> None:
    versions = tuple(
        Version(since=since, commit=f"{n:040x}", path="t.md", known=known)
        for n, (since, known) in enumerate(sorted(committed, key=lambda one: one[0]))
    )
    found = History(template=load_string("Hi", shown="t.md"), versions=versions)
    times = [time for time, _ in asked if time is not None]
    connection = connect()
    connection.execute('CREATE TABLE r(n INT, "at" TIMESTAMP, prompt VARCHAR, revision VARCHAR)')
    values = ", ".join("(?, ?, ?, NULL)" for _ in asked)
    flat = [value for n, one in enumerate(asked) for value in (n, *one)]
    connection.execute(f"INSERT INTO r VALUES {values}", flat)
    sql = with_revisions(
        connection, "FROM r", [found], min(times, default=None), max(times, default=None)
    )
    rows = connection.execute(f"SELECT revision FROM ({sql}) ORDER BY n").fetchall()
    expected = []
    for time, prompt in asked:
        past = [v for v in versions if prompt == "t" and time is not None and v.since <= time]
        expected.append((past[-1].revision if past else None,))
    assert rows == expected
