"""The plot of `frontier.py`: tokens kept against the change of quality, a panel a set, as SVG."""

from collections.abc import Callable, Iterator, Sequence
from html import escape

from quality import Point
from sets import Set

_WIDE, _HIGH, _LEFT, _TOP, _GAP = 340, 240, 52, 34, 46
_COLOURS = ("#0b7a75", "#1d4ed8", "#7c3aed", "#c026d3", "#b45309", "#be123c", "#a16207", "#15803d",
            "#9f1239", "#64748b", "#0369a1", "#78350f", "#4d7c0f", "#6d28d9", "#57534e", "#db2777",
            "#0891b2", "#334155", "#ca8a04", "#059669")  # fmt: skip
_FLOOR = -2.5


Delta = Callable[[Set, Point, Point], float | None]
"""The change of a point against the full text; ``None`` where it was not measured."""


def _x(kept: float) -> float:
    return _LEFT + min(max(kept, 0.0), 1.05) / 1.05 * _WIDE


def _y(value: float, top: float) -> float:
    return _TOP + (top - max(value, _FLOOR)) / (top - _FLOOR) * _HIGH


def _panel(of: Set, points: Sequence[Point], colour: dict[str, str], delta: Delta) -> Iterator[str]:
    drawn = [(p, d) for p in points[2:] if (d := delta(of, points[0], p)) is not None]
    top = max([0.2, *(d + 0.1 for _, d in drawn)])
    yield f'<text x="{_LEFT}" y="{_TOP - 12}" class="h">{escape(of.name)}</text>'
    yield f'<rect x="{_LEFT}" y="{_TOP}" width="{_WIDE}" height="{_HIGH}" class="f"/>'
    for value in (0.0, -0.5, -1.0, -1.5, -2.0):
        y = _y(value, top)
        yield f'<line x1="{_LEFT}" x2="{_LEFT + _WIDE}" y1="{y:.1f}" y2="{y:.1f}" class="g"/>'
        yield f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" class="t e">{value:g}</text>'
    for kept in (0.0, 0.25, 0.5, 0.75, 1.0):
        yield f'<text x="{_x(kept):.1f}" y="{_TOP + _HIGH + 15}" class="t m">{kept:g}</text>'
    for method, shade in colour.items():
        own = sorted(((p.kept, d) for p, d in drawn if p.arm.method == method), reverse=True)
        own_class = "l" if method.startswith("costopt") else "l p"
        inside = shade if method.startswith("costopt") else "#fff"
        path = " ".join(f"{_x(k):.1f},{_y(d, top):.1f}" for k, d in own)
        if len(own) > 1:
            yield f'<polyline points="{path}" stroke="{shade}" class="{own_class}"/>'
        for k, d in own:
            title = escape(f"{method}: kept {k:.2f}, {d:+.2f} nats a token")
            yield (
                f'<circle cx="{_x(k):.1f}" cy="{_y(d, top):.1f}" r="3.5" fill="{inside}" '
                f'stroke="{shade}" stroke-width="1.5">'
                f"<title>{title}</title></circle>"
            )


def draw(panels: Sequence[tuple[Set, Sequence[Point]]], delta: Delta) -> str:
    """Return the plot of all sets that were measured; what is not ours is drawn hollow."""
    methods = list(dict.fromkeys(p.arm.method for _, points in panels for p in points[2:]))
    colour = {m: _COLOURS[i % len(_COLOURS)] for i, m in enumerate(methods)}
    across = min(3, len(panels))
    wide, high = _WIDE + _LEFT + _GAP, _HIGH + _TOP + _GAP
    down = -(-len(panels) // across)
    legend = -(-len(methods) // 3) * 18 + 40
    width, height = across * wide, down * high + legend
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="system-ui, sans-serif">',
        "<style>.h{font-size:14px;font-weight:600}.t{font-size:11px;fill:#555}.e{text-anchor:end}"
        ".m{text-anchor:middle}.f{fill:none;stroke:#999}.g{stroke:#ddd}.l{fill:none;"
        "stroke-width:1.6}.p{stroke-dasharray:4 3;stroke-width:1.2}</style>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for number, (of, points) in enumerate(panels):
        x, y = number % across * wide, number // across * high
        parts += [f'<g transform="translate({x},{y})">', *_panel(of, points, colour, delta), "</g>"]
    base = down * high
    parts.append(
        f'<text x="{_LEFT}" y="{base + 6}" class="t">across: tokens kept; up: change of the '
        f"right answers' log-probability, nats a token (below {_FLOOR:g} drawn there)</text>"
    )
    for number, method in enumerate(methods):
        x, y = _LEFT + number % 3 * (width - _LEFT) / 3, base + 28 + number // 3 * 18
        shade = colour[method]
        inside = shade if method.startswith("costopt") else "#fff"
        parts.append(
            f'<circle cx="{x:.0f}" cy="{y - 4}" r="4" fill="{inside}" stroke="{shade}" '
            'stroke-width="1.5"/>'
        )
        parts.append(f'<text x="{x + 10:.0f}" y="{y}" class="t">{escape(method)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
