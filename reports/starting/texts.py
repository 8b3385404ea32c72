"""The files that `costopt init` writes, filled in for a project."""

import re
from collections.abc import Sequence
from pathlib import Path

_TEMPLATES = Path(__file__).parent / "templates"
_DEFAULT = ("prompts/",)


def config_text(folders: Sequence[str]) -> str:
    """Return ``costopt.toml`` for the folders that hold prompts."""
    none = (
        "" if folders else "# No folder of prompts was found: put yours in the place of prompts/.\n"
    )
    tables = "\n".join(_table(folder) for folder in folders or _DEFAULT)
    return _template("costopt.toml").replace("@PROMPTS@\n", f"\n{none}{tables}\n")


def _table(folder: str) -> str:
    return f'''[prompts."{folder}"]
# A pull request may make a prompt this much longer, as a fraction.
max_growth = 0.10
# What turns costs into money a month, and sums prompts up by feature.
# calls_per_month = 100000
# feature = "support"
# Limits for one prompt: in tokens, or in USD.
# max_input_tokens = 2000
# max_usd_per_1k = 1.50
# max_usd_per_month = 300
# How much quality may be lost for a saving, in the metric's own unit.
# margin = 0.05
'''


def workflow_text(name: str, folders: Sequence[str], version: str) -> str:
    """Return a CI file: ``costopt.yml``, ``costopt-comment.yml`` or ``gitlab.yml``.

    Example:
        >>> "costopt==1.2.3" in workflow_text("costopt.yml", ["prompts/"], "1.2.3")
        True
    """
    indent = "      " if name == "gitlab.yml" else "            "
    paths = "\n".join(indent + folder.removesuffix("/") for folder in folders or _DEFAULT)
    return _template(name).replace("@PATHS@", paths).replace("@VERSION@", version)


def hook_text(folders: Sequence[str], version: str) -> str:
    """Return the entry of a pre-commit configuration, as an item of its ``repos``."""
    places = "|".join(re.escape(folder) for folder in folders or _DEFAULT)
    files = rf"'^({places}|costopt\.(toml|lock)$)'"
    text = _template("pre-commit.yaml")
    return text.replace("@FILES@", files).replace("@VERSION@", version)


def _template(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")
