"""`analyze --write` and `--output-dir` by the installed command, against a server on loopback."""

import hashlib
import json
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chat_server import started
from fault_harness import Done, Running, Starter

from costopt.core.formats import load_file

COSTOPT = str(Path(sys.executable).parent / "costopt")
LABELS = ("billing", "shipping", "returns")
RULE = "Name one label, and never invent a new one.   "
BODY = f"{RULE}\n\n\n\nOnly these: billing, shipping, returns.\n\n{{{{ ticket }}}}"
FILES = {
    "plain/prompt.md": f"---\nname: plain  # as it is\nmetric: accuracy\n---\n{BODY}\n",
    "jinja/prompt.j2": "---\r\nmetric: accuracy\r\n---\r\n{# for the desk #}\r\n"
    + BODY.replace("\n", "\r\n"),
    "chat/prompt.yaml": "# who asks\nmetric: accuracy   # labels\nmessages:\n  - role: system\n"
    f"    content: |  # rules\n      {RULE}\n\n\n\n      Only these: billing, shipping, returns.\n"
    "  - role: user   # the ticket\n    content: '{{ ticket }}'\n",
    "json/prompt.json": '{"metric":  "accuracy",\n "messages": [\n  {"content": '
    + json.dumps(BODY)
    + ',\n   "role": "user"}]\n}\n',
    "prompty/prompt.prompty": f"---\nname: prompty\nmetric: accuracy\n---\nsystem:\n{RULE}\n\n\n\n"
    "Only these: billing, shipping, returns.\n\nuser:\n{{ticket}}\n",
    "dot/prompt.prompt": '# Licence\n---\nmetric: accuracy\n---\n{{role "system"}}\n'
    f'{RULE}\n\n\n\nOnly these: billing, shipping, returns.\n{{{{role "user"}}}}{{{{ticket}}}}\n',
}
EXPECTED = f"{RULE.rstrip()}\n\nOnly these: billing, shipping, returns."


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with started("two_models", 50) as (port, _):
        yield port


def rows() -> list[dict[str, str]]:
    return [
        {"ticket": f"Ticket {i} ({LABELS[i % 3]}): about it.", "reference": LABELS[i % 3]}
        for i in range(16)
    ]


def promptfoo() -> str:
    tests = "".join(
        f"  - vars: {{ticket: '{row['ticket']}'}}\n    assert: [{{type: equals, value: "
        f"{row['reference']}}}]\n"
        for row in rows()
    )
    return (
        f"prompts:\n  - |\n    {RULE}\n\n\n\n    First. {{{{ticket}}}}\n"
        f"  - 'Second: {{{{ticket}}}}'  # as it is\ntests:\n{tests}"
    )


