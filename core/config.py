"""Configuration: ``costopt.toml``, or ``[tool.costopt]`` in ``pyproject.toml``.

Tables: ``[costopt]`` holds defaults for command-line options, ``[targets.NAME]`` the models to
run against, ``[prompts."GLOB"]`` what is known about prompts and their budgets, ``[features.NAME]``
what features may cost, ``[check]`` what a check fails on. In ``pyproject.toml`` the defaults stand
in ``[tool.costopt]`` itself.
"""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from .configured import Config, PromptRule, TargetConfig, matches
from .errors import CostoptError, nearest
from .protocols import CAPABILITIES
from .toml_reader import Check, TomlFile, flag, money, number, read_toml, text, texts, whole

FILE_NAME = "costopt.toml"

DEFAULTS: Mapping[str, Check] = {
    "target": texts,
    "strategy": texts,
    "eval_set": text,
    "metric": text,
    "judge": text,
    "repeats": whole(1),
    "samples": whole(1),
    "margin": number(0),
    "max_cost": money,
    "max_requests": whole(0),
    "max_minutes": number(0),
    "search": text,
    "concurrency": whole(1),
    "suggest_targets": flag,
    "attribute": flag,
    "engine": text,
    "workers": whole(1),
    "ray_address": text,
    "static": flag,
    "lossless": flag,
    "offline": flag,
    "batch": flag,
    "wait": flag,
    "run_dir": text,
    "seed": whole(0),
    "format": text,
    "quiet": flag,
    "no_color": flag,
}
"""Options that may have a default. ``write`` and ``output`` may not: a file of a repository
should not decide which files of its reader are written."""


def _capabilities(value: object) -> frozenset[str]:
    """Return what a server of one's own can do; log-likelihoods have no common way there."""
    known = tuple(name for name in CAPABILITIES if name != "loglikelihood")
    found = texts(value)
    if not set(found) <= set(known):
        raise ValueError(f"a list of {', '.join(known)}")
    return frozenset(found) | {"generate"}


_TARGET: Mapping[str, Check] = {
    "model": text,
    "base_url": text,
    "api_key_env": text,
    "concurrency": whole(1),
    "requests_per_minute": number(0.001),
    "price": lambda value: value,
    "batch_price": lambda value: value,
    "usd_per_hour": money,
    "priced_as": text,
    "capabilities": _capabilities,
}
_PRICE: Mapping[str, Check] = dict.fromkeys(
    ("input", "cache_read", "cache_write", "output", "usd_per_hour"), money
)
_BATCH_PRICE = {key: check for key, check in _PRICE.items() if key != "usd_per_hour"}
_RULE: Mapping[str, Check] = {
    "feature": text,
    "calls_per_month": whole(0),
    "cache_hit_rate": number(0, 1),
    "output_tokens_per_call": number(0),
    "batch": flag,
    "margin": number(0),
}
_BUDGETS: Mapping[str, Check] = {
    "max_input_tokens": whole(0),
    "max_output_tokens": whole(0),
    "max_usd_per_1k": money,
    "max_usd_per_month": money,
    "max_growth": number(0),
    "max_latency_p95_s": number(0),
    "min_quality": number(-1e9),
}
BUDGETS = tuple(_BUDGETS)
"""The budgets of a prompt, in the order in which they are looked at."""
_CHECK: Mapping[str, Check] = {"fail_on": texts}
_FEATURE: Mapping[str, Check] = {"usd_per_month": money, "max_wait_s": number(0)}
_USAGE_COLUMNS: tuple[str, ...] = (
    "timestamp",
    "request_id",
    "provider",
    "model",
    "feature",
    "endpoint",
    "prompt",
    "revision",
    "customer",
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "latency_s",
    "latency_ms",
    "error",
    "status",
    "retry",
    "batch",
    "cost",
    "request_key",
    "prefix_blocks",
    "block_tokens",
    "text",
    "cache_write_1h_tokens",
    "answer",
)
_SECTIONS = ("costopt", "targets", "prompts", "features", "check", "usage")


def load_config(path: Path | None, cwd: Path) -> Config:
    """Read the named configuration, or the one found from ``cwd`` upwards.

    The search ends at the root of the git repository; outside of one only ``cwd`` itself is
    looked at, so that a file in a shared parent folder does not take effect. ``costopt.toml``
    goes before ``pyproject.toml``.

    Raises:
        CostoptError: unreadable, broken TOML, an unknown key (with the nearest known one), or
            a value of a wrong type; with the line, where it can be found.
    """
    found = path if path is not None else _find(cwd)
    if found is None:
        return Config()
    file = read_toml(found)
    if found.name == "pyproject.toml":
        return _from_pyproject(file, found)
    for key in file.data:
        if key not in _SECTIONS:
            hint = _section_hint(key, file.data[key])
            raise file.error(f'unknown table "{key}"', (), key, hint)
    return _config(file, found, (), dict(file.data))


def _section_hint(key: str, value: object) -> str:
    if key.replace("-", "_") in DEFAULTS and not isinstance(value, dict):
        return f'defaults of options belong under [costopt]: write [costopt] above "{key}"'
    return nearest(key, _SECTIONS)


def _from_pyproject(file: TomlFile, path: Path) -> Config:
    tool = file.data.get("tool")
    section = tool.get("costopt") if isinstance(tool, dict) else None
    if section is None:
        hint = "add the table [tool.costopt]"
        raise CostoptError("no [tool.costopt] in this file", where=file.where(()), hint=hint)
    if not isinstance(section, dict):
        raise file.error("[tool.costopt] must be a table", ("tool",), "costopt")
    data = {key: section[key] for key in _SECTIONS[1:] if key in section}
    data["costopt"] = {key: value for key, value in section.items() if key not in data}
    return _config(file, path, ("tool", "costopt"), data)


