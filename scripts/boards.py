"""Writes the Grafana dashboards of deploy/grafana/dashboards: a panel is a line here, and the JSON is never edited.

`python scripts/boards.py`; a test compares what lies there with what this makes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "deploy" / "grafana" / "dashboards"
SOURCE = {"type": "prometheus", "uid": "prometheus"}
WIDTH = 24
MONEY = "suffix: USDT"
Json = dict[str, Any]

A = 'account=~"$account"'
P = f'{A},symbol=~"$symbol"'
S = f'{P},strategy_id=~"$strategy"'
GREEN, ORANGE, RED = "green", "orange", "red"
LEVELS = ("run", "no new entries", "no added risk", "reduce only", "flatten")


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel: its queries with the words of their legends, and how it is drawn."""

    title: str
    kind: str  #: stat | timeseries | bargauge | table
    queries: tuple[tuple[str, str], ...]
    unit: str = "short"
    words: str = ""
    steps: tuple[tuple[float, str], ...] = ()  #: from this value on in this colour
    names: tuple[str, ...] = ()  #: of the values 0, 1, 2, ...
    spread: bool = False  #: the query gives the buckets of a histogram
    wide: int = 8
    high: int = 8


def stat(title: str, query: str, unit: str = "short", words: str = "", **more: Any) -> Panel:
    return Panel(title, "stat", ((query, ""),), unit, words, wide=4, high=4, **more)


def lines(title: str, *queries: tuple[str, str], unit: str = "short", words: str = "", wide: int = 8) -> Panel:
    return Panel(title, "timeseries", queries, unit, words, wide=wide)


def bars(title: str, query: str, legend: str, unit: str = "short", words: str = "", **more: Any) -> Panel:
    return Panel(title, "bargauge", ((query, legend),), unit, words, **more)


def gained(series: str, labels: str, by: str = "", span: str = "$__range", more: str = "") -> str:
    """Return the query for how much counters have grown in the span that is shown."""
    grouped = f" by ({by})" if by else ""
    return f"sum{grouped} (increase({series}{{{labels}{more}}}[{span}]))"


def hits(leg: str, by: str = "", span: str = "$__range") -> str:
    return gained(f"tradeengine_strategy_{leg}_triggered_total", S, by, span)


def hit_rate(leg: str, by: str = "", span: str = "$__range") -> str:
    return f"{hits(leg, by, span)} / ({hits('tp', by, span)} + {hits('sl', by, span)})"


def quantile(share: float, series: str, labels: str, by: str = "", span: str = "$__rate_interval") -> str:
    grouped = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, sum by ({grouped}) (rate({series}_bucket{{{labels}}}[{span}])))"


def mean(series: str, labels: str, by: str, span: str = "$__range") -> str:
    return " / ".join(f"sum by ({by}) (rate({series}_{of}{{{labels}}}[{span}]))" for of in ("sum", "count"))


WON, LOST = (f"perpdeck_{of}_usdt_total" for of in ("won", "lost"))
CYCLES, WINS = "perpdeck_cycles_total", ',result="won"'
NET = f"sum by (%s) ({WON}{{{S}}}) - sum by (%s) ({LOST}{{{S}}})"
SENT = gained("perpdeck_orders_sent_total", A)
ZERO_OK = ((0, GREEN), (0.5, RED))