@pytest.fixture(scope="module")
def base(port: int, starter: Starter | None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of prompts in every format; its store has all answers after the first run."""
    here = tmp_path_factory.mktemp("base")
    for name, text in FILES.items():
        (here / "p" / name).parent.mkdir(parents=True)
        (here / "p" / name).write_bytes(text.encode())
        evals = "\n".join(map(json.dumps, rows()))
        (here / "p" / name).with_name("evals.jsonl").write_text(evals, "utf-8")
    (here / "p" / "foo").mkdir()
    (here / "p" / "foo" / "promptfooconfig.yaml").write_text(promptfoo(), "utf-8")
    (here / "costopt.toml").write_text(
        f'[costopt]\ntarget = "large"\nstrategy = "whitespace"\nmargin = 0.3\nconcurrency = 16\n'
        f'run_dir = "{(here / "run").as_posix()}"\n\n'
        f'[targets.large]\nbase_url = "http://127.0.0.1:{port}/v1"\nmodel = "large"\n'
        'priced_as = "openai:gpt-5.4-mini"\n'
    )
    done = run(starter, here, "p")
    assert done.status == 0, done.err
    return here


Run = Callable[..., Done]


@pytest.fixture
def folder(base: Path, tmp_path: Path) -> Path:
    """A copy, in which the same requests are answered by the same store."""
    shutil.copytree(base / "p", tmp_path / "p")
    shutil.copy(base / "costopt.toml", tmp_path)
    return tmp_path


@pytest.fixture
def analyze(folder: Path, starter: Starter | None) -> Run:
    return lambda *args: run(starter, folder, *args)


def run(starter: Starter | None, here: Path, *args: str, command: str = "analyze") -> Done:
    streams = here.parent / f"{here.name}-streams"
    streams.mkdir(exist_ok=True)
    out, err = streams / "out", streams / "err"
    if starter is None:
        with out.open("wb") as out_file, err.open("wb") as err_file:
            done = subprocess.run(
                [COSTOPT, command, *args], cwd=here, stdout=out_file, stderr=err_file,
                stdin=subprocess.DEVNULL, check=False, timeout=240,
            )  # fmt: skip
        return Done(done.returncode, out.read_bytes(), err.read_bytes())
    task = {
        "args": [command, *args], "cwd": str(here), "env": dict(os.environ),
        "out": str(out), "err": str(err),
    }  # fmt: skip
    return Running(starter.start(task), out, err, starter=starter).wait()


def on_terminal(here: Path, typed: str, *args: str) -> tuple[int, str]:
    """Run it with standard input and error on a terminal, and type a line there."""
    ours, theirs = pty.openpty()
    command = [COSTOPT, "analyze", *args, "--write", "--no-color"]
    child = subprocess.Popen(
        command, stdin=theirs, stderr=theirs, stdout=subprocess.DEVNULL, cwd=here
    )
    os.close(theirs)
    os.write(ours, typed.encode())
    said = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux says so when the other end is closed.
            break
        if not part:
            break
        said += part
    os.close(ours)
    return child.wait(60), said.decode("utf-8", "replace")


def slots(path: Path) -> dict[str, str]:
    return {message.role: message.content for message in load_file(path)[0].messages}


def shown(text: str) -> str:
    """A file's visible characters; in JSON, line breaks are escapes."""
    return "".join(text.replace("\\n", "").split())


def test_every_format_is_written_and_nothing_else_of_the_file_changes(
    analyze: Run, folder: Path
) -> None:
    done = analyze("p", "--write", "--yes")
    assert done.status == 0, done.err
    for name, old in FILES.items():
        path = folder / "p" / name
        new = path.read_bytes().decode()
        assert new != old, name
        assert f"wrote whitespace into p/{name}" in done.err
        assert EXPECTED in "\n".join(slots(path).values()).replace("\r\n", "\n")
        # What was taken out is blanks alone, and whatever is no message is there byte for byte.
        assert shown(old) == shown(new), name
        assert ("\r\n" in new) == ("\r\n" in old)
    assert "# as it is" in (folder / "p/plain/prompt.md").read_text()
    assert "metric: accuracy   # labels" in (folder / "p/chat/prompt.yaml").read_text()
    assert analyze("p", "--write").err.count("wrote") == 0


def test_of_a_file_of_several_prompts_only_that_one_changes(analyze: Run, folder: Path) -> None:
    path = folder / "p" / "foo" / "promptfooconfig.yaml"
    old = path.read_text()
    assert analyze("p/foo", "--write").status == 0
    new = path.read_text()
    assert new != old
    assert new == old.replace(f"{RULE}\n\n\n\n", f"{RULE.rstrip()}\n\n")
    assert [t.messages[0].content for t in load_file(path)][1] == "Second: {{ticket}}"


def test_the_change_is_shown_as_a_diff_before_it_is_made(analyze: Run, folder: Path) -> None:
    done = analyze("p/plain", "--write", "--format", "json")
    json.loads(done.out)
    assert "--- p/plain/prompt.md\n+++ p/plain/prompt.md (whitespace)\n@@" in done.err
    assert f"\n-{RULE}\n" in done.err
    assert done.err.index("@@") < done.err.index("wrote whitespace into")
    assert analyze("p/jinja", "--write", "--quiet").err == ""
    assert b"\r\n\r\nOnly" in (folder / "p/jinja/prompt.j2").read_bytes()


@pytest.mark.parametrize(("typed", "args", "written"), [
    ("y\n", (), True), ("n\n", ("--quiet",), False),
    pytest.param("\n", (), False, marks=pytest.mark.slow),
    pytest.param("n\n", ("--yes",), True, marks=pytest.mark.slow),
])  # fmt: skip
def test_on_a_terminal_it_asks(
    typed: str, args: tuple[str, ...], written: bool, folder: Path
) -> None:
    status, said = on_terminal(folder, typed, "p/plain", *args)
    assert status == 0, said
    changed = (folder / "p/plain/prompt.md").read_text() != FILES["plain/prompt.md"]
    assert changed == written, said
    assert ("Write p/plain/prompt.md?" in said) == ("--yes" not in args)
    assert "@@" in said


def test_mode_and_links_stay(analyze: Run, folder: Path) -> None:
    path = folder / "p" / "plain" / "prompt.md"
    path.chmod(0o640)
    (folder / "p" / "plain" / "real").mkdir()
    path.rename(folder / "p" / "plain" / "real" / "x.md")
    path.symlink_to(Path("real") / "x.md")
    assert analyze("p/plain/prompt.md", "--write").status == 0
    assert path.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert f"{RULE.rstrip()}\n\nOnly" in (folder / "p/plain/real/x.md").read_text()
    assert sorted(file.name for file in path.parent.iterdir()) == [
        "evals.jsonl", "prompt.md", "real",
    ]  # fmt: skip


def test_a_link_that_leads_outside_is_not_written_through(
    analyze: Run, folder: Path, starter: Starter | None, tmp_path_factory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "prompt.md"
    path = folder / "p" / "plain" / "prompt.md"
    outside.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(outside)
    done = analyze("p/plain", "p/chat", "--write")
    assert done.status == 2
    assert "a link that leads outside" in done.err
    assert outside.read_text() == FILES["plain/prompt.md"]
    # The others are written all the same.
    assert (folder / "p/chat/prompt.yaml").read_text() != FILES["chat/prompt.yaml"]
    done = run(starter, folder, "p/plain/prompt.md", "--write", command="compress")
    assert (done.status, outside.read_text()) == (2, FILES["plain/prompt.md"])


def test_with_nothing_recommended_nothing_is_written_and_that_is_said(
    analyze: Run, folder: Path
) -> None:
    done = analyze("p/plain", "--static", "--write", "--yes")
    assert done.status == 0
    assert "nothing to write" in done.err
    assert (folder / "p/plain/prompt.md").read_text() == FILES["plain/prompt.md"]


@pytest.mark.parametrize(("args", "said"), [
    (("--yes",), "--yes answers what --write asks"), (("--force",), "--force is about"),
    (("--output-dir", "costopt.toml"), "the output folder is a file"),
])  # fmt: skip
def test_options_that_make_no_sense_are_refused_before_the_run(
    args: tuple[str, ...], said: str, analyze: Run, folder: Path
) -> None:
    done = analyze("p/plain", *args)
    assert (done.status, done.out) == (2, "")
    assert said in done.err


def variants(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes().decode() for path in files}


def test_all_variants_are_written_in_the_prompts_own_format(analyze: Run, folder: Path) -> None:
    done = analyze("p", "--output-dir", "out/all")
    assert done.status == 0, done.err
    made = variants(folder / "out" / "all")
    index = json.loads(made.pop("costopt-variants.json"))
    assert index["schema"] == "costopt.variants/1"
    assert set(index["files"]) == set(made)
    assert {"plain/baseline.md", "plain/whitespace.md", "chat/whitespace.yaml"} <= set(made)
    assert {"jinja/whitespace.j2", "json/whitespace.json", "prompty/whitespace.prompty"} <= set(
        made
    )
    assert "foo-1/whitespace.yaml" in made
    assert made["plain/baseline.md"] == FILES["plain/prompt.md"]
    for name, text in made.items():
        said = index["files"][name]
        assert said["sha256"] == hashlib.sha256(text.encode()).hexdigest()
        assert said["targets"] == ["large"]
        assert load_file(folder / "out" / "all" / name)
    for name, text in FILES.items():
        assert (folder / "p" / name).read_bytes().decode() == text
    assert analyze("p", "--output-dir", "out/all").status == 0
    assert {**variants(folder / "out/all")} == {
        **made, "costopt-variants.json": (folder / "out/all/costopt-variants.json").read_text(),
    }  # fmt: skip


def test_a_file_of_another_origin_stays_without_force(analyze: Run, folder: Path) -> None:
    mine = folder / "out" / "plain" / "whitespace.md"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    done = analyze("p/plain", "--output-dir", "out")
    assert done.status == 2
    assert "out/plain/whitespace.md" in done.err
    assert variants(folder / "out") == {"plain/whitespace.md": "mine"}
    assert analyze("p/plain", "--output-dir", "out", "--force").status == 0
    assert mine.read_text() != "mine"
    mine.write_text("changed by hand")
    done = analyze("p/plain", "--output-dir", "out")
    assert (done.status, mine.read_text()) == (2, "changed by hand")


def test_its_own_earlier_file_is_replaced_when_the_prompt_changes(
    analyze: Run, folder: Path
) -> None:
    assert analyze("p/plain", "--static", "--output-dir", "out").status == 0
    path = folder / "p" / "plain" / "prompt.md"
    path.write_text(path.read_text().replace("Only these", "Just these"))
    assert analyze("p/plain", "--static", "--output-dir", "out").status == 0
    assert "Just these" in (folder / "out/plain/whitespace.md").read_text()


NAMES = (
    "../../up",
    "/tmp/escaped",
    "a/b",
    ".hidden",
    "nul",
    "x" * 300,
    "..",
    "\\\\host\\x",
    "日本",
)


def test_no_name_leads_out_of_the_folder(analyze: Run, folder: Path) -> None:
    for number, name in enumerate(NAMES):
        (folder / "n").mkdir(exist_ok=True)
        text = f"---\nname: {json.dumps(name)}\n---\n{BODY}\n"
        (folder / "n" / f"{number}.md").write_text(text)
    before = set(variants(folder))
    done = analyze("n", "--static", "--output-dir", "deep/out")
    assert done.status == 0, done.err
    new = sorted(set(variants(folder)) - before)
    assert len(new) == 1 + 2 * len(NAMES)
    assert all(file.startswith("deep/out/") and len(Path(file).parts) <= 4 for file in new)
    assert not any(part.startswith(".") for file in new for part in Path(file).parts)
    assert not Path("/tmp/escaped").exists()


def test_a_link_in_the_folder_that_leads_outside_is_refused(
    analyze: Run, folder: Path, tmp_path_factory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (folder / "out").mkdir()
    (folder / "out" / "plain").symlink_to(outside)
    done = analyze("p/plain", "--static", "--output-dir", "out", "--force")
    assert done.status == 2
    assert "leads out of the folder" in done.err
    assert list(outside.iterdir()) == []


def test_prompts_of_one_name_have_folders_of_their_own(analyze: Run, folder: Path) -> None:
    for name in ("plain", "chat"):
        path = next((folder / "p" / name).glob("prompt.*"))
        path.write_text(path.read_text().replace("metric:", "name: Twin\nmetric:").replace(
            "name: plain  # as it is\n", ""))  # fmt: skip
    assert analyze("p/plain", "p/chat", "--static", "--output-dir", "out").status == 0
    made = [name for name in variants(folder / "out") if "/" in name]
    assert len({name.split("/")[0] for name in made}) == 2
    assert len(made) == 4