def _find(cwd: Path) -> Path | None:
    folders = _up_to_repository(cwd.resolve())
    for folder in folders:
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
        project = folder / "pyproject.toml"
        if project.is_file() and mentions_costopt(project):
            return project
    return None


def _up_to_repository(cwd: Path) -> list[Path]:
    folders: list[Path] = []
    for folder in (cwd, *cwd.parents):
        folders.append(folder)
        if (folder / ".git").exists():
            return folders
    return [cwd]


def mentions_costopt(project: Path) -> bool:
    """Return whether a ``pyproject.toml`` has a table of costopt's."""
    # Somebody else's broken pyproject.toml is no reason to stop.
    try:
        data = read_toml(project).data
    except CostoptError:
        return False
    tool = data.get("tool")
    return isinstance(tool, dict) and "costopt" in tool


def _config(file: TomlFile, path: Path, prefix: tuple[str, ...], data: Mapping[str, Any]) -> Config:
    defaults_section = prefix or ("costopt",)
    defaults = file.values(data.get("costopt", {}), defaults_section, DEFAULTS)
    return Config(
        defaults=_rooted(defaults, path.parent),
        targets=_targets(file, (*prefix, "targets"), data.get("targets", {})),
        prompts=_rules(file, (*prefix, "prompts"), data.get("prompts", {})),
        usage_columns=_usage_columns(file, (*prefix, "usage"), data.get("usage", {})),
        features=_features(file, (*prefix, "features"), data.get("features", {})),
        waits=_of_features(file, (*prefix, "features"), data.get("features", {}), "max_wait_s"),
        fail_on=_fail_on(file, (*prefix, "check"), data.get("check", {})),
        path=path,
    )


def _rooted(defaults: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Take relative paths as relative to the configuration, not to the current folder."""
    for key in ("run_dir", "eval_set"):
        value = defaults.get(key)
        if value is not None and not value.startswith("hf:"):
            defaults[key] = str(folder / value)
    return defaults


def _tables(file: TomlFile, section: tuple[str, ...], data: object) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise file.error(f"[{'.'.join(section)}] must be a table", section[:-1], section[-1])
    return data


def _targets(file: TomlFile, section: tuple[str, ...], data: object) -> dict[str, TargetConfig]:
    return {
        name: _target(file, (*section, name), name, found)
        for name, found in _tables(file, section, data).items()
    }


def _target(file: TomlFile, section: tuple[str, ...], name: str, data: object) -> TargetConfig:
    values = file.values(data, section, _TARGET)
    if "price" in values:
        price = file.values(values["price"], (*section, "price"), _PRICE)
        hourly = price.pop("usd_per_hour", None)
        if hourly is not None:
            values["usd_per_hour"] = hourly
        values["price"] = price or None
    if "batch_price" in values:
        found = file.values(values["batch_price"], (*section, "batch_price"), _BATCH_PRICE)
        values["batch_price"] = found or None
    if values.get("base_url") is not None and "model" not in values:
        hint = 'add the name that the server knows it by: model = "…"'
        raise file.error(f'target "{name}" has a base_url but no model', section, None, hint)
    _check_url(file, section, values.get("base_url"))
    return TargetConfig(name=name, **values)


def _check_url(file: TomlFile, section: tuple[str, ...], url: str | None) -> None:
    if url is not None and not url.startswith(("http://", "https://")):
        hint = "such as http://localhost:11434/v1"
        raise file.error("base_url must begin with http:// or https://", section, "base_url", hint)


def _rules(file: TomlFile, section: tuple[str, ...], data: object) -> tuple[PromptRule, ...]:
    rules: list[PromptRule] = []
    for glob, found in _tables(file, section, data).items():
        values = file.values(found, (*section, glob), {**_RULE, **_BUDGETS})
        _check_glob(file, section, glob)
        rules.append(PromptRule(glob=glob, **values))
    return tuple(rules)


def _check_glob(file: TomlFile, section: tuple[str, ...], glob: str) -> None:
    try:
        matches(glob, "a")
    except ValueError:
        hint = "globs are those of .gitignore: prompts/, *.md, prompts/**/faq.*"
        raise file.error(f'"{glob}" is no valid glob', (*section, glob), None, hint) from None


def _fail_on(file: TomlFile, section: tuple[str, ...], data: object) -> tuple[str, ...]:
    codes: tuple[str, ...] = file.values(data, section, _CHECK).get("fail_on", ())
    return codes


def _usage_columns(file: TomlFile, section: tuple[str, ...], data: object) -> dict[str, str]:
    values = file.values(data, section, {"columns": lambda value: value})
    columns: dict[str, Check] = dict.fromkeys(_USAGE_COLUMNS, text)
    return file.values(values.get("columns", {}), (*section, "columns"), columns)


def _features(file: TomlFile, section: tuple[str, ...], data: object) -> dict[str, Decimal]:
    return _of_features(file, section, data, "usd_per_month")


def _of_features(
    file: TomlFile, section: tuple[str, ...], data: object, key: str
) -> dict[str, Any]:
    found = {
        name: file.values(values, (*section, name), _FEATURE)
        for name, values in _tables(file, section, data).items()
    }
    return {name: values[key] for name, values in found.items() if key in values}
