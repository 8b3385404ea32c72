"""Fills the templates of this folder; the one door through which text comes into a page.

Whatever a prompt, a row or an answer holds is text in the page, and never anything else: the
templates escape all that they print, control and direction characters are written as escapes, and
the page's policy forbids every script, style, image, font and connection but its own two blocks.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from ..safe import visible_lines

_COMMAND = re.compile(r"^(\s*)::", re.MULTILINE)


def render(template: str, **view: object) -> str:
    """Return a template of this folder as a page.

    Args:
        template: The file's name.
        view: What it prints, by name.
    """
    import minijinja

    environment = minijinja.Environment(
        loader=_own,
        auto_escape_callback=lambda _: True,
        undefined_behavior="strict",
        trim_blocks=True,
        lstrip_blocks=True,
    )
    own = {"style": _own("style.css"), "script": _own("script.js"), "policy": policy()}
    return _unheard(environment.render_template(template, **_map(view), **own))


def policy() -> str:
    """Return the page's Content-Security-Policy: nothing but its own style and script."""
    return (
        f"default-src 'none'; style-src '{_digest('style.css')}'; "
        f"script-src '{_digest('script.js')}'; img-src data:; base-uri 'none'; form-action 'none'"
    )


def _digest(name: str) -> str:
    found = hashlib.sha256(_own(name).encode()).digest()
    return f"sha256-{base64.b64encode(found).decode()}"


@cache
def _own(name: str) -> str:
    return (files(__package__ or "") / name).read_text("utf-8")


def plain(value: object) -> Any:  # noqa: ANN401 (what templates take)
    r"""Return a view as mappings, lists and harmless text.

    Example:
        >>> plain({"name": ("a\u202eb", 1)})
        {'name': ['a\\u202eb', 1]}
    """
    if isinstance(value, str):
        return visible_lines(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return _map(value)
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if is_dataclass(value):
        return {item.name: plain(getattr(value, item.name)) for item in fields(value)}
    raise TypeError(f"a page cannot show a {type(value).__name__}")


def _map(value: Mapping[Any, object]) -> dict[str, Any]:
    return {str(key): plain(item) for key, item in value.items()}


def _unheard(page: str) -> str:
    """Return a page that a CI log would not obey, should it be printed there: it says the same."""
    return _COMMAND.sub(r"\1&#58;:", page).replace("##[", "##&#91;")
