"""Tables keep to their width: columns go first, then cells are cut."""

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from costopt.reports.table import Column, fit, pad, widths

TEXT = st.text(st.sampled_from("ab日é "), max_size=30)


@given(TEXT, st.integers(min_value=1, max_value=20), st.booleans())
def test_pad_gives_exactly_the_width(text: str, width: int, right: bool) -> None:
    assert cell_len(pad(text, width, right=right)) == width


@given(st.lists(TEXT, min_size=3, max_size=3), st.integers(min_value=40, max_value=100))
def test_what_fits_keeps_to_the_width(cells: list[str], width: int) -> None:
    name = Column(header="Name", cells=(cells[0],), shrinks=True, least=12)
    others = [Column(header=f"h{i}", cells=(cells[i],), rank=i) for i in (1, 2)]
    kept = fit([name, *others], width)
    sizes = widths(kept, width)
    assert sum(sizes) + 2 * max(len(sizes) - 1, 0) <= width


def test_the_highest_rank_goes_first() -> None:
    columns = [Column(header=str(rank), cells=("x" * 10,), rank=rank) for rank in (0, 2, 1)]
    assert [column.header for column in fit(columns, 22)] == ["0", "1"]
    assert [column.header for column in fit(columns, 11)] == ["0"]


def test_columns_without_anything_known_are_left_out() -> None:
    empty = Column(header="e", cells=("", "—"))
    full = Column(header="f", cells=("—", "1"))
    assert fit([empty, full], 80) == [full]
