"""Two drawings as plain ECharts options: price candles with the levels of our parts, and what the cycles added up to.

Pure: no JavaScript functions, times already written in the trader's zone, colours that hold on both themes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

GAIN, LOSS, FADED, LINE = "#18925f", "#d0444e", "#8d96a7", "#5e69d6"  #: readable on both themes
Json = dict[str, Any]


def moment(stamp: str | int | datetime) -> datetime:
    """A candle's time, whether it came as milliseconds or as ISO text."""
    if isinstance(stamp, datetime):
        return stamp
    text = str(stamp)
    return datetime.fromtimestamp(int(text) / 1000, UTC) if text.isdigit() else datetime.fromisoformat(text)


def candles(bars: Sequence[Mapping[str, Any]], levels: Mapping[str, Decimal], zone: ZoneInfo, places: int) -> Json:
    """Candles with one dashed line for each of `levels`; levels far outside stretch the axis no further than 3 %."""
    names = [moment(bar["t"]).astimezone(zone).strftime("%H:%M") for bar in bars]
    values = [[float(bar[name]) for name in ("o", "c", "l", "h")] for bar in bars]
    low, high = min(value[2] for value in values), max(value[3] for value in values)
    near = {name: float(level) for name, level in levels.items() if low * 0.97 <= float(level) <= high * 1.03}
    low, high = min([low, *near.values()]), max([high, *near.values()])
    margin = (high - low) * 0.06 or high * 0.001
    lines = [
        {
            "yAxis": level,
            "lineStyle": {"color": FADED, "type": "dashed", "width": 1},
            "label": {"formatter": f"{name} {level:,.{places}f}", "position": "insideStartTop", "color": FADED},
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


def running_total(points: Sequence[tuple[datetime, Decimal]], zone: ZoneInfo) -> Json:
    """A stepped line of the sum of `points` in time order."""
    total, names, values = Decimal(0), [], []
    for at, amount in points:
        total += amount
        names.append(at.astimezone(zone).strftime("%d %b %H:%M"))
        values.append(float(round(total, 2)))
    return {
        "animation": False,
        "grid": {"left": 8, "right": 8, "top": 12, "bottom": 4},
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "category", "data": names, "axisTick": {"show": False}},
        "yAxis": {"type": "value", "position": "right", "scale": True, "splitLine": {"lineStyle": {"opacity": 0.35}}},
        "series": [
            {
                "type": "line",
                "data": values,
                "step": "end",
                "symbol": "circle",
                "symbolSize": 5,
                "lineStyle": {"color": LINE, "width": 2},
                "itemStyle": {"color": LINE},
                "areaStyle": {"color": LINE, "opacity": 0.08},
            }
        ],
    }
