import sys

import pytest

from costopt.core.discovery import discover, load_prompts
from costopt.core.errors import CostoptError


@pytest.fixture
def tree(tmp_path, monkeypatch):
    def tree(*names, **texts):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(texts.get(name, "Hi {{ a }}"), encoding="utf-8")
        return tmp_path

    monkeypatch.chdir(tmp_path)
    return tree


def shown(tmp_path, *paths):
    found = discover([type(tmp_path)(path) for path in paths] or [tmp_path])
    base = tmp_path.as_posix() + "/"
    return {
        file.shown.removeprefix(base): file.eval_set.name if file.eval_set else None
        for file in found.files
    }


def test_folders_are_searched_and_sorted(tree):
    root = tree("b.md", "a.txt", "sub/z.j2", "sub/c.prompt", "x.docx", "y.py")
    assert list(shown(root)) == ["a.txt", "b.md", "sub/c.prompt", "sub/z.j2"]
    assert list(shown(root, "sub", "a.txt")) == ["sub/c.prompt", "sub/z.j2", "a.txt"]
    assert list(shown(root, "a.txt", ".", "a.txt")) == ["a.txt", "b.md", "sub/c.prompt", "sub/z.j2"]


def test_what_is_no_prompt(tree):
    root = tree(
        "README.md", "readme.txt", "LICENSE.txt", "LICENSE-MIT.md", "evals.json", "a.evals.yaml",
        ".hidden.md", ".git/x.md", ".dir/y.md", "kept.md",
    )  # fmt: skip
    assert list(shown(root)) == ["kept.md"]


def test_beside_prompt_nothing_else_is_one(tree):
    root = tree("n/prompt.md", "n/notes.md", "n/schema.json", "n/sub/other.md", "m/a.md")
    assert list(shown(root)) == ["m/a.md", "n/prompt.md", "n/sub/other.md"]


def test_eval_sets_stand_beside(tree):
    root = tree(
        "n/prompt.md", "n/evals.jsonl", "m/a.md.j2", "m/a.evals.csv", "m/b.md", "m/evals.jsonl",
        "k/c.prompty", "k/c.evals.parquet",
    )  # fmt: skip
    assert shown(root) == {
        "k/c.prompty": "c.evals.parquet",
        "m/a.md.j2": "a.evals.csv",
        "m/b.md": None,
        "n/prompt.md": "evals.jsonl",
    }


def test_git_ignored_files_are_none(tree):
    root = tree(
        ".git/HEAD", ".gitignore", "build/a.md", "b.md", "secret.md", "sub/.gitignore",
        "sub/tmp.md", "sub/keep/secret.md", **{
            ".gitignore": "build/\nsecret.md\n", "sub/.gitignore": "tmp.md\n!keep/secret.md\n",
        },
    )  # fmt: skip
    assert list(shown(root)) == ["b.md", "sub/keep/secret.md"]
    assert list(shown(root, "sub")) == ["sub/keep/secret.md"]
    assert list(shown(root, "secret.md")) == ["secret.md"]


def test_files_of_a_promptfoo_configuration_are_part_of_it(tree):
    root = tree(
        "p/promptfooconfig.yaml", "p/a.txt", "p/b.json", "p/own.md",
        **{"p/promptfooconfig.yaml": "prompts: [file://a.txt, file://b.json]\n"},
    )  # fmt: skip
    assert list(shown(root)) == ["p/own.md", "p/promptfooconfig.yaml"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs symbolic links")
def test_links_in_circles_end(tree):
    root = tree("a/x.md")
    (root / "a" / "loop").symlink_to(root / "a")
    (root / "a" / "y.md").symlink_to(root / "a" / "x.md")
    assert list(shown(root)) == ["a/x.md"]
    (root / "a" / "gone.md").symlink_to(root / "nowhere.md")
    assert list(shown(root)) == ["a/x.md"]


def test_missing_and_empty(tree):
    root = tree("x.docx")
    with pytest.raises(CostoptError, match="no such file or folder: nope"):
        shown(root, "nope")
    with pytest.raises(CostoptError, match="no prompts found in") as caught:
        shown(root)
    assert ".md" in (caught.value.hint or "")


def test_many_files(tree, tmp_path):
    for number in range(2000):
        (tmp_path / f"{number:04}.md").touch()
    assert len(discover([tmp_path]).files) == 2000


def test_load_prompts_lists_what_it_cannot_read(tree):
    root = tree(
        "good.md", "bad.j2", "data.yaml", "n/prompt.yaml", "binary.md", "own.md",
        **{
            "bad.j2": "a\n{% if %}", "data.yaml": "a: 1", "n/prompt.yaml": "a: 1",
            "binary.md": "\0", "own.md": "---\neval_set: rows/x.jsonl\n---\nHi",
        },
    )  # fmt: skip
    loaded = load_prompts([root])
    assert [p.template.name for p in loaded.prompts] == ["good", "own"]
    assert loaded.prompts[1].eval_set == root / "rows" / "x.jsonl"
    listed = [(s.path.removeprefix(root.as_posix() + "/"), s.line) for s in loaded.skipped]
    assert listed == [("bad.j2", 2), ("binary.md", 1), ("n/prompt.yaml", 1)]
    assert all(s.reason for s in loaded.skipped)


def test_nothing_readable_is_an_error(tree):
    root = tree("bad.j2", "worse.j2", "data.yaml", **{"bad.j2": "{{", "worse.j2": "{%"})
    with pytest.raises(CostoptError, match="unterminated"):
        load_prompts([root / "bad.j2"])
    with pytest.raises(CostoptError, match="none of 2 files"):
        load_prompts([root])
    with pytest.raises(CostoptError, match="no messages"):
        load_prompts([root / "data.yaml"])
