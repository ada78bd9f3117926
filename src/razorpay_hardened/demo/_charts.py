"""Bar charts as inline SVG, by hour of the day. Colours are classes of ``report.css``; every text is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from math import ceil
from typing import Final, NamedTuple

from razorpay_hardened.demo.day import DAY_S
from razorpay_hardened.demo.telling import clock_time

__all__ = ["Series", "chart"]


class Series(NamedTuple):
    """Counts by hour. ``style`` names the colour in the style sheet."""

    style: str
    label: str
    counts: Sequence[int]


_WIDTH: Final = 520
_HEIGHT: Final = 176
_LEFT: Final = 34
_TOP: Final = 10
_BOTTOM: Final = 150


def chart(title: str, series: Sequence[Series], *, stacked: bool = True, marks: Series | None = None) -> str:
    """Bars by hour, with a legend, and ``marks`` above them; the numbers are in tooltips and in the table below."""
    hours = len(series[0].counts)
    columns = list(zip(*(one.counts for one in series), strict=True))
    top = _nice(max((sum(column) if stacked else max(column) for column in columns), default=0))
    slot = (_WIDTH - _LEFT - 6) / hours
    drawn = [_grid(top), _closing(slot, hours)]
    for hour in range(hours):
        left = _LEFT + hour * slot
        drawn.append(_hour_label(left + slot / 2, hour, hours))
        drawn.extend(_stack(series, hour, left, slot, top) if stacked else _beside(series, hour, left, slot, top))
        if marks is not None and marks.counts[hour]:
            drawn.append(_marks(marks, hour, left + slot / 2, slot, _y(sum(one.counts[hour] for one in series), top)))
    named = [*series, *([marks] if marks is not None else [])]
    legend = "".join(f"<li><i class={one.style}></i>{escape(one.label)}</li>" for one in named)
    return (
        f"<figure><figcaption>{escape(title)}</figcaption><ul class=legend>{legend}</ul>"
        f"<svg viewBox='0 0 {_WIDTH} {_HEIGHT}' role=img aria-label='{escape(title)}, by hour'>{''.join(drawn)}</svg>"
        "</figure>"
    )


def _nice(highest: int) -> int:
    """The top of the scale: even, so that its half is whole."""
    step = 2
    while highest > step * 5:
        step *= 2 if str(step).startswith("2") else 5  # 2, 4, 20, 40, 200 …
    return max(step, ceil(highest / step) * step)


def _y(value: float, top: int) -> float:
    return _BOTTOM - (_BOTTOM - _TOP) * value / top


def _grid(top: int) -> str:
    lines = (
        f"<line class=grid x1={_LEFT} x2={_WIDTH} y1={_y(value, top):.1f} y2={_y(value, top):.1f} />"
        f"<text class=tick x={_LEFT - 6} y={_y(value, top) + 4:.1f} text-anchor=end>{value}</text>"
        for value in (0, top // 2, top)
    )
    return "".join(lines)


def _closing(slot: float, hours: int) -> str:
    """A line where the shop closes."""
    at = _LEFT + slot * DAY_S / 3600
    if hours <= DAY_S / 3600:
        return ""
    return (
        f"<line class=closing x1={at:.1f} x2={at:.1f} y1={_TOP} y2={_BOTTOM} />"
        f"<text class=tick x={at + 4:.1f} y={_TOP + 8}>closed</text>"
    )


def _hour_label(x: float, hour: int, hours: int) -> str:
    if hours > 16 and hour % 2:
        return ""
    return f"<text class=tick x={x:.1f} y={_BOTTOM + 17} text-anchor=middle>{clock_time(hour * 3600)[:2]}</text>"


def _stack(series: Sequence[Series], hour: int, left: float, slot: float, top: int) -> Iterable[str]:
    base = 0
    for one in series:
        count = one.counts[hour]
        yield _bar(one, hour, left + slot * 0.14, slot * 0.72, _y(base + count, top), _y(base, top))
        base += count


def _beside(series: Sequence[Series], hour: int, left: float, slot: float, top: int) -> Iterable[str]:
    width = slot * 0.8 / len(series)
    for place, one in enumerate(series):
        x = left + slot * 0.1 + place * width
        yield _bar(one, hour, x, width - 1, _y(one.counts[hour], top), _y(0, top))


def _bar(series: Series, hour: int, x: float, width: float, upper: float, lower: float) -> str:
    if lower - upper <= 0:
        return ""
    told = f"{clock_time(hour * 3600)}: {series.counts[hour]} {series.label}"
    return (
        f"<rect class={series.style} x={x:.1f} y={upper:.1f} width={width:.1f} height={lower - upper:.1f}>"
        f"<title>{escape(told)}</title></rect>"
    )


def _marks(series: Series, hour: int, x: float, slot: float, above: float) -> str:
    """A triangle for each, side by side, pointing at the hour; five at most, and the tooltip has the number."""
    shown = min(series.counts[hour], 5)
    step = min(10.0, (slot - 2) / shown)
    first = x - step * (shown - 1) / 2
    y = max(above - 12, 1)
    shapes = "".join(f"M{first + step * place - 4.5:.1f} {y:.1f}h9l-4.5 9z" for place in range(shown))
    told = f"{clock_time(hour * 3600)}: {series.counts[hour]} {series.label}"
    return f"<path class={series.style} d='{shapes}'><title>{escape(told)}</title></path>"
