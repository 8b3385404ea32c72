"""The areas of the treemap: as large as what they stand for, side by side, and nearly square."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.reports.html.usage.squarify import Rect, squarify
from costopt.reports.html.usage.treemap import fitting, treemap
from costopt.usage.slots import FeatureCost, ModelCost, OverTime

PAGE = Rect(3, 5, 960, 420)
VALUES = st.lists(st.floats(0.001, 1000), min_size=1, max_size=40).map(
    lambda values: sorted(values, reverse=True)
)


@given(values=VALUES)
def test_areas_are_as_large_as_their_values(values: list[float]) -> None:
    rects = squarify(values, PAGE)
    scale = PAGE.width * PAGE.height / sum(values)
    for value, rect in zip(values, rects, strict=True):
        assert rect.width * rect.height == pytest.approx(value * scale, rel=1e-6)


@given(values=VALUES)
def test_they_lie_in_the_page_and_on_no_other(values: list[float]) -> None:
    rects = squarify(values, PAGE)
    for at, one in enumerate(rects):
        assert one.x >= PAGE.x - 1e-6
        assert one.y >= PAGE.y - 1e-6
        assert one.x + one.width <= PAGE.x + PAGE.width + 1e-6
        assert one.y + one.height <= PAGE.y + PAGE.height + 1e-6
        for other in rects[at + 1 :]:
            wide = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
            high = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
            assert wide <= 1e-6 or high <= 1e-6


def test_equal_values_are_nearly_square() -> None:
    for rect in squarify([1.0] * 24, PAGE):
        assert 0.4 < rect.width / rect.height < 2.5


@pytest.mark.parametrize("page", [Rect(0, 0, 0, 10), Rect(0, 0, 10, 0)])
def test_where_there_is_no_room_nothing_is_drawn(page: Rect) -> None:
    assert [rect.width * rect.height for rect in squarify([2, 1], page)] == [0, 0]


@given(text=st.text(max_size=40), wide=st.floats(0, 300))
def test_what_is_cut_begins_as_the_text_does(text: str, wide: float) -> None:
    found = fitting(text, wide)
    assert found in ("", text) or (
        found.endswith("…") and text.startswith(found[:-1]) and len(found) <= len(text)
    )


def test_a_log_without_any_cost_has_no_areas() -> None:
    none = FeatureCost(
        feature="a", usd=None, requests=1, models=(ModelCost(model="m", usd=None, requests=1),)
    )
    found = OverTime(step="day", slots=(), features=(none,), rest=None, untimed=0, untimed_usd=None)
    assert treemap(found) is None
