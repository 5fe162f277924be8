"""The behaviours that can be switched, with their defaults: what exchanges do differently, or nobody could confirm."""

from decimal import Decimal, InvalidOperation
from typing import Any

from core.simulator.binance.engine.instruments import overrides_checked

DEFAULTS: dict[str, Any] = {
    "oversize_close": "trim",  # trim | reject
    "attached_after_close": "stay",  # stay | cancel
    "close_fraction_after_flat": "cancel",  # cancel | stay
    "auto_cxl_algos": False,
    "flat_push": True,
    "position_history_lag_seconds": 0,
    "two_worlds": False,
    "liquidation_algos": "cancel",  # cancel | stay
    "fail_envelope_zero": False,
    "extra_fields": False,
    "rate_limits": True,
    "rate_limit_http": 429,  # 429 | 200
    "order_delay_seconds": 0,
    "fill_steps": 1,
    "order_retention_seconds": 7200,
    "pos_id_retention_days": 30,
    "trigger_reduce_only_hedge": "ignore",  # ignore | 51205
    "effective_fail_code": "1",  # "1" | "0"
    "maintenance": None,  # None | {"begin", "end"}
    "acct_lv": "2",
    "suspended": [],
    "account_tag": "",
    "ws_idle_close_seconds": 30,
    "clock_offset_seconds": 0,
    "fees": {"maker": "0.0002", "taker": "0.0005"},
    "slippage_bps": "0",
    "spread_ticks": "1",
    "impact_contracts_per_tick": "100",
    "binance_flavour": "live",  # live | demo: filters, weight limit, a stale exchangeInfo clock, where streams deliver
    "binance_filters": {},  # {"BTCUSDT": {"notional": "5", ...}}: other filters than the built-in ones
    "binance_replies": "new",  # new: without avgPrice and cumQuote | old: with them
    "binance_closing_clash": "refuse",  # a close beside resting closes: refuse (-2022) | refuse_4118 | knock_out (er 4)
    "binance_post_only": "refuse",  # refuse (-5022) | expire
    "binance_reduce_only_false_hedged": "refuse",  # refuse (-1106) | ignore
    "binance_closing_limits_after_flat": "expire",  # expire | stay
    "binance_hidden_seconds": 0,  # how long an accepted plain order cannot be found
    "binance_retention": True,  # -2013 for unfilled orders after 3 days, for all after 90
    "binance_fee_asset": "USDT",  # USDT | BNB
    "binance_bnb_price": "600",  # where no BNB perpetual is traded here
    "binance_recv_window_max": 0,  # 0: any | e.g. 60000 (-1131)
    "binance_weight_limit": 0,  # 0: 2400 live, 6000 demo
    "binance_orders_10s": 300,
    "binance_orders_1m": 1200,
    "binance_ban_after": 10,  # requests after the first 429 until the ban
    "binance_ban_seconds": 120,
    "binance_can_trade": True,
    "binance_algo_hidden_seconds": 0,  # how long an accepted conditional order cannot be found or cancelled
    "binance_max_conditional": 200,
    "binance_open_algos": "waiting",  # waiting: triggered ones are no longer in openAlgoOrders | unended
    "binance_trigger_delay_seconds": 0,  # from TRIGGERING to the plain order
    "binance_tied_ends_after_seconds": 0.2,  # closePosition orders after their position has ended; -1: never
    "binance_off_tick_trigger": "refuse",  # refuse (-4014) | accept
    "binance_would_trigger": "working",  # -2021 looks at the price of the working type | last
    "binance_trigger_band": 0,  # a trigger so many times above or below the price is -4210 or -4211; 0: any
    "binance_child_first": False,  # the plain order's NEW comes before the conditional order's TRIGGERED
    "binance_account_first": True,  # of a fill ACCOUNT_UPDATE comes before ORDER_TRADE_UPDATE
    "binance_trade_lite_first": True,  # TRADE_LITE comes before both, or after them
    "binance_legacy_streams": "mixed",  # addresses of before the split: mixed | deliver | public_only
    "binance_stream_life_seconds": 86400,  # of the exchange's time, after which a connection is cut
}
CHOICES: dict[str, set[Any]] = {
    "oversize_close": {"trim", "reject"},
    "attached_after_close": {"stay", "cancel"},
    "close_fraction_after_flat": {"cancel", "stay"},
    "liquidation_algos": {"cancel", "stay"},
    "trigger_reduce_only_hedge": {"ignore", "51205"},
    "effective_fail_code": {"0", "1"},
    "rate_limit_http": {429, 200},
    "binance_flavour": {"live", "demo"},
    "binance_replies": {"new", "old"},
    "binance_closing_clash": {"refuse", "refuse_4118", "knock_out"},
    "binance_post_only": {"refuse", "expire"},
    "binance_reduce_only_false_hedged": {"refuse", "ignore"},
    "binance_closing_limits_after_flat": {"expire", "stay"},
    "binance_fee_asset": {"USDT", "BNB"},
    "binance_open_algos": {"waiting", "unended"},
    "binance_off_tick_trigger": {"refuse", "accept"},
    "binance_would_trigger": {"working", "last"},
    "binance_legacy_streams": {"mixed", "deliver", "public_only"},
    "acct_lv": {"1", "2", "3", "4"},
}
NOT_NEGATIVE = {
    "position_history_lag_seconds", "order_delay_seconds", "order_retention_seconds", "pos_id_retention_days",
    "ws_idle_close_seconds", "slippage_bps", "spread_ticks",
    "binance_hidden_seconds", "binance_recv_window_max", "binance_weight_limit", "binance_ban_after", "binance_ban_seconds",
    "binance_algo_hidden_seconds", "binance_trigger_delay_seconds", "binance_trigger_band",
}  # fmt: skip
ABOVE_ZERO = {
    "impact_contracts_per_tick", "fill_steps", "binance_bnb_price", "binance_orders_10s",
    "binance_orders_1m", "binance_max_conditional", "binance_stream_life_seconds",
}  # fmt: skip


def checked(name: str, value: Any) -> Any:
    """The value in the form it is kept in; ValueError with the reason where the switch does not take it."""
    if name not in DEFAULTS:
        raise ValueError(f"there is no switch {name}")
    if name == "acct_lv":
        value = str(value)
    if name in CHOICES and value not in CHOICES[name]:
        raise ValueError(f"{name} is one of {sorted(map(str, CHOICES[name]))}")
    if isinstance(DEFAULTS[name], bool) and not isinstance(value, bool):
        raise ValueError(f"{name} is true or false")
    if name in NOT_NEGATIVE | ABOVE_ZERO:
        number = _number(name, value)
        if number < 0 or (name in ABOVE_ZERO and number == 0):
            raise ValueError(f"{name} is too small")
    if name == "binance_tied_ends_after_seconds":
        _number(name, value)
    if name == "binance_filters":
        value = overrides_checked(value)
    if name == "fees":
        value = {**DEFAULTS["fees"], **{side: str(_number(name, value[side])) for side in value}}
    return value


def _number(name: str, value: Any) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise ValueError(f"{name} takes numbers")
    return number
