"""Values are set in a file that people write, and nothing else in it changes."""

import tomllib
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.core.errors import CostoptError
from costopt.core.toml_writer import Noted, with_values

OWN = "from logs of"
VALUES = {
    "calls_per_month": Noted(20, f"{OWN} May, 19 requests", OWN),
    "cache_hit_rate": Noted(0.5, f"{OWN} May, 18 requests", OWN),
}
FILE = """\
# Ours.
[costopt]
target = "x"  # keep

[prompts."a.md"]   # mine
# about calls
calls_per_month = 10 # guess; by hand
feature="x"

# about b
[prompts."b/"]
margin = 0.05

[targets.z]
model = 'q'
"""


def test_a_table_that_is_there() -> None:
    assert with_values(FILE, ("prompts", "a.md"), VALUES) == FILE.replace(
        "calls_per_month = 10 # guess; by hand\n",
        "calls_per_month = 20 # from logs of May, 19 requests; guess; by hand\n",
    ).replace(
        'feature="x"\n', 'feature="x"\ncache_hit_rate = 0.5  # from logs of May, 18 requests\n'
    )


def test_a_table_that_is_new_comes_last() -> None:
    assert with_values(FILE, ("prompts", "c d.md"), VALUES) == FILE + (
        '\n[prompts."c d.md"]\n'
        "calls_per_month = 20  # from logs of May, 19 requests\n"
        "cache_hit_rate = 0.5  # from logs of May, 18 requests\n"
    )


def test_comments_of_its_own_are_replaced_and_others_kept() -> None:
    once = with_values(FILE, ("prompts", "a.md"), VALUES)
    assert with_values(once, ("prompts", "a.md"), VALUES) == once
    later = {"calls_per_month": Noted(30, f"{OWN} June, 29 requests", OWN)}
    twice = with_values(once, ("prompts", "a.md"), later)
    assert twice == once.replace("= 20 #", "= 30 #").replace(
        "May, 19 requests", "June, 29 requests"
    )


def test_keys_keep_their_spelling_and_lines_their_ends() -> None:
    text = '[prompts."a"]\r\ncalls-per-month = 1\r\n'
    found = with_values(text, ("prompts", "a"), VALUES)
    assert found.count("\r\n") == found.count("\n") == 3
    assert tomllib.loads(found)["prompts"]["a"] == {"calls-per-month": 20, "cache_hit_rate": 0.5}


@pytest.mark.parametrize(
    "text",
    [
        '[prompts."a"]\nx=1\n[t]\ny=1\n[prompts."b"]\nz=1',
        "prompts.a.x=1\n[z]\n",
        "[prompts]\na.x=1\nb={y=2}\n[z]\n",
        "prompts = {a = {x = 1}}\n",
        "[prompts]\n",
        "",
    ],
)
@pytest.mark.parametrize("name", ["a", "b", "new.md"])
def test_every_way_to_write_a_table_is_done_right_or_refused(text: str, name: str) -> None:
    expected = tomllib.loads(text)
    expected.setdefault("prompts", {}).setdefault(name, {}).update(
        {key: one.value for key, one in VALUES.items()}
    )
    if text.startswith("prompts = {") and name != "a":
        with pytest.raises(CostoptError, match="without changing something else"):
            with_values(text, ("prompts", name), VALUES)
    else:
        assert tomllib.loads(with_values(text, ("prompts", name), VALUES)) == expected


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
tables = st.dictionaries(names, st.dictionaries(names, st.integers(0, 9), max_size=3), max_size=4)


@given(tables, names, st.integers(0, 10**12), st.sampled_from(["\n", "\n\n# said\n", "  # said\n"]))
def test_nothing_else_changes(
    found: Mapping[str, Mapping[str, int]], name: str, value: int, end: str
) -> None:
    import tomlkit

    text = "".join(
        f"[prompts.{tomlkit.item(one).as_string()}]\n"
        + "".join(f"{tomlkit.item(key).as_string()} = {n}{end}" for key, n in values.items())
        for one, values in found.items()
    )
    noted = {"calls_per_month": Noted(value, f"{OWN} May", OWN)}
    written = with_values(text, ("prompts", name), noted)
    expected = {one: dict(values) for one, values in found.items()}
    expected.setdefault(name, {})["calls_per_month"] = value
    assert tomllib.loads(written) == {"prompts": expected}
    kept = iter(written.splitlines())
    assert all(line in kept for line in text.splitlines() if "calls_per_month" not in line)
    assert with_values(written, ("prompts", name), noted) == written
