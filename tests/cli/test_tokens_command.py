import io
import json
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from costopt.cli.tokens import tokens
from costopt.core.errors import CostoptError
from costopt.costs import rawfiles
from costopt.costs.vocabulary import ensure_tiktoken

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(tokens)

TEXT = "You are a careful assistant.\r\nHöflich bleiben — 请用中文。<|endoftext|>\n"


@pytest.fixture(autouse=True)
def _here(in_folder):
    """Run in an empty folder."""


def run(*args, input=None):
    result = CliRunner().invoke(app, [str(arg) for arg in args], input=input)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


def run_json(*args, **more):
    return json.loads(run(*args, "--format", "json", **more).stdout)


def theirs(text, encoding="o200k_base"):
    ensure_tiktoken()
    import tiktoken

    return len(tiktoken.get_encoding(encoding).encode(text, disallowed_special=()))


@pytest.mark.parametrize("encoding", ["o200k_base", "cl100k_base"])
def test_equals_tiktoken_on_the_raw_text(in_folder, encoding):
    (in_folder / "a.md").write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    found = run_json("a.md", "--target", encoding)
    count = found["files"][0]["models"][0]
    assert count["tokens"] == theirs("\ufeff" + TEXT, encoding)
    assert (count["model"], count["tokenizer"], count["exact"]) == (encoding, encoding, True)
    assert count["usd"] is None


def test_json_has_the_contracts_shape(in_folder):
    (in_folder / "a.md").write_text("one two three")
    (in_folder / "b.md").write_text("four")
    found = run_json("a.md", "b.md", "-t", "openai:gpt-4o-mini", "-t", "anthropic:claude-haiku-4-5")
    assert found["schema"] == "costopt.tokens/1"
    assert [file["path"] for file in found["files"]] == ["a.md", "b.md"]
    for file in found["files"]:
        models = file["models"]
        assert [set(model) for model in models] == [
            {"model", "tokenizer", "tokens", "exact", "usd", "usd_per_1k"}
        ] * 2
        assert [model["exact"] for model in models] == [True, False]
    first = found["files"][0]["models"][0]
    assert first["usd"] == pytest.approx(first["tokens"] * 0.15 / 1e6)
    assert first["usd_per_1k"] == pytest.approx(first["tokens"] * 0.15 / 1e3)
    total = found["total"]
    assert total["files"] == 2
    assert total["models"][0]["tokens"] == sum(
        file["models"][0]["tokens"] for file in found["files"]
    )


def test_the_default_model_is_exact_and_priced(in_folder):
    (in_folder / "a.md").write_text("hello")
    count = run_json("a.md")["files"][0]["models"][0]
    assert count["exact"] is True
    assert count["usd"] > 0


def test_the_table_names_exact_and_estimated(in_folder):
    (in_folder / "a.md").write_text("word " * 1200)
    (in_folder / "b.md").write_text("word")
    out = run("a.md", "b.md", "-t", "openai:gpt-4o-mini", "-t", "anthropic:claude-x").stdout
    first, second = out.split("\n\n")
    assert first.splitlines()[0] == "openai:gpt-4o-mini: o200k_base, exact"
    assert "per million tokens (genai-prices" in first.splitlines()[1]
    assert [line.split()[-1] for line in first.splitlines()[2:]] == [
        "path",
        "a.md",
        "b.md",
        "total",
    ]
    assert "1,201  " in first
    assert "~1,201" in second
    assert "estimated, not this model's own tokens" in second
    assert "price of input unknown" in second
    assert "—" in second
    assert all(len(line) <= 80 for line in out.splitlines())


def test_markdown_cannot_be_left(in_folder):
    (in_folder / "a|b`c.md").write_text("word")
    lines = run("a|b`c.md", "--format", "markdown").stdout.splitlines()
    assert lines[0].count("|") == lines[1].count("|") == 6
    assert "a\\|b`c.md" in lines[2]


def test_standard_input():
    found = run_json("-", input=TEXT.encode())
    assert found["files"][0]["path"] == "-"
    assert found["files"][0]["models"][0]["tokens"] == theirs(TEXT)


def test_folders_are_searched_and_what_is_passed_over_is_named(in_folder):
    (in_folder / "p" / "deep").mkdir(parents=True)
    (in_folder / "p" / ".git").mkdir()
    (in_folder / "p" / ".git" / "config").write_text("x")
    (in_folder / "p" / ".hidden.md").write_text("x")
    (in_folder / "p" / "logo.png").write_bytes(b"\x89PNG\x00\x01")
    (in_folder / "p" / "latin.txt").write_bytes("é".encode("latin-1"))
    (in_folder / "p" / "deep" / "b.md").write_text("b")
    (in_folder / "p" / "a.md").write_text("a")
    result = run("p", "--format", "json")
    paths = [file["path"] for file in json.loads(result.stdout)["files"]]
    assert paths == ["p/a.md", "p/deep/b.md"]
    assert result.stderr.splitlines() == [
        "skipped p/latin.txt: not UTF-8 text",
        "skipped p/logo.png: binary, not text",
        "skipped 2 hidden",
    ]
    assert run("p", "--quiet").stderr == ""


