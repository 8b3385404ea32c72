"""A key is taken out of a text in whichever way it is written there."""

import base64
import doctest
import json
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.core import secrets
from costopt.core.secrets import HIDDEN, scrub

KEY = 'tok-9"/+\\%Zr4~tW=2kLmNN'
WRITTEN = {
    "raw": KEY,
    "percent": urllib.parse.quote(KEY, safe=""),
    "percent in lower case": urllib.parse.quote(KEY, safe="").replace("%5C", "%5c"),
    "json": json.dumps(KEY)[1:-1],
    "json of json": json.dumps(json.dumps(KEY))[3:-3],
    "repr": repr(KEY)[1:-1],
    "hex": KEY.encode().hex(),
    "beginning": KEY[:12],
    "its end hidden": KEY[:9] + "****",
    "base64": base64.b64encode(KEY.encode()).decode(),
    "base64 for addresses": base64.urlsafe_b64encode(KEY.encode()).decode(),
    "in a header": base64.b64encode(f"Bearer {KEY}".encode()).decode(),
    "in a pair": base64.b64encode(f"me:{KEY}".encode()).decode(),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_each_way_to_write_it(name: str) -> None:
    shown = scrub(f"before {WRITTEN[name]} after", KEY)
    assert shown == f"before {HIDDEN} after"


def test_what_is_remembered_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "_remembered", set[str]())
    assert scrub(f"a {KEY}") == f"a {KEY}"
    secrets.remember(KEY)
    secrets.remember("")
    assert scrub(f"a {KEY} b") == f"a {HIDDEN} b"


@pytest.mark.parametrize("key", ["", "x", "key", "ollama"])
def test_a_short_key_hides_itself_only(key: str) -> None:
    text = "an error at the server: no such model"
    assert scrub(text, key) == (text.replace(key, HIDDEN) if key else text)


@given(st.text(st.characters(codec="ascii", exclude_characters=" "), min_size=1), st.text())
def test_no_key_is_left(key: str, text: str) -> None:
    hidden = scrub(f"{text} {key} {text}", key)
    assert key in HIDDEN or key not in hidden.replace(HIDDEN, "")


@given(st.text())
def test_without_keys_nothing_changes(text: str) -> None:
    assert scrub(text, "0123456789-never-in-the-text") == text


def test_doctests() -> None:
    assert doctest.testmod(secrets).failed == 0
