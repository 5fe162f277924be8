"""Charts as plain ECharts options: price candles with the levels of our parts, and cumulative results.

Pure: no JavaScript functions, times already written in the trader's zone, colours that hold on both themes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from core.i18n.translate import number

GAIN, LOSS, FADED, LINE = "#18925f", "#d0444e", "#8d96a7", "#5e69d6"  #: readable on both themes
FEW_POINTS = 60
Json = dict[str, Any]


def moment(stamp: str | int | datetime) -> datetime:
    """Return a candle's time, whether it came as milliseconds or as ISO text."""
    if isinstance(stamp, datetime):
        return stamp
    text = str(stamp)
    return datetime.fromtimestamp(int(text) / 1000, UTC) if text.isdigit() else datetime.fromisoformat(text)


def candles(
    bars: Sequence[Mapping[str, Any]],
    levels: Mapping[str, Decimal],
    zone: ZoneInfo,
    places: int,
    colours: Mapping[str, str] | None = None,
    reach: float = 0.03,
) -> Json:
    """Return candles with one dashed line for each of `levels`; one further outside than `reach` (a share) is
    left out.
    """
    colours = colours or {}
    names = [moment(bar["t"]).astimezone(zone).strftime("%H:%M") for bar in bars]
    values = [[float(bar[name]) for name in ("o", "c", "l", "h")] for bar in bars]
    low, high = min(value[2] for value in values), max(value[3] for value in values)
    bottom, top = low * (1 - reach), high * (1 + reach)
    near = {name: float(level) for name, level in levels.items() if bottom <= float(level) <= top}
    low, high = min([low, *near.values()]), max([high, *near.values()])
    margin = (high - low) * 0.06 or high * 0.001
    apart, places_taken = (high - low) * 0.05, dict[str, list[float]]()
    lines = [
        {
            "yAxis": level,
            "lineStyle": {"color": colours.get(name, FADED), "type": "dashed", "width": 1},
            "label": {
                "formatter": f"{name} {number(levels[name], f',.{places}f')}",
                "position": _free_place(level, apart, places_taken),
                "color": colours.get(name, FADED),
            },
        }
        for name, level in near.items()
    ]
    return {
        "animation": False,
        "grid": {"left": 8, "right": 8, "top": 12, "bottom": 4},
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "cross"}},
        "xAxis": {"type": "category", "data": names, "axisTick": {"show": False}},
        "yAxis": {
            "type": "value",
            "position": "right",
            "min": round(low - margin, places),
            "max": round(high + margin, places),
            "axisLabel": {"showMinLabel": False, "showMaxLabel": False},
            "splitLine": {"lineStyle": {"opacity": 0.35}},
        },
        "series": [
            {
                "type": "candlestick",
                "data": values,
                "itemStyle": {"color": GAIN, "color0": LOSS, "borderColor": GAIN, "borderColor0": LOSS},
                "markLine": {"symbol": "none", "silent": True, "animation": False, "data": lines},
            }
        ],
    }


def _free_place(level: float, apart: float, taken: dict[str, list[float]]) -> str:
    """Return where along its line a label is not written over another one."""
    places = ("insideStartTop", "insideMiddleTop", "insideEndTop")
    free = (place for place in places if all(abs(other - level) > apart for other in taken.get(place, ())))
    place = next(free, places[-1])
    taken.setdefault(place, []).append(level)
    return place


def running_total(points: Sequence[tuple[datetime, Decimal]], zone: ZoneInfo) -> Json:
    """Return a stepped line of the sum of `points` in time order."""
    total, summed = Decimal(0), []
    for at, amount in points:
        total += amount
        summed.append((at, total))
    return curve(summed, zone, stepped=True)


def curve(points: Sequence[tuple[datetime, Decimal]], zone: ZoneInfo, *, stepped: bool = False) -> Json:
    """Return a line through `points` in time order; few of them are marked one by one."""
    return {
        "animation": False,
        "grid": {"left": 8, "right": 8, "top": 12, "bottom": 4},
        "tooltip": {"trigger": "axis"},
        "xAxis": {
            "type": "category",
            "data": [at.astimezone(zone).strftime("%d %b %H:%M") for at, _ in points],
            "axisTick": {"show": False},
        },
        "yAxis": {"type": "value", "position": "right", "scale": True, "splitLine": {"lineStyle": {"opacity": 0.35}}},
        "series": [
            {
                "type": "line",
                "data": [float(round(value, 2)) for _, value in points],
                "step": "end" if stepped else False,
                "symbol": "circle" if len(points) <= FEW_POINTS else "none",
                "symbolSize": 5,
                "lineStyle": {"color": LINE, "width": 2},
                "itemStyle": {"color": LINE},
                "areaStyle": {"color": LINE, "opacity": 0.08},
            }
        ],
    }
