"""Configuration: found, read exactly, and every mistake named with its line."""

from decimal import Decimal
from pathlib import Path

import pytest

from costopt.core.config import load_config
from costopt.core.configured import Config, PromptRule, TargetConfig
from costopt.core.errors import CostoptError

FULL = """
[costopt]
target = ["local", "embedded"]
strategy = "whitespace+filler"
max-cost = 0.10
samples = 40
run_dir = "answers"
eval_set = "hf:squad"

[targets.local]
model = "llama3"
base_url = "http://localhost:11434/v1"
api_key_env = "LOCAL_KEY"
concurrency = 4
requests_per_minute = 90.5
price = { input = 0.15, cache_read = "0.075", output = 1 }
priced_as = "openai:gpt-4.1-mini"

[targets.box.price]
usd_per_hour = 2.5

[prompts."*.md"]
feature = "chat"
calls_per_month = 1000

[prompts."prompts/faq/"]
calls_per_month = 2000
cache_hit_rate = 0.8
batch = true
margin = 0.02
"""


def write(folder: Path, text: str, name: str = "costopt.toml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_everything_is_read_exactly(tmp_path: Path) -> None:
    write(tmp_path, FULL)
    config = load_config(None, tmp_path)
    assert config.defaults == {
        "target": ("local", "embedded"),
        "strategy": ("whitespace+filler",),
        "max_cost": Decimal("0.10"),
        "samples": 40,
        "run_dir": str(tmp_path / "answers"),
        "eval_set": "hf:squad",
    }
    assert config.targets["local"] == TargetConfig(
        name="local",
        model="llama3",
        base_url="http://localhost:11434/v1",
        api_key_env="LOCAL_KEY",
        concurrency=4,
        requests_per_minute=90.5,
        price={"input": Decimal("0.15"), "cache_read": Decimal("0.075"), "output": Decimal(1)},
        priced_as="openai:gpt-4.1-mini",
    )
    assert config.targets["box"].usd_per_hour == Decimal("2.5")
    assert config.targets["box"].price is None
    assert config.path == tmp_path / "costopt.toml"


def test_rules_merge_key_by_key_and_later_ones_win(tmp_path: Path) -> None:
    write(tmp_path, FULL)
    config = load_config(None, tmp_path)
    merged = config.rule_for(tmp_path / "prompts" / "faq" / "a.md")
    assert merged == PromptRule(
        glob="prompts/faq/",
        feature="chat",
        calls_per_month=2000,
        cache_hit_rate=0.8,
        batch=True,
        margin=0.02,
    )
    assert config.rule_for(tmp_path / "a.md").calls_per_month == 1000
    assert config.rule_for(tmp_path / "a.txt") == PromptRule()


def test_rules_are_relative_to_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, '[prompts."sub/*.md"]\nfeature = "x"\n')
    (tmp_path / ".git").mkdir()
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    config = load_config(None, Path.cwd())
    assert config.rule_for(Path("a.md")).feature == "x"


def test_no_file_is_an_empty_configuration(tmp_path: Path) -> None:
    assert load_config(None, tmp_path) == Config()


