"""The behaviours of the Binance side that can be chosen: those that have changed, or that nobody could confirm."""

from typing import Any

from core.simulator.binance.engine.instruments import overrides_checked
from core.simulator.engine.behaviour import Behaviour, above_zero, any_number, at_least_zero, choice, flag


def _filters(name: str, value: Any) -> Any:
    return overrides_checked(value)


BEHAVIOURS: dict[str, Behaviour] = {
    "binance_flavour": choice(
        "live", "demo"
    ),  # filters, weight limit, a stale exchangeInfo clock, where streams deliver
    "binance_filters": Behaviour({}, _filters),  # {"BTCUSDT": {"notional": "5", ...}}: other filters than the built-in
    "binance_replies": choice("new", "old"),  # new: without avgPrice and cumQuote | old: with them
    # a close beside resting closes is refused with -2022, refused with -4118, or it knocks the resting ones out (er 4)
    "binance_closing_clash": choice("refuse", "refuse_4118", "knock_out"),
    "binance_post_only": choice("refuse", "expire"),  # refuse with -5022, or accept and expire
    "binance_reduce_only_false_hedged": choice("refuse", "ignore"),  # refuse with -1106
    "binance_closing_limits_after_flat": choice("expire", "stay"),
    "binance_hidden_seconds": at_least_zero(0),  # how long an accepted plain order cannot be found
    "binance_retention": flag(True),  # -2013 for unfilled orders after 3 days, for all after 90
    "binance_fee_asset": choice("USDT", "BNB"),
    "binance_bnb_price": above_zero("600"),  # where no BNB perpetual is traded here
    "binance_recv_window_max": at_least_zero(0),  # 0: any, else e.g. 60000 (-1131)
    "binance_weight_limit": at_least_zero(0),  # 0: 2400 live, 6000 demo
    "binance_orders_10s": above_zero(300),
    "binance_orders_1m": above_zero(1200),
    "binance_ban_after": at_least_zero(10),  # requests after the first 429 until the ban
    "binance_ban_seconds": at_least_zero(120),
    "binance_can_trade": flag(True),
    "binance_algo_hidden_seconds": at_least_zero(0),  # how long an accepted conditional order cannot be found
    "binance_max_conditional": above_zero(200),
    "binance_open_algos": choice("waiting", "unended"),  # waiting: triggered ones are no longer in openAlgoOrders
    "binance_trigger_delay_seconds": at_least_zero(0),  # from TRIGGERING to the plain order
    "binance_tied_ends_after_seconds": any_number(0.2),  # closePosition orders after their position ended; -1: never
    "binance_off_tick_trigger": choice("refuse", "accept"),  # refuse with -4014
    "binance_would_trigger": choice("working", "last"),  # which price -2021 looks at: the working type's, or the last
    "binance_trigger_band": at_least_zero(0),  # so many times from the price is -4210 or -4211; 0: any
    "binance_child_first": flag(False),  # the plain order's NEW comes before the conditional order's TRIGGERED
    "binance_account_first": flag(True),  # of a fill ACCOUNT_UPDATE comes before ORDER_TRADE_UPDATE
    "binance_trade_lite_first": flag(True),  # TRADE_LITE comes before both, or after them
    "binance_legacy_streams": choice("mixed", "deliver", "public_only"),  # the addresses of before the split
    "binance_stream_life_seconds": above_zero(86400),  # of the exchange's time, after which a connection is cut
}