STRATEGIES = (
    stat("Cycles ended", gained(CYCLES, S)),
    stat("Win rate", f"({gained(CYCLES, S, more=WINS)} or vector(0)) / {gained(CYCLES, S)}", "percentunit",
         "Cycles with a result above zero, after fees and funding."),
    stat("TP hit rate", hit_rate("tp"), "percentunit", "Of the pairs set off, those whose take-profit filled.",
         steps=((0, RED), (0.4, GREEN))),
    stat("SL hit rate", hit_rate("sl"), "percentunit"),
    stat("Profit factor", f"{gained(WON, S)} / {gained(LOST, S)}", words="USDT won for each USDT lost."),
    stat("Result", f"{gained(WON, S)} - {gained(LOST, S)}", MONEY, "After fees and funding."),
    lines("Result by strategy, since the beginning", (NET % ("strategy_id", "strategy_id"), "{{strategy_id}}"),
          unit=MONEY, wide=12),
    lines("Result by contract, since the beginning", (NET % ("symbol", "symbol"), "{{symbol}}"),
          unit=MONEY, wide=12),
    bars("Distribution of results", gained("tradeengine_strategy_pnl_realized_bucket", S, "le"), "{{le}}",
         words="Ended cycles by their result in USDT; each bar counts up to its own name.", spread=True, wide=12),
    lines("Median result",
          (quantile(0.5, "tradeengine_strategy_pnl_realized", S, "strategy_id", "$__range"), "{{strategy_id}}"),
          unit=MONEY, wide=12),
    bars("TP hit rate by strategy", hit_rate("tp", "strategy_id"), "{{strategy_id}}", "percentunit",
         steps=((0, RED), (0.4, GREEN))),
    bars("TP hit rate by contract", hit_rate("tp", "symbol"), "{{symbol}}", "percentunit",
         steps=((0, RED), (0.4, GREEN))),
    bars("How cycles ended", gained(CYCLES, S, "close_reason"), "{{close_reason}}"),
    lines("Fees and funding, since the beginning",
          (f'sum by (of) (perpdeck_result_usdt{{{S},of=~"fees|funding"}})', "{{of}}"), unit=MONEY,
          words="Negative is paid."),
    lines("Fees by strategy, since the beginning",
          (f'sum by (strategy_id) (perpdeck_result_usdt{{{S},of="fees"}})', "{{strategy_id}}"), unit=MONEY),
    bars("Recovery steps", gained("perpdeck_recoveries_total", S, "strategy_id"), "{{strategy_id}}"),
    bars("Reopenings", gained("perpdeck_reopens_total", S, "strategy_id"), "{{strategy_id}}"),
    bars("Cycles without an entry", gained("perpdeck_cycles_not_entered_total", S, "strategy_id"), "{{strategy_id}}"),
    Panel("By strategy and contract", "table", (
        (gained(CYCLES, S, "strategy_id, symbol"), "cycles"),
        (NET % ("strategy_id, symbol", "strategy_id, symbol"), "result"),
    ), words="Cycles in the time shown; result since the beginning, USDT.", wide=24),
)  # fmt: skip

PROTECTION = (
    stat("Parts held", f"sum(perpdeck_parts_held{{{A}}})"),
    stat("Without their stop", f"sum(perpdeck_parts_unprotected{{{A}}})", steps=ZERO_OK),
    stat("Bare by now", f"max(perpdeck_unprotected_seconds{{{A}}})", "s", steps=((0, GREEN), (10, RED))),
    stat("Left over", f"sum(perpdeck_orphan_orders{{{A}}})", words="Targets and stops that rest without anything held.",
         steps=ZERO_OK),
    stat("Outcome not known", f"sum(perpdeck_unresolved_commands{{{A}}})", steps=ZERO_OK),
    stat("Differences", f"sum(perpdeck_differences{{{A}}})", steps=ZERO_OK,
         words="What exchange and book disagree about."),
    lines("Active pairs per position",
          (f"tradeengine_active_oco_pairs_per_position{{{P}}}", "{{account}} {{symbol}} {{position_side}}"), wide=12),
    lines("Parts without a pair per position", (
        f"perpdeck_parts_per_position{{{P}}} - tradeengine_active_oco_pairs_per_position{{{P}}}",
        "{{account}} {{symbol}} {{position_side}}"), wide=12),
    lines("Bare seconds", (f"perpdeck_unprotected_seconds{{{A}}}", "{{account}} by now"),
          (f"perpdeck_unprotected_seconds_today{{{A}}}", "{{account}} today"), unit="s"),
    lines("Orders that should not be there", (f"perpdeck_orphan_orders{{{A}}}", "{{account}} left over"),
          (f"perpdeck_foreign_orders{{{A}}}", "{{account}} foreign")),
    lines("Age of what is open", (f"perpdeck_unresolved_age_seconds{{{A}}}", "{{account}} outcome not known"),
          (f"perpdeck_orphan_orders_age_seconds{{{A}}}", "{{account}} left over"),
          (f"perpdeck_reopen_overdue_seconds{{{A}}}", "{{account}} reopening overdue"), unit="s"),
    lines("Contracts of nobody", (f"perpdeck_residual_contracts{{{P}}}", "{{account}} {{symbol}} {{position_side}}"),
          words="What the exchange holds beyond our parts."),
    lines("Unrealised PnL", (f"perpdeck_unrealised_usdt{{{P}}}", "{{account}} {{symbol}} {{position_side}}"),
          unit=MONEY),
    lines("Conditional orders", (f"perpdeck_conditional_orders_used{{{A}}}", "{{account}} used"),
          (f"perpdeck_conditional_orders_limit{{{A}}}", "{{account}} limit")),
    bars("Pairs placed", gained("tradeengine_strategy_oco_placed_total", P, "symbol"), "{{symbol}}", wide=6),
    bars("Take-profits filled", gained("tradeengine_strategy_tp_triggered_total", P, "symbol"), "{{symbol}}", wide=6),
    bars("Stop-losses filled", gained("tradeengine_strategy_sl_triggered_total", P, "symbol"), "{{symbol}}", wide=6),
    bars("Slippage of exits, mean",
         mean("perpdeck_slippage_bp", f'{A},purpose=~"take_profit|stop_loss"', "purpose"), "{{purpose}}",
         words="Basis points that fills were worse than the trigger.", wide=6),
    lines("Reopenings", (f"perpdeck_reopens_overdue{{{A}}}", "{{account}} overdue"), wide=12),
    lines("From an end to the next cycle, p90",
          (quantile(0.9, "perpdeck_reopen_delay_seconds", A, "account", "$__range"), "{{account}}"), unit="s", wide=12),
)  # fmt: skip

