"""The plot's ticks and labels."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.reports.html.axes import steps as round_steps
from costopt.reports.html.labels import CHARACTER, LINE, Box, Label, place

PAGE = Box(60, 10, 740, 350)


def _box(label: Label) -> Box:
    wide = CHARACTER * len(label.text)
    left = label.x if label.anchor == "start" else label.x - wide
    return Box(left, label.y - 4 - LINE / 2, left + wide, label.y - 4 + LINE / 2)


def test_labels_of_one_heap_do_not_collide() -> None:
    points = [(300.0 + 3 * at, 180.0 + 2 * at) for at in range(6)]
    marks = [Box(x - 6, y - 6, x + 6, y + 6) for x, y in points]
    boxes = [_box(one) for one in place(["a variant"] * 6, points, marks, PAGE)]
    for at, one in enumerate(boxes):
        assert all(one.covers(other) < 1 for other in boxes[at + 1 :])


@given(
    st.lists(
        st.tuples(st.floats(60, 740, width=16), st.floats(10, 350, width=16)),
        min_size=1, max_size=12,
    )
)  # fmt: skip
def test_every_point_has_a_label_near_it(points: list[tuple[float, float]]) -> None:
    labels = place([f"{at} name" for at in range(len(points))], points, [], PAGE)
    assert [label.text for label in labels] == [f"{at} name" for at in range(len(points))]
    for (x, y), label in zip(points, labels, strict=True):
        assert abs(label.x - x) < 20
        assert abs(label.y - y) < 90


@pytest.mark.parametrize(
    ("low", "high", "steps"),
    [
        (0.0, 1.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (-0.13, 0.09, [-0.1, -0.05, 0.0, 0.05]),
        (600, 2400, [1000, 1500, 2000]),
    ],
)
def test_ticks_are_round(low: float, high: float, steps: list[float]) -> None:
    assert round_steps(low, high, 6) == pytest.approx(steps)
