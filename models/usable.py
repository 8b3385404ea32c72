"""Whether a target could be asked, looked up without asking it or fetching anything."""

import os

from ..core.configured import Config, TargetConfig
from .targets import EMBEDDED, hosted
from .weights import weights_path


def why_unusable(name: str, config: Config, *, offline: bool) -> str | None:
    """Say what a target lacks to be asked: a key, or weights; ``None`` where it lacks nothing.

    Raises:
        CostoptError: it is no target that is known.
    """
    found = config.targets.get(name) or TargetConfig(name=name, model=name)
    if EMBEDDED in (name, found.model):
        if offline and weights_path() is None:
            return "the embedded model's weights are not here, and --offline fetches none"
        return None
    variable = found.api_key_env
    if found.base_url is None:
        variable = variable or hosted(found)[0].key_env
    if variable is None or os.environ.get(variable, "").strip():
        return None
    return f"{variable} is not set"