OPERATIONS = (
    stat("Bots running", f"sum(perpdeck_bot_running{{{A}}})"),
    stat("Right to act held", f"sum(perpdeck_lease_held{{{A}}})"),
    stat("Level", f"max(perpdeck_level{{{A}}})", names=LEVELS, steps=((0, GREEN), (1, ORANGE), (3, RED))),
    stat("Age of the picture", f"max(perpdeck_picture_age_seconds{{{A}}})", "s", steps=((0, GREEN), (30, RED))),
    stat("Streams connected", f"sum(perpdeck_stream_connected{{{A}}})"),
    stat("Alerts firing", 'count(ALERTS{alertstate="firing"}) or vector(0)', steps=ZERO_OK),
    lines("Equity", (f"perpdeck_equity_usdt{{{A}}}", "{{account}}"),
          (f"perpdeck_available_usdt{{{A}}}", "{{account}} free"),
          (f"perpdeck_margin_used_usdt{{{A}}}", "{{account}} margin"), unit=MONEY),
    lines("Drawdown and loss of the day", (f"perpdeck_drawdown_ratio{{{A}}}", "{{account}} drawdown"),
          (f"perpdeck_daily_loss_ratio{{{A}}}", "{{account}} today"), unit="percentunit"),
    lines("Level and switch", (f"perpdeck_level{{{A}}}", "{{account}} level"),
          (f"perpdeck_bot_running{{{A}}}", "{{account}} running"),
          (f"perpdeck_lease_held{{{A}}}", "{{account}} right to act")),
    lines("Length of a pass", (quantile(0.5, "perpdeck_loop_seconds", A, "account"), "{{account}} p50"),
          (quantile(0.99, "perpdeck_loop_seconds", A, "account"), "{{account}} p99"), unit="s"),
    lines("Passes a second",
          (f"sum by (account) (rate(perpdeck_loop_seconds_count{{{A}}}[$__rate_interval]))", "{{account}}"),
          (f"sum by (account) (rate(perpdeck_loop_failures_total{{{A}}}[$__rate_interval]))", "{{account}} failed")),
    lines("Ages", (f"perpdeck_picture_age_seconds{{{A}}}", "{{account}} picture"),
          (f"perpdeck_stream_age_seconds{{{A}}}", "{{account}} stream"),
          (f"perpdeck_heartbeat_age_seconds{{{A}}}", "{{account}} sign of life"), unit="s"),
    lines("Request limits used",
          (f"topk(10, perpdeck_requests_used{{{A}}} / perpdeck_requests_limit{{{A}}})", "{{account}} {{endpoint}}"),
          unit="percentunit"),
    bars("Refusals by code", gained("perpdeck_orders_refused_total", A, "code"), "{{code}}"),
    lines("Refused, lost and filled, of what was sent", *(
        (f"({gained(f'perpdeck_orders_{what}_total', A)} or vector(0)) / {SENT}", what)
        for what in ("refused", "lost", "filled")), unit="percentunit"),
    lines("Orders sent",
          (gained("perpdeck_orders_sent_total", A, "purpose", "$__rate_interval"), "{{purpose}}")),
    lines("From order to answer", (quantile(0.5, "perpdeck_order_answer_seconds", A, "account", "$__range"),
          "{{account}} p50"), (quantile(0.99, "perpdeck_order_answer_seconds", A, "account", "$__range"),
          "{{account}} p99"), unit="s"),
    lines("From order to last fill, p90",
          (quantile(0.9, "perpdeck_execution_seconds", A, "purpose", "$__range"), "{{purpose}}"), unit="s"),
    bars("Slippage by purpose, mean", mean("perpdeck_slippage_bp", A, "purpose"), "{{purpose}}",
         words="Basis points; positive is worse than decided."),
    bars("Executions", gained("perpdeck_fills_total", A, "liquidity"), "{{liquidity}}"),
    bars("Risk checks", gained("perpdeck_risk_checks_total", A, "check, result"), "{{check}} {{result}}"),
    bars("Open alarms", f"sum by (kind) (perpdeck_alarms_open{{{A}}})", "{{kind}}"),
    bars("Right to act taken", f"max by (account) (perpdeck_lease_epoch{{{A}}})", "{{account}}",
         words="How often since the account is known."),
    lines("Perpdeck itself", ('rate(process_cpu_seconds_total{job="perpdeck"}[$__rate_interval])', "processor"),
          ("perpdeck_read_seconds", "reading the metrics, seconds"), unit="none"),
    lines("Memory", ('process_resident_memory_bytes{job="perpdeck"}', "dashboard"), unit="bytes"),
)  # fmt: skip

