import contextlib
import re
import subprocess
import sys

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.compressors import registry
from costopt.compressors.pages import page
from costopt.compressors.registry import build, entries, entry, get, parse_spec
from costopt.core.errors import CostoptError
from costopt.core.types import StrategySpec


def test_codes_and_names_are_unique():
    assert len({e.code for e in entries()}) == len({e.name for e in entries()}) == len(entries())


def test_a_chain_is_read_with_typed_parameters():
    specs = parse_spec("filler + token-budget:tokens=40,rate=0.5+concise:style=bullets")
    assert specs == (
        StrategySpec("filler"),
        StrategySpec("token-budget", {"tokens": 40, "rate": 0.5}),
        StrategySpec("concise", {"style": "bullets"}),
    )
    assert parse_spec("whitespace:hard_breaks=yes")[0].params == {"hard_breaks": True}
    assert parse_spec("token-budget:tokens=none")[0].params == {"tokens": None}
    assert parse_spec("CO210") == (StrategySpec("filler"),)


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ("whitspace", "unknown strategy 'whitspace'", "whitespace"),
        ("CO3244", "unknown strategy 'CO3244'", '"CO324"'),
        ("zzz", "unknown strategy 'zzz'", "costopt strategies"),
        ("", "empty part", "+"),
        ("filler++none", "empty part", "+"),
        ("token-budget:tokns=4", "no parameter 'tokns'", '"tokens"'),
        ("filler:x=1", "no parameter 'x'", "none"),
        ("token-budget:tokens", "not key=value", "key=value"),
        ("token-budget:tokens=many", "must be of type int", "CO403"),
        ("whitespace:hard_breaks=maybe", "must be of type bool", "CO101"),
        ("token-budget:rate=3", "The 'rate' parameter of token-budget must be in (0, 1], got 3.0",
         "CO403"),
        ("concise:style=rude", "one of plain", "CO402"),
        ("max-tokens:slack=0.5", "at least 1", "CO404"),
        ("repeated-rule:similarity=0.2", "(0.5, 1]", "CO203"),
    ],
)  # fmt: skip
def test_errors_name_what_is_wrong(text, what, hint):
    with pytest.raises(CostoptError) as caught:
        parse_spec(text)
    assert what in caught.value.what
    assert hint in caught.value.hint


@given(st.text(max_size=30))
def test_any_chain_is_read_or_refused(text):
    with contextlib.suppress(CostoptError):
        assert all(entry(spec.name) for spec in parse_spec(text))


def test_building_checks_parameters():
    assert build(StrategySpec("token-budget", {"tokens": 3})) == get("token-budget", tokens=3)
    with pytest.raises(CostoptError, match="no parameter"):
        get("filler", speed=1)


@pytest.mark.parametrize(
    ("name", "params", "says"),
    [
        ("sentences", {"rate": "half"}, "must be of type float, got 'half'"),
        ("sentences", {"rate": None}, "must be of type float, got None"),
        ("sentences", {"rate": float("inf")}, "must be of type float, got inf"),
        ("sentences", {"rate": 10**400}, "must be of type float"),
        ("sentences", {"rate": True}, "must be of type float, got True"),
        ("sentences", {"rate": float("nan")}, "'rate'"),
        ("sentences", {"rate": 1.5}, "above 0 and at most 1, got 1.5"),
        ("sentences", {"rte": 0.5}, "has no parameter 'rte'"),
        ("sentences", {"on": 3}, "must be of type str | None"),
        ("history", {"first": 1.5}, "must be of type int"),
        ("token-budget", {"tokens": float("inf")}, "must be of type int | None"),
        ("concise", {"style": ["plain"]}, "must be of type str"),
        ("data-format", {"formats": 7}, "must be of type str"),
        ("whitespace", {"hard_breaks": "yes"}, "must be of type bool"),
    ],
)
def test_a_program_is_told_what_a_parameter_must_be(name, params, says):
    with pytest.raises(CostoptError, match=re.escape(says)) as caught:
        get(name, **params)
    assert caught.value.hint


def test_numbers_of_other_libraries_are_numbers():
    assert get("sentences", rate=numpy.float64(0.5)) == get("sentences", rate=0.5)
    assert get("history", first=numpy.int64(2)) == get("history", first=2)
    assert get("sentences", rate=1) == get("sentences", rate=1.0)


def test_a_missing_extra_is_named(monkeypatch):
    def missing(name):
        raise ImportError("no torch")

    monkeypatch.setattr(registry.importlib, "import_module", missing)
    with pytest.raises(CostoptError) as caught:
        get("llmlingua")
    assert "costopt[llmlingua]" in caught.value.hint


def test_nothing_heavy_is_imported():
    code = (
        "import sys; import costopt.compressors.variants as v; from costopt.compressors import "
        "registry; registry.entries(); registry.parse_spec('filler'); "
        "bad = {'torch', 'transformers', 'rapidfuzz', 'numpy', 'minijinja'} & set(sys.modules); "
        "assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", [e.name for e in entries() if e.extra is None])
def test_every_page_has_its_headings_and_a_live_example(name):
    text = page(entry(name))
    for heading in ("What it does", "What it can break", "Example", "Parameters", "Safety"):
        assert f"\n## {heading}\n\n" in text
    assert "Before:" in text
    assert all(f"`{key}` (default" in text for key in get(name).get_params())


def test_the_page_shows_what_the_strategy_does():
    text = page(entry("filler"))
    assert "Read the ticket carefully, because details matter. Never guess." in text
    assert "from 512 to 50" in page(entry("max-tokens"))
