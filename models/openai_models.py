"""What OpenAI's own models take, as pydantic-ai's table of them says; loaded where it is asked."""

from functools import cache

from .chat import Dialect


def dialect_of(model: str, effort: str | None, *, openai: bool) -> Dialect:
    """Return how a model's chat completions are asked for, at OpenAI and at other servers."""
    if not openai:
        return Dialect()
    return Dialect(limit="max_completion_tokens", temperature=takes_temperature(model, effort))


@cache
def takes_temperature(model: str, effort: str | None) -> bool:
    """Return whether the model takes a temperature at this effort: none does while it reasons.

    Args:
        model: OpenAI's name for it.
        effort: The reasoning effort that is asked for; ``None`` leaves it to the model.

    Example:
        >>> takes_temperature("gpt-4o-mini", None), takes_temperature("o3", None)
        (True, False)
    """
    from pydantic_ai.profiles.openai import openai_model_profile

    profile = openai_model_profile(model)
    if not profile.get("openai_supports_reasoning"):
        return True
    if not profile.get("openai_supports_reasoning_effort_none"):
        return False
    default = "medium" if profile.get("thinking_enabled_by_default") else "none"
    return (effort or default) == "none"


@cache
def takes_effort(model: str) -> bool:
    """Return whether the model reasons, as far as the table knows it.

    Example:
        >>> takes_effort("gpt-4o-mini"), takes_effort("gpt-5-mini")
        (False, True)
    """
    from pydantic_ai.profiles.openai import openai_model_profile

    return bool(openai_model_profile(model).get("openai_supports_reasoning"))
