"""The trend over runs as an SVG: bars for what each wrote, lines for what waits and fails after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.output.report.elements import Html, element

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plexsync.state import RunRecord

_WIDTH, _HEIGHT = 720, 180
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 8, 10, 24
_LEAST_POINTS = 2


def trend_plot(trend: Sequence[RunRecord]) -> Html:
    """Return the plot; "" for fewer than two runs."""
    if len(trend) < _LEAST_POINTS:
        return Html("")
    most = max(1, *(max(one.written, one.counts.review, one.counts.failed) for one in trend))
    step = (_WIDTH - _LEFT - _RIGHT) / len(trend)
    bars = [
        element(
            "rect",
            element("title", f"{one.run_id}: {one.written:,} written"),
            x=f"{_LEFT + at * step + step * 0.2:.1f}",
            y=f"{_y(one.written, most):.1f}",
            width=f"{step * 0.6:.1f}",
            height=f"{_HEIGHT - _BOTTOM - _y(one.written, most):.1f}",
            class_="written",
        )
        for at, one in enumerate(trend)
    ]
    last = trend[-1]
    words = (
        f"{len(trend)} runs. The last wrote {last.written:,}; after it {last.counts.review:,}"
        f" waited for a person and {last.counts.failed:,} failed."
    )
    svg = element(
        "svg",
        element("title", words),
        *_axis(most, trend),
        *bars,
        _line([one.counts.review for one in trend], most, step, "waiting"),
        _line([one.counts.failed for one in trend], most, step, "failed"),
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        role="img",
        aria_label=words,
        xmlns="http://www.w3.org/2000/svg",
    )
    keys = [("written", "items written"), ("waiting", "wait for a person"), ("failed", "failed")]
    legend = [element("span", text, class_=f"key {name}") for name, text in keys]
    return element("figure", svg, element("figcaption", *legend))


def _axis(most: int, trend: Sequence[RunRecord]) -> list[Html]:
    parts = []
    for value in dict.fromkeys((0, most // 2, most)):
        y = f"{_y(value, most):.1f}"
        parts += [
            element("line", x1=str(_LEFT), x2=str(_WIDTH - _RIGHT), y1=y, y2=y, class_="grid"),
            element("text", f"{value:,}", x=str(_LEFT - 6), y=y, class_="left"),
        ]
    last = str(_HEIGHT - 6)
    parts.append(element("text", trend[0].started_at[:10], x=str(_LEFT), y=last))
    parts.append(
        element("text", trend[-1].started_at[:10], x=str(_WIDTH - _RIGHT), y=last, class_="right")
    )
    return parts


def _line(values: Sequence[int], most: int, step: float, name: str) -> Html:
    points = [
        f"{_LEFT + (at + 0.5) * step:.1f} {_y(value, most):.1f}" for at, value in enumerate(values)
    ]
    return element("path", d="M" + " L".join(points), class_=name)


def _y(value: int, most: int) -> float:
    return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - value / most)