def test_the_search_goes_up_to_the_repository_and_no_further(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    below = repository / "a" / "b"
    below.mkdir(parents=True)
    write(tmp_path, "[costopt]\nseed = 1\n")
    assert load_config(None, below) == Config()
    (repository / ".git").mkdir()
    assert load_config(None, below) == Config()
    write(repository, "[costopt]\nseed = 2\n")
    assert load_config(None, below).defaults == {"seed": 2}


def test_outside_of_a_repository_only_the_folder_itself_counts(tmp_path: Path) -> None:
    write(tmp_path, "[costopt]\nseed = 1\n")
    (tmp_path / "a").mkdir()
    assert load_config(None, tmp_path / "a") == Config()


def test_pyproject_holds_the_defaults_in_its_own_table(tmp_path: Path) -> None:
    text = '[tool.costopt]\nsamples = 9\n[tool.costopt.targets.a]\nmodel = "m"\n'
    write(tmp_path, text, "pyproject.toml")
    config = load_config(None, tmp_path)
    assert config.defaults == {"samples": 9}
    assert config.targets["a"].model == "m"


@pytest.mark.parametrize("text", ["[project]\nname = 'x'\n", "broken = = 1\n", ""])
def test_a_pyproject_of_something_else_is_passed_over(tmp_path: Path, text: str) -> None:
    write(tmp_path, text, "pyproject.toml")
    assert load_config(None, tmp_path) == Config()


def test_costopt_toml_goes_first(tmp_path: Path) -> None:
    write(tmp_path, "[tool.costopt]\nsamples = 9\n", "pyproject.toml")
    write(tmp_path, "[costopt]\nsamples = 3\n")
    assert load_config(None, tmp_path).defaults == {"samples": 3}


def test_what_other_commands_act_on_is_read(tmp_path: Path) -> None:
    text = """
[check]
fail_on = ["CO101"]
[features.chat]
usd_per_month = 100
[usage.columns]
model = "m"
[prompts."*.md"]
max_input_tokens = 100
min_quality = -1.5
"""
    write(tmp_path, text)
    config = load_config(None, tmp_path)
    assert config.fail_on == ("CO101",)
    assert config.features == {"chat": Decimal(100)}
    assert config.usage_columns == {"model": "m"}
    rule = config.rule_for("a.md")
    assert (rule.max_input_tokens, rule.min_quality) == (100, -1.5)


def test_columns_of_a_plain_log_are_read(tmp_path: Path) -> None:
    write(tmp_path, "[usage.columns]\ntimestamp = 'when'\ninput_tokens = 'in'\n")
    found = load_config(None, tmp_path)
    assert found.usage_columns == {"timestamp": "when", "input_tokens": "in"}


@pytest.mark.parametrize(
    ("text", "line", "what", "hint"),
    [
        ("[costopt]\n\nsampels = 3\n", 3, 'unknown key "sampels" in [costopt]', '"samples"'),
        ("[target.a]\nmodel = 'm'\n", 1, 'unknown table "target"', '"targets"'),
        ("samples = 3\n", 1, 'unknown table "samples"', "under [costopt]"),
        ("[targets.a]\nmodle = 'm'\n", 2, 'unknown key "modle" in [targets.a]', '"model"'),
        ("[targets.a]\nmodel = 3\n", 2, '"model" in [targets.a] must be a text', "found 3"),
        ("[targets.a]\nprice = {inptu = 1}\n", 2, 'unknown key "inptu"', '"input"'),
        ("[targets.a.price]\ninput = -1\n", 2, '"input" in [targets.a.price] must be', "found -1"),
        ("[targets.a.price]\ninput = nan\n", 2, '"input" in [targets.a.price] must be', "NaN"),
        ("[targets.a]\nbase_url = 'http://x'\n", 1, "has a base_url but no model", "model ="),
        ("[targets.a]\nmodel='m'\nbase_url = 'x:1'\n", 3, "must begin with http://", "localhost"),
        ("[prompts.'*.md']\ncache_hit_rate = 1.5\n", 2, "must be a number in 0..1", "1.5"),
        ("[prompts.'*.md']\nbatch = 1\n", 2, "must be true or false", "1"),
        ("[prompts]\nfeature = 'x'\n", 2, "[prompts.feature] must be a table", ""),
        ("[costopt]\nsamples = 0\n", 2, "must be a whole number of 1 or more", "0"),
        ("[costopt]\nsamples = true\n", 2, "must be a whole number", "True"),
        ("[costopt]\nmax_cost = inf\n", 2, "must be an amount", "Infinity"),
        ("[costopt]\ntarget = []\n", 2, "must be a text in quotes, or a list", "[]"),
        ("[costopt]\noutput = 'x'\n", 2, 'unknown key "output"', ""),
        ("[check]\nfail = []\n", 2, 'unknown key "fail" in [check]', '"fail_on"'),
        ("[usage.columns]\nmodle = 'm'\n", 2, 'unknown key "modle"', '"model"'),
        ("targets = 3\n", 1, "[targets] must be a table", ""),
        ("[costopt]\nx = = 1\n", 2, "broken TOML", "toml.io"),
        ("[costopt]\nsamples = 1\nsamples = 2\n", 3, "broken TOML", "toml.io"),
    ],
)
def test_a_mistake_is_named_with_its_line(
    tmp_path: Path, text: str, line: int, what: str, hint: str
) -> None:
    write(tmp_path, text)
    with pytest.raises(CostoptError) as caught:
        load_config(None, tmp_path)
    assert what in caught.value.what
    assert caught.value.where is not None
    assert caught.value.where.line == line
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"a = 1\n" * 200_000, "larger than 1 MB"),
        (b"a = " + b"[" * 5000, "broken TOML"),
    ],
)
def test_what_cannot_be_read_is_one_error(tmp_path: Path, data: bytes, what: str) -> None:
    (tmp_path / "costopt.toml").write_bytes(data)
    with pytest.raises(CostoptError, match=what):
        load_config(None, tmp_path)


def test_a_named_configuration_must_exist(tmp_path: Path) -> None:
    with pytest.raises(CostoptError, match="no such configuration"):
        load_config(tmp_path / "missing.toml", tmp_path)
    with pytest.raises(CostoptError, match="cannot be read"):
        load_config(tmp_path, tmp_path)
    with pytest.raises(CostoptError, match=r"no \[tool.costopt\]"):
        load_config(write(tmp_path, "", "pyproject.toml"), tmp_path)


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    write(tmp_path, "\ufeff[costopt]\nseed = 4\n")
    assert load_config(None, tmp_path).defaults == {"seed": 4}
