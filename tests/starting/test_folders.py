"""Which folders are taken to hold prompts."""

from pathlib import Path

import pytest

from costopt.reports.starting.folders import prompt_folders


@pytest.mark.parametrize(
    ("files", "folders"),
    [
        (["prompts/a.md", "prompts/b/prompt.md", "README.md", "docs/x.md"], ["prompts/"]),
        (["app/prompts/a.txt", "web/prompts/b.txt"], ["app/prompts/", "web/prompts/"]),
        (["bots/faq/prompt.md", "bots/chat/prompt.md"], ["bots/"]),
        (["bots/faq/prompt.md"], ["bots/faq/"]),
        (["one/a.prompty", "two/b.prompt"], ["one/", "two/"]),
        (["evals/promptfooconfig.yaml"], ["evals/"]),
        (["docs/a.md", "notes.txt", "prompt.md"], []),
        (["Prompts/a.md"], ["Prompts/"]),
        ([".hidden/prompts/a.md"], []),
        (["a\nb/prompts/x.md", "a'b/prompts/x.md", " c/prompts/x.md"], []),
        ([], []),
    ],
)
def test_names_tell(tmp_path: Path, files: list[str], folders: list[str]) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("providers: [x]\nprompts: [y]\n", encoding="utf-8")
    assert list(prompt_folders(tmp_path)) == folders


def test_what_git_ignores_is_not_looked_at(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("build/\n", encoding="utf-8")
    (tmp_path / "build/prompts").mkdir(parents=True)
    (tmp_path / "build/prompts/a.md").write_text("x", encoding="utf-8")
    assert prompt_folders(tmp_path) == ()
