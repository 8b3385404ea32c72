"""Targets by name."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from costopt.core.config import load_config
from costopt.core.configured import Config, TargetConfig
from costopt.core.errors import CostoptError
from costopt.core.progress import Silent
from costopt.core.protocols import CAPABILITIES, Target
from costopt.models.providers import PROVIDERS, Provider
from costopt.models.targets import declared, open_target, target_names

LOCAL = TargetConfig(name="local", model="llama3.2", base_url="http://127.0.0.1:9/v1")


def config(*targets: TargetConfig) -> Config:
    return Config(targets={target.name: target for target in targets})


def opened(name: str, *targets: TargetConfig) -> Target:
    return open_target(name, config(*targets), offline=True, progress=Silent())


def test_a_configured_server() -> None:
    target = opened("local", LOCAL)
    assert (target.name, target.model) == ("local", "llama3.2")
    assert target.identity["base_url"] == "http://127.0.0.1:9/v1"


def test_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "costopt.toml").write_text(
        '[targets.mine]\nmodel = "m"\nbase_url = "http://127.0.0.1:9/v1/"\n'
    )
    found = load_config(None, tmp_path)
    target = open_target("mine", found, offline=True, progress=Silent())
    assert target.identity["base_url"] == "http://127.0.0.1:9/v1"


def test_an_unknown_name_has_a_nearest_one() -> None:
    with pytest.raises(CostoptError, match='no target "locla"') as caught:
        opened("locla", LOCAL)
    assert '"local"' in str(caught.value.hint)
    with pytest.raises(CostoptError) as caught:
        opened("embeded")
    assert '"embedded"' in str(caught.value.hint)


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("openai:gpt-4.1-mini", "OPENAI_API_KEY"),
        ("anthropic:claude-haiku-4-5", "ANTHROPIC_API_KEY"),
    ],
)
def test_who_it_is_can_be_said_without_a_key(
    monkeypatch: pytest.MonkeyPatch, name: str, variable: str
) -> None:
    """By that its stored answers are found, where nobody is asked."""

    def identity(*, asked: bool) -> dict[str, Any]:
        target = open_target(name, Config(), offline=True, progress=Silent(), asked=asked)
        return dict(target.identity)

    with pytest.raises(CostoptError, match=f"{variable} is not set"):
        identity(asked=True)
    without = identity(asked=False)
    monkeypatch.setenv(variable, "sk-test")
    assert identity(asked=True) == without


def test_who_the_embedded_one_is_can_be_said_without_its_weights(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    target = open_target("embedded", Config(), offline=True, progress=Silent(), asked=False)
    assert target.identity["model"] == target.model
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_names() -> None:
    assert target_names(config(LOCAL)) == ("embedded", "local")


def test_a_hosted_one_needs_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CostoptError, match="OPENAI_API_KEY is not set"):
        opened("openai:gpt-4o-mini")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    target = opened("openai:gpt-4o-mini")
    assert target.model == "gpt-4o-mini"
    # Its default key goes to its own endpoint, whatever another variable says.
    assert target.identity["base_url"] == "https://api.openai.com/v1"
    assert (target.counter.tokenizer, target.counter.exact) == ("o200k_base", True)


def test_a_hosted_one_with_a_name_and_a_variable_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = TargetConfig(name="team", model="openai:gpt-4o-mini", api_key_env="TEAM_KEY")
    with pytest.raises(CostoptError, match="TEAM_KEY is not set"):
        opened("team", found)
    monkeypatch.setenv("TEAM_KEY", "sk-team")
    assert opened("team", found).model == "gpt-4o-mini"


@pytest.mark.parametrize("name", ["anthropc:claude-haiku-4-5", "openai:", ":x", "llama3:8b"])
def test_what_cannot_be_reached_names_what_can(name: str) -> None:
    with pytest.raises(CostoptError) as caught:
        opened(name)
    assert "openai:MODEL" in str(caught.value.hint)
    assert "base_url" in str(caught.value.hint)


def test_the_nearest_provider_is_named() -> None:
    with pytest.raises(CostoptError) as caught:
        opened("anthropc:claude-haiku-4-5")
    assert '"anthropic"' in str(caught.value.hint)


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS.keys())
def test_every_provider_needs_its_own_key_and_goes_to_its_own_address(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    if provider.key_env is not None and provider.name != "bedrock":
        monkeypatch.delenv(provider.key_env, raising=False)
        with pytest.raises(CostoptError, match=f"{provider.key_env} is not set"):
            opened(f"{provider.name}:some-model")
    if provider.key_env is not None:
        monkeypatch.setenv(provider.key_env, "key-of-my-own")
    target = opened(f"{provider.name}:some-model")
    assert isinstance(target, Target)
    assert target.identity["base_url"] == provider.endpoint
    assert target.model == "some-model"
    assert "generate" in target.capabilities
    assert target.capabilities <= set(CAPABILITIES)


def test_every_provider_s_extra_is_one_of_the_package() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    needed = {provider.extra for provider in PROVIDERS.values() if provider.extra}
    assert needed <= set(extras)
    for whole in ("test", "all"):
        (own,) = (text for text in extras[whole] if text.startswith("costopt["))
        assert needed <= set(own.removeprefix("costopt[").removesuffix("]").split(","))


def test_what_a_model_of_openai_can_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    assert "effort" in opened("openai:gpt-5-mini").capabilities
    assert "effort" not in opened("openai:gpt-4o-mini").capabilities
    assert {"batch", "json_schema", "prompt_cache"} <= opened("openai:gpt-4o-mini").capabilities


def test_what_a_server_of_one_s_own_can_do_is_declared(tmp_path: Path) -> None:
    (tmp_path / "costopt.toml").write_text(
        '[targets.mine]\nmodel = "m"\nbase_url = "http://127.0.0.1:9/v1"\n'
        'capabilities = ["json_schema", "effort"]\n'
        '[targets.silent]\nmodel = "m"\nbase_url = "http://127.0.0.1:9/v1"\n'
    )
    found = load_config(None, tmp_path)
    target = open_target("mine", found, offline=True, progress=Silent())
    assert target.capabilities == {"generate", "json_schema", "effort"}
    assert declared("mine", found)
    assert not declared("silent", found)
    assert declared("embedded", found)
    assert declared("anthropic:m", found)
    assert not declared("openrouter:m", found)


def test_another_endpoint_never_gets_the_default_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    target = opened("local", LOCAL)
    assert target._key() is None  # type: ignore[attr-defined]


def test_offline_without_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(CostoptError, match="fetching is forbidden"):
        opened("embedded")


def test_unknown_models_are_counted_by_an_estimate_that_says_so() -> None:
    counter = opened("local", LOCAL).counter
    assert counter("one two three") > 0
    odd = TargetConfig(name="odd", model="my-own-finetune", base_url="http://127.0.0.1:9/v1")
    assert not opened("odd", odd).counter.exact
