"""The recovery ladder as a headline, a table, a chart and its notes. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from core.domain.intent import Recovery
from core.i18n.translate import _
from core.services.trading.preview import MOST_STEPS, Ladder, LadderEnd
from core.ui.presenters.charts import FADED, GAIN, LINE, LOSS
from core.ui.presenters.format import NOTHING, places_of, price, quantity, signed, usdt

Row = dict[str, str]


def headline(found: Ladder) -> str:
    """Return the worst loss, in one sentence."""
    if not found.rungs:
        return ""
    if found.worst_loss is None:
        return _("If everything goes wrong, nothing but the liquidation limits what you lose.")
    loss = usdt(-found.worst_loss)
    if found.end is LadderEnd.CUT and found.worst_share is not None:
        return _(
            "If everything goes wrong you lose **{loss} USDT** ({share} % of equity) by step {n}, and the fees of "
            "each further step.",
            loss=loss,
            share=usdt(-found.worst_share),
            n=found.steps,
        )
    if found.worst_share is None:
        return _("If everything goes wrong you lose **{loss} USDT**.", loss=loss)
    return _(
        "If everything goes wrong you lose **{loss} USDT** ({share} % of equity).",
        loss=loss,
        share=usdt(-found.worst_share),
    )


def without_end(found: Ladder, rule: Recovery | None) -> str:
    """Return a warning where nothing limits the number of steps; empty where a limit or the stop-loss does."""
    if rule is None or rule.max_steps is not None or found.end is LadderEnd.STOP_FIRST:
        return ""
    return _(
        "**No limit of steps:** while PnL is under {trigger} USDT, one of {add} USDT follows every {n} s, for as long "
        "as margin and your limits allow.",
        trigger=signed(rule.trigger_pnl, 0),
        add=usdt(rule.add_notional, 0),
        n=quantity(Decimal(int(rule.pause.total_seconds()))),
    )


def table(found: Ladder, tick: Decimal) -> list[Row]:
    """Return one row for the entry and one for each step."""
    return [
        {
            _("Step"): _("Entry") if not rung.number else str(rung.number),
            _("Price"): price(rung.at if rung.number else rung.fill, tick),
            _("Adds"): quantity(rung.added),
            _("Contracts"): quantity(rung.contracts),
            _("Average"): price(rung.average, tick),
            _("Take-profit"): price(rung.take_profit, tick),
            _("Stop-loss"): price(rung.stop_loss, tick),
            _("Margin"): usdt(rung.margin),
            _("Liquidation"): price(rung.liquidation, tick),
            _("Fees"): signed(rung.fees),
            _("If the stop hits"): signed(rung.loss) if rung.loss is not None else NOTHING,
        }
        for rung in found.rungs
    ]


def notes(found: Ladder, rule: Recovery | None) -> list[str]:
    """Return why the ladder ends where it ends, and what is easily overlooked."""
    ends = {
        LadderEnd.OFF: _("Recovery is off for this position."),
        LadderEnd.MAX_STEPS: _("It ends after the steps that are allowed at most."),
        LadderEnd.STOP_FIRST: _("It ends where the stop-loss is met before the next step."),
        LadderEnd.MAX_LOSS: _("It ends where the loss is larger than recovery may try to recover."),
        LadderEnd.MARGIN: _("It ends where no margin is free for another step."),
        LadderEnd.LIMITS: _("It ends where your own limits on orders refuse the next step."),
        LadderEnd.TOO_SMALL: _("It ends because one step is less than the smallest order."),
        LadderEnd.WORTHLESS: _("No price gets to the trigger."),
        LadderEnd.CUT: _("Only the first {n} steps are shown: nothing limits their number.", n=MOST_STEPS),
    }
    said = [ends[found.end]]
    if found.standing and rule is not None:
        seconds = quantity(Decimal(int(rule.pause.total_seconds())))
        said.append(
            _(
                "A step moves the average and not the PnL: where the price stands still, the next one follows "
                "after {n} s at the same price.",
                n=seconds,
            )
        )
    if found.rungs:
        said.append(_("Losses count the stop, all fees and the spread of now; slippage and funding come on top."))
    return said


def chart(found: Ladder, tick: Decimal) -> dict[str, Any]:
    """Return average, target and stop over the steps, with the contracts held as bars behind them."""
    places = places_of(tick)
    names = [_("Entry") if not rung.number else str(rung.number) for rung in found.rungs]
    lines = (
        (_("Take-profit"), [rung.take_profit for rung in found.rungs], GAIN, "solid"),
        (_("Average"), [rung.average for rung in found.rungs], LINE, "solid"),
        (_("Price"), [rung.at for rung in found.rungs], FADED, "dashed"),
        (_("Stop-loss"), [rung.stop_loss for rung in found.rungs], LOSS, "solid"),
    )
    known = [level for _name, levels, _colour, _kind in lines for level in levels if level is not None]
    low, high = float(min(known)), float(max(known))
    margin = (high - low) * 0.08 or high * 0.001
    series: list[dict[str, Any]] = [
        {
            "name": _("Contracts"),
            "type": "bar",
            "yAxisIndex": 1,
            "data": [float(rung.contracts) for rung in found.rungs],
            "itemStyle": {"color": FADED, "opacity": 0.22},
            "barMaxWidth": 26,
        }
    ]
    series += [
        {
            "name": name,
            "type": "line",
            "data": [None if level is None else float(round(level, places)) for level in levels],
            "symbolSize": 5,
            "lineStyle": {"color": colour, "width": 2, "type": kind},
            "itemStyle": {"color": colour},
        }
        for name, levels, colour, kind in lines
    ]
    return {
        "animation": False,
        "grid": {"left": 8, "right": 8, "top": 34, "bottom": 4},
        "legend": {"top": 0, "icon": "roundRect", "itemWidth": 12, "itemHeight": 4},
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "category", "data": names, "axisTick": {"show": False}},
        "yAxis": [
            {
                "type": "value",
                "position": "right",
                "min": round(low - margin, places),
                "max": round(high + margin, places),
                "axisLabel": {"showMinLabel": False, "showMaxLabel": False},
                "splitLine": {"lineStyle": {"opacity": 0.35}},
            },
            {"type": "value", "show": False, "min": 0, "max": float(found.rungs[-1].contracts) * 2.5},
        ],
        "series": series,
    }