def test_many_skipped_files_are_counted(in_folder):
    for index in range(13):
        (in_folder / f"{index:02}.bin").write_bytes(b"\0")
    (in_folder / "a.md").write_text("a")
    assert run(".").stderr.splitlines()[-1] == "skipped 3 more files"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("missing.md", None, "no such file"),
        ("a.bin", b"a\0b", "binary"),
        ("latin.txt", b"one\ntw\xe9", "not UTF-8"),
        ("big.txt", b"x" * 200, "larger than"),
    ],
)
def test_a_named_file_that_cannot_be_counted_is_an_error(
    in_folder, monkeypatch, name, content, said
):
    monkeypatch.setattr(rawfiles, "MAX_BYTES", 100)
    if content is not None:
        (in_folder / name).write_bytes(content)
    with pytest.raises(CostoptError, match=said) as caught:
        run(name)
    assert caught.value.where.path == name
    if name == "latin.txt":
        assert caught.value.where.line == 2


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes")
def test_a_pipe_is_refused_and_does_not_hang(in_folder):
    import os

    os.mkfifo(in_folder / "pipe")
    with pytest.raises(CostoptError, match="neither a file"):
        run("pipe")
    with pytest.raises(CostoptError, match="nothing to count"):
        run(".")


def test_an_empty_folder_is_an_error():
    with pytest.raises(CostoptError, match="nothing to count"):
        run(".")


def test_an_unknown_model_is_an_error_with_the_nearest(in_folder):
    (in_folder / "a.md").write_text("a")
    with pytest.raises(CostoptError) as caught:
        run("a.md", "--target", "gpt-4oo")
    assert "gpt-4o" in caught.value.hint


def test_a_target_of_the_configuration(in_folder):
    (in_folder / "costopt.toml").write_text(
        '[targets.mine]\nmodel = "llama3.2:1b"\nbase_url = "http://localhost:1/v1"\n'
        "price = { input = 2, output = 4 }\n"
        '[targets.box]\nmodel = "llama3.2:1b"\nbase_url = "http://localhost:1/v1"\n'
        'priced_as = "openai:gpt-4o-mini"\n'
    )
    (in_folder / "a.md").write_text("one two three")
    mine, box = run_json("a.md", "-t", "mine", "-t", "box")["files"][0]["models"]
    assert (mine["model"], mine["tokenizer"], mine["exact"]) == ("mine", "llama3", True)
    assert mine["usd"] == pytest.approx(mine["tokens"] * 2 / 1e6)
    # The tokens are the model's own; the money is that of the other model's tokens.
    assert (box["model"], box["tokenizer"]) == ("box", "llama3")
    assert box["usd"] == pytest.approx(theirs("one two three") * 0.15 / 1e6)
    assert "estimated: priced as openai:gpt-4o-mini" in run("a.md", "-t", "box").stdout


def test_the_configuration_names_the_default(in_folder):
    (in_folder / "costopt.toml").write_text('[costopt]\ntarget = ["gpt-4"]\nformat = "json"\n')
    (in_folder / "a.md").write_text("one")
    found = json.loads(run("a.md").stdout)
    assert [count["model"] for count in found["files"][0]["models"]] == ["gpt-4"]


def test_a_server_of_ones_own_has_no_list_price(in_folder):
    (in_folder / "costopt.toml").write_text(
        '[targets.mine]\nmodel = "gpt-4o-mini"\nbase_url = "http://localhost:1/v1"\n'
        '[targets.theirs]\nmodel = "openai:gpt-4o-mini"\n'
        '[targets.rented]\nmodel = "llama3"\nusd_per_hour = 2\n'
    )
    (in_folder / "a.md").write_text("one")
    counts = run_json("a.md", "-t", "mine", "-t", "theirs", "-t", "rented")["files"][0]["models"]
    assert [count["usd"] is None for count in counts] == [True, False, True]


def test_the_embedded_model_counts_with_its_own_tokenizer(in_folder, monkeypatch):
    from costopt.models import embedded, weights

    closed = []

    class Target:
        def __init__(self, path):
            self.counter = embedded._Counter(self)

        def server(self):
            return self

        def tokens(self, text):
            return tuple(text)

        async def close(self):
            closed.append(True)

    (in_folder / "a.md").write_text("one")
    monkeypatch.setattr(weights, "weights_path", lambda: in_folder)
    monkeypatch.setattr(embedded, "EmbeddedTarget", Target)
    count = run_json("a.md", "-t", "embedded")["files"][0]["models"][0]
    assert (count["tokens"], count["tokenizer"], count["exact"]) == (3, "smollm2", True)
    assert count["usd"] > 0
    assert closed == [True]


def test_the_embedded_model_that_is_not_here_is_an_error(in_folder, monkeypatch):
    from costopt.models import weights

    (in_folder / "a.md").write_text("one")
    monkeypatch.setattr(weights, "weights_path", lambda: None)
    with pytest.raises(CostoptError) as caught:
        run("a.md", "-t", "embedded")
    assert "models pull" in caught.value.hint


def test_output_goes_to_a_file_in_the_format_of_its_suffix(in_folder):
    (in_folder / "a.md").write_text("a")
    assert run("a.md", "--output", "out.json").stdout == ""
    assert json.loads((in_folder / "out.json").read_text())["schema"] == "costopt.tokens/1"


def test_a_path_cannot_paint_the_terminal(in_folder):
    (in_folder / "a\x1b[2Jb.md").write_text("a")
    assert "\x1b" not in run("a\x1b[2Jb.md").stdout


def test_the_command_imports_nothing_heavy():
    code = (
        "import sys, costopt.cli.tokens\n"
        "heavy = {'tiktoken', 'splintr', 'genai_prices', 'pydantic', 'rich', 'numpy', 'asyncio'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert out.strip() == "[]"


def test_standard_input_is_bounded(monkeypatch):
    monkeypatch.setattr(rawfiles, "MAX_BYTES", 10)

    class Stdin:
        buffer = io.BytesIO(b"x" * 11)

    monkeypatch.setattr(rawfiles.sys, "stdin", Stdin)
    with pytest.raises(CostoptError, match="larger than"):
        list(rawfiles.read_all(["-"]))
