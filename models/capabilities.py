"""What a prompt asks of a target beside text: said before anything is sent."""

from dataclasses import dataclass

from ..core.types import GenerationSettings

LEFT_OUT = frozenset({"seed", "effort"})
"""What is left out of a request to a target that does not take it."""


@dataclass(frozen=True, kw_only=True)
class Fit:
    """How a prompt's settings fit a target."""

    cannot: str | None = None
    """Why no answer would be worth its money; ``None`` where all that matters is there."""
    notes: tuple[str, ...] = ()
    """What is left out or not known, and does not stand in the way."""


def fit(
    settings: GenerationSettings, target: str, capabilities: frozenset[str], *, declared: bool
) -> Fit:
    """Say whether a target can do what a prompt's settings ask for.

    A schema or tools that a target does not know would change the answers: nothing is sent. An
    effort or a seed only makes them less exact: it is left out, and that is noted. A server that
    has declared nothing is sent all of it as it stands, since it may well know it.

    Args:
        settings: The prompt's own.
        target: What the user calls the target.
        capabilities: `Target.capabilities`.
        declared: Whether these are known, or only what is taken for granted.

    Example:
        >>> asked = GenerationSettings(effort="low", response_schema={"type": "object"})
        >>> fit(asked, "mine", frozenset({"generate"}), declared=True).cannot
        'the prompt asks for a response schema (json_schema), which the target "mine" cannot do'
        >>> fit(asked, "mine", frozenset({"generate", "json_schema"}), declared=True).notes
        ('the target "mine" takes no effort: it is left out',)
    """
    missing = [name for name in _asked(settings) if name not in capabilities]
    if not declared:
        return Fit(notes=(_unknown(missing, target),) if missing else ())
    fatal = [f"{_WORDS[name]} ({name})" for name in missing if name in _WORDS]
    if fatal:
        asked = " and ".join(fatal)
        return Fit(cannot=f'the prompt asks for {asked}, which the target "{target}" cannot do')
    return Fit(
        notes=tuple(f'the target "{target}" takes no {name}: it is left out' for name in missing)
    )


_WORDS = {"json_schema": "a response schema", "tools": "tools"}


def _asked(settings: GenerationSettings) -> list[str]:
    asked = {
        "json_schema": settings.response_schema is not None,
        "tools": bool(settings.tools),
        "effort": settings.effort is not None,
        "seed": settings.seed is not None,
    }
    return [name for name, wanted in asked.items() if wanted]


def _unknown(missing: list[str], target: str) -> str:
    names = ", ".join(missing)
    return (
        f'nothing says whether the target "{target}" takes {names}: it is sent as it stands; '
        f"say what it can do as capabilities = […] under [targets.{target}]"
    )
