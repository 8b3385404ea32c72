"""Strategies of other packages, found through the entry point group ``costopt.strategies``.

A package declares ``NAME = "module:Class"`` in that group. Names are read from the metadata of
what is installed; a plugin's module is imported only when the list of all strategies, or that one,
is asked for. A plugin that cannot be used takes nothing else down with it.
"""

import re
import sys
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from .base import Strategy

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["GROUP", "Plugin", "class_problem", "plugins"]

GROUP = "costopt.strategies"
_NEEDS = frozenset({"counter", "model", "lengths", "samples"})


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """A strategy that another package declares.

    Attributes:
        name: The name in the package's entry point.
        package: The package's name and version.
    """

    name: str
    package: str
    point: "EntryPoint"

    def load(self) -> type[Strategy] | str:
        """Import the class; return it, or why it cannot be used."""
        try:
            found: Any = self.point.load()
        except (Exception, SystemExit) as error:  # whatever a module does when it is imported
            return f"it cannot be imported: {type(error).__name__}: {error}"
        problem = class_problem(found)
        if problem is None and found.name != self.name:
            problem = f"its class calls itself {found.name!r}"
        return problem or found


def plugins() -> tuple[Plugin, ...]:
    """Return what installed packages declare, by package and name; none of it is imported."""
    return _declared(tuple(sys.path))


@cache
def _declared(path: tuple[str, ...]) -> tuple[Plugin, ...]:
    from importlib.metadata import entry_points

    del path  # what is installed depends on it
    found = [Plugin(name=p.name, package=_package(p), point=p) for p in entry_points(group=GROUP)]
    return tuple(sorted(found, key=lambda plugin: (plugin.package, plugin.name)))


def _package(point: "EntryPoint") -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else "an unnamed package"


def class_problem(cls: object) -> str | None:
    """Return what keeps a class from being a usable strategy, or ``None``.

    Example:
        >>> class_problem(int)
        'it is no subclass of costopt.compressors.Strategy'
    """
    if not (isinstance(cls, type) and issubclass(cls, Strategy)):
        return "it is no subclass of costopt.compressors.Strategy"
    told = {key: getattr(cls, key, None) for key in ("name", "code", "side", "safety", "summary")}
    if not _matches(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", told["name"]):
        return f"its name is not kebab-case: {told['name']!r}"
    if not _matches(r"CO\d{3}", told["code"]):
        return f"its code is not CO and three digits: {told['code']!r}"
    if told["side"] not in ("input", "output") or told["safety"] not in ("lossless", "lossy"):
        return "its side must be input or output, and its safety lossless or lossy"
    if not (isinstance(told["summary"], str) and told["summary"] and told["summary"].isprintable()):
        return "its summary is not one printable line"
    return _parts_problem(cls)


def _matches(pattern: str, value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(pattern, value, re.ASCII) is not None


def _parts_problem(cls: type[Strategy]) -> str | None:
    if not isinstance(cls.needs, frozenset) or not cls.needs <= _NEEDS:
        return f"needs must be a frozenset of {', '.join(sorted(_NEEDS))}"
    if not isinstance(cls.rewrites, frozenset):
        return "rewrites must be a frozenset"
    for part in cls.rewrites:
        known = _matches(r"[a-z]+", part) and find_spec(f"{__package__}.guard_{part}") is not None
        if not known:
            return f"the guard has no check of the part {part!r} that it rewrites"
    return None
