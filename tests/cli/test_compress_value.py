"""`costopt compress` of a variable's value: text or messages, with its question."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from costopt.cli.main import main

COSTOPT = str(Path(sys.executable).parent / "costopt")
TOWN = (
    "Lower Wick\n\nThe harbour of Lower Wick was dug in 1874. The town sells smoked eel.\n\n"
    "Gull Island\n\nThe lighthouse on Gull Island was built by Ada Corbin. It has a bell.\n"
)
ASK = ["-s", "sentences:rate=0.3", "--question", "Who built the lighthouse?"]
KEPT = "The lighthouse on Gull Island was built by Ada Corbin.\n"
TALK = [
    {"role": "system", "content": "You are kind."},
    {"role": "user", "content": "My tent, the red one that I bought in May, leaks at the seam."},
    {"role": "assistant", "content": "I see."},
    {"role": "user", "content": "By the way, is your shop in Hull open on Sundays in the summer?"},
    {"role": "assistant", "content": "It is open from ten to four, and there is a small car park."},
    {"role": "user", "content": "Can the tent be mended?"},
]


@pytest.fixture
def files(in_folder: Path) -> Path:
    (in_folder / "town.dat").write_text(TOWN, "utf-8")
    (in_folder / "talk.json").write_text(json.dumps(TALK, indent=1) + "\n", "utf-8")
    (in_folder / "p.md").write_text("Read: {{ text }}\nAnswer: {{ question }}\n", "utf-8")
    return in_folder


def test_the_installed_command_shortens_a_document(files: Path) -> None:
    done = subprocess.run(
        [COSTOPT, "compress", "town.dat", *ASK], capture_output=True, text=True, cwd=files
    )
    assert (done.returncode, done.stdout) == (0, KEPT), done.stderr
    tokens, *others = done.stderr.splitlines()
    assert tokens.startswith("town.dat: 42 tokens before, 12 after (o200k_base), rate 0.29")
    assert "town.dat: dropped 1874" in others


def test_standard_input_and_quiet(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TOWN.encode())))
    assert main(["compress", "-", *ASK, "--quiet"]) == 0
    assert capsys.readouterr() == (KEPT, "")


def test_in_place_and_as_a_diff(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compress", "town.dat", *ASK, "--diff"]) == 0
    assert "-The town" not in capsys.readouterr().out.splitlines()[0]
    assert (files / "town.dat").read_text("utf-8") == TOWN
    assert main(["compress", "town.dat", *ASK, "--write"]) == 0
    assert (files / "town.dat").read_text("utf-8") == KEPT


@pytest.mark.parametrize("holder", [False, True])
def test_messages_are_shortened_and_laid_out_as_they_were(
    holder: bool, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if holder:
        text = json.dumps({"id": 7, "messages": TALK}, separators=(",", ":"))
        (files / "talk.json").write_text(text, "utf-8")
    assert main(["compress", "talk.json", "-s", "history:rate=0.6,last=1"]) == 0
    out, err = capsys.readouterr()
    data = json.loads(out)
    left = data["messages"] if holder else data
    assert [m for m in TALK if m in left] == left
    assert left[0] == TALK[0]
    assert left[-1] == TALK[-1]
    assert len(left) < len(TALK)
    style = {"separators": (",", ":")} if holder else {"indent": 1}
    assert out == json.dumps(data, **style) + ("" if holder else "\n")
    assert "tokens before" in err


def test_what_nothing_shortens_stays_byte_for_byte(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = b'[ {"role":"user",  "content": "Hi"} ]\r\n'
    (files / "talk.json").write_bytes(odd)
    assert main(["compress", "talk.json", "-s", "history"]) == 0
    assert capsys.readouterr().out.encode() == odd


def test_a_prompt_is_not_taken_for_a_value_by_mistake(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compress", "p.md", "-s", "sentences"]) == 2
    assert capsys.readouterr().err == (
        "error: this seems to be a prompt, with the variables text, question; sentences shortens "
        "values\n  --> p.md\n"
        "  help: say --value if it is one, or name the variable: sentences:on=text\n"
    )
    assert main(["compress", "p.md", "-s", "sentences", "--value"]) == 0


def test_single_braces_are_text_unless_the_file_is_to_change(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = "Ann: I {pause} went home.\nBob: So did I, as it was late.\n"
    (files / "said.txt").write_text(said, "utf-8")
    assert main(["compress", "said.txt", "-s", "sentences:rate=0.5"]) == 0
    assert "read as a value, and pause in braces as text" in capsys.readouterr().err
    assert main(["compress", "said.txt", "-s", "sentences:rate=0.5", "--value"]) == 0
    assert "braces" not in capsys.readouterr().err
    assert main(["compress", "said.txt", "-s", "sentences:rate=0.5", "--write"]) == 2
    assert (files / "said.txt").read_text("utf-8") == said


def test_a_question_alone_takes_the_sentences_that_it_asks_for(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ask = ["compress", "town.dat", "--question", "Who?"]
    assert main([*ask, "-s", "sentences"]) == 0
    named = capsys.readouterr()
    assert main(ask) == 0
    assert capsys.readouterr() == named


def test_a_named_variable_leaves_the_prompt_as_it_is_and_says_so(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compress", "p.md", "-s", "sentences:on=text"]) == 0
    out, err = capsys.readouterr()
    assert out == (files / "p.md").read_text("utf-8")
    assert err == "p.md: no change: a variable's value is shortened when a request is made\n"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--value", "--lossless"], "not lossless: sentences"),
        (["-s", "whitespace", "--value"], "whitespace edits a prompt, and the file is to be"),
        (["-s", "sentences+whitespace"], "sentences shortens a value, and whitespace edits a"),
        (["-s", "whitespace", "-s", "sentences"], "sentences shortens a value, and whitespace"),
        (["-s", "sentences:on=x", "--value"], "sentences:on=x names a variable of a prompt"),
        (["-s", "sentences:question=x"], "sentences:question=x names a variable of a prompt"),
        (["-s", "sentences", "--lossless"], "not lossless: sentences"),
        (["-s", "longllmlingua"], "longllmlingua: it needs a question"),
        (["-s", "llmlingua2"], "none is named"),
        (["-s", "sentences:rate=2"], "above 0 and at most 1"),
    ],
)
def test_what_cannot_be_is_one_error(
    args: list[str], said: str, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compress", "town.dat", *args]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.count("error:") == 1
    assert "bug of costopt" not in err


@pytest.mark.llmlingua
def test_llmlingua_reads_prompts_and_values(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compress", "town.dat", "-s", "llmlingua:rate=0.7", "--value"]) == 0
    out, err = capsys.readouterr()
    assert "1874" in out
    assert len(out) < len(TOWN)
    assert "tokens before" in err
    assert main(["compress", "town.dat", "-s", "llmlingua:rate=0.7", "--question", "Who?"]) == 0
    assert "llmlingua: the question is not read" in capsys.readouterr().err