BOARDS = {
    "strategies": ("Strategy performance", STRATEGIES, ("account", "strategy", "symbol"), "now-7d"),
    "protection": ("OCO and protection", PROTECTION, ("account", "symbol"), "now-6h"),
    "operations": ("Operations", OPERATIONS, ("account",), "now-6h"),
}
ASKED = {
    "account": "label_values(perpdeck_level, account)",
    "strategy": "label_values(tradeengine_strategy_oco_placed_total, strategy_id)",
    "symbol": "label_values(tradeengine_strategy_oco_placed_total, symbol)",
}


def board(name: str) -> Json:
    """Return one dashboard as Grafana reads it."""
    title, panels, variables, since = BOARDS[name]
    return {
        "uid": f"perpdeck-{name}",
        "title": f"Perpdeck: {title}",
        "tags": ["perpdeck"],
        "timezone": "",
        "editable": False,
        "schemaVersion": 38,
        "version": 1,
        "refresh": "15s",
        "graphTooltip": 1,
        "time": {"from": since, "to": "now"},
        "templating": {"list": [_variable(one) for one in variables]},
        "links": [{"type": "dashboards", "tags": ["perpdeck"], "title": "Perpdeck", "asDropdown": False,
                   "includeVars": True, "keepTime": True, "targetBlank": False, "icon": "external link",
                   "tooltip": "", "url": ""}],
        "annotations": {"list": []},
        "panels": list(_placed(panels)),
    }  # fmt: skip


def _variable(name: str) -> Json:
    return {
        "name": name,
        "label": name.capitalize(),
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": ASKED[name], "refId": name},
        "definition": ASKED[name],
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
    }


def _placed(panels: Sequence[Panel]) -> Iterable[Json]:
    """Yield panels placed from left to right, and on the next row where there is no room."""
    left = top = high = 0
    for number, panel in enumerate(panels, 1):
        if left + panel.wide > WIDTH:
            left, top, high = 0, top + high, 0
        yield _panel(number, panel, {"x": left, "y": top, "w": panel.wide, "h": panel.high})
        left, high = left + panel.wide, max(high, panel.high)


def _panel(number: int, panel: Panel, place: dict[str, int]) -> Json:
    at_once = panel.kind != "timeseries"
    shape = "heatmap" if panel.spread else "table" if panel.kind == "table" else "time_series"
    targets = [
        {"refId": chr(ord("A") + place_in_row), "datasource": SOURCE, "expr": query, "legendFormat": legend or "__auto",
         "instant": at_once, "range": not at_once, "format": shape}
        for place_in_row, (query, legend) in enumerate(panel.queries)
    ]  # fmt: skip
    steps = [{"color": GREEN, "value": None}] if not panel.steps else [
        {"color": colour, "value": None if first == 0 else value}
        for first, (value, colour) in enumerate(panel.steps)
    ]  # fmt: skip
    named = {str(value): {"text": text, "index": value} for value, text in enumerate(panel.names)}
    return {
        "id": number,
        "title": panel.title,
        "description": panel.words,
        "type": panel.kind,
        "datasource": SOURCE,
        "gridPos": place,
        "targets": targets,
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                "thresholds": {"mode": "absolute", "steps": steps},
                "mappings": [{"type": "value", "options": named}] if named else [],
            },
            "overrides": [],
        },
        "options": _options(panel),
        "transformations": [{"id": "merge", "options": {}}] if panel.kind == "table" else [],
    }


def _options(panel: Panel) -> Json:
    newest = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}}
    options: dict[str, Json] = {
        "stat": {**newest, "colorMode": "value", "graphMode": "none", "textMode": "value"},
        "bargauge": {**newest, "orientation": "horizontal", "displayMode": "basic", "showUnfilled": True},
        "timeseries": {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
                       "tooltip": {"mode": "multi", "sort": "desc"}},
        "table": {"showHeader": True},
    }  # fmt: skip
    return options[panel.kind]


def text(name: str) -> str:
    return json.dumps(board(name), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for one in BOARDS:
        (FOLDER / f"{one}.json").write_text(text(one))
