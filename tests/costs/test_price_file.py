from decimal import Decimal
from pathlib import Path

import pytest

from costopt.core.errors import CostoptError
from costopt.costs.price_file import read_prices


def test_tables_by_model(tmp_path: Path) -> None:
    file = tmp_path / "contract.toml"
    file.write_text(
        '["openai:gpt-5.4-mini"]\ninput = 0.6\ncache-read = 0.06\n\n[my-server]\noutput = "2.10"\n'
    )
    assert read_prices(file) == {
        "openai:gpt-5.4-mini": {"input": Decimal("0.6"), "cache_read": Decimal("0.06")},
        "my-server": {"output": Decimal("2.10")},
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no prices in this file"),
        ("[a]\n", 'the table "a" has no price'),
        ("a = 1\n", r"\[a\] must be a table"),
        ("[a]\ninputs = 1\n", 'unknown key "inputs"'),
        ("[a]\ninput = -1\n", "an amount of 0 or more"),
        ("[a]\ninput = nan\n", "an amount of 0 or more"),
        ("[a]\nusd_per_hour = 1\n", 'unknown key "usd_per_hour"'),
        ("[a\n", "broken TOML"),
    ],
)
def test_what_is_no_price_is_named_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "p.toml"
    file.write_text(text)
    with pytest.raises(CostoptError, match=said) as error:
        read_prices(file)
    assert error.value.where is not None
    assert error.value.where.path.endswith("p.toml")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(CostoptError, match="no such"):
        read_prices(tmp_path / "none.toml")
