"""An entry more in a pre-commit configuration, and nothing else changed."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from costopt.reports.starting.precommit import has_hook, with_entry
from costopt.reports.starting.texts import hook_text

ENTRY = hook_text(["prompts/", "a b.c/"], "1.2.3")
WORDS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=6)
HOOKS = st.fixed_dictionaries({"id": WORDS}, optional={"args": st.lists(WORDS, max_size=2)})
REPOS = st.fixed_dictionaries(
    {"repo": WORDS, "hooks": st.lists(HOOKS, min_size=1, max_size=3)}, optional={"rev": WORDS}
)
CONFIGS = st.fixed_dictionaries(
    {"repos": st.lists(REPOS, min_size=1, max_size=3)},
    optional={"default_stages": st.lists(WORDS, max_size=2), "ci": st.just({"skip": ["x"]})},
)


def test_the_entry_is_a_local_hook() -> None:
    (repo,) = yaml.safe_load(f"repos:\n{ENTRY}")["repos"]
    (hook,) = repo["hooks"]
    assert hook["entry"] == "costopt check --static --base HEAD"
    assert hook["additional_dependencies"] == ["costopt==1.2.3"]
    assert hook["files"] == r"^(prompts/|a\ b\.c/|costopt\.(toml|lock)$)"
    assert has_hook(f"repos:\n{ENTRY}")


@given(config=CONFIGS, indented=st.booleans(), sort=st.booleans())
def test_everything_else_stays(config: dict[str, Any], indented: bool, sort: bool) -> None:
    text = _dumped(config, indented, sort)
    found = with_entry(text, ENTRY)
    assert found is not None
    assert yaml.safe_load(found) == {
        **config, "repos": [*config["repos"], *yaml.safe_load(f"repos:\n{ENTRY}")["repos"]]
    }  # fmt: skip
    kept = iter(found.splitlines())
    assert all(line in kept for line in text.splitlines())


def _dumped(config: dict[str, Any], indented: bool, sort: bool) -> str:
    class Indented(yaml.SafeDumper):
        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
            super().increase_indent(flow, indentless=indentless and not indented)

    return yaml.dump(config, Dumper=Indented, sort_keys=sort, default_flow_style=False)


def test_comments_and_what_follows_stay() -> None:
    text = (
        "# ours\nrepos:\n# first\n- repo: a\n  hooks: [{id: b}]  # b\n\n# last\nci:\n  skip: [b]\n"
    )
    found = with_entry(text, ENTRY)
    assert found is not None
    before, _, after = text.partition("\n\n# last")
    assert found.startswith(before)
    assert found.endswith("\n\n# last" + after)


def test_a_last_line_without_an_end_gets_one() -> None:
    found = with_entry("repos:\n  - repo: a\n    hooks: [{id: b}]", ENTRY)
    assert found is not None
    assert has_hook(found)


@pytest.mark.parametrize(
    "text",
    [
        "repos: [{repo: a, hooks: [{id: b}]}]\n",
        "{repos: []}\n",
        "repos: []\n",
        "repos:\n",
        "- a\n",
        "a: [\n",
        "repos: &x\n- repo: a\n  hooks: [{id: b}]\nagain: *x\n",
        "'repos':\n- repo: a\n  hooks: []\n",
        "repos:\n- repo: |\n    x\n\n\n    y\nz: 1\n...\n---\na: b\n",
    ],
)
def test_what_cannot_be_done_by_text_is_not_done(text: str) -> None:
    assert with_entry(text, ENTRY) is None


def test_a_hook_from_a_repository_counts() -> None:
    assert has_hook("repos:\n- repo: https://example.com/x\n  hooks: [{id: costopt-check}]\n")
    assert not has_hook("repos:\n- repo: local\n  hooks: [{id: ruff}]\n")


def test_ends_of_lines_stay_as_they_are() -> None:
    found = with_entry("repos:\r\n  - repo: a\r\n    hooks: [{id: b}]\r\n", ENTRY)
    assert found is not None
    assert found.count("\n") == found.count("\r\n")


@pytest.mark.parametrize(
    "text", ["repos: [{hooks: 3}]", "repos: [3]", "repos: 3", "3", "", "a: [b"]
)
def test_a_configuration_that_is_none_has_no_hook(text: str) -> None:
    assert not has_hook(text)
