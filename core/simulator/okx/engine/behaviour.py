"""The behaviours of the OKX side that can be chosen: those that differ between accounts, or that nobody could
confirm.
"""

from core.simulator.engine.behaviour import Behaviour, at_least_zero, choice, flag

BEHAVIOURS: dict[str, Behaviour] = {
    "oversize_close": choice("trim", "reject"),
    "attached_after_close": choice("stay", "cancel"),
    "close_fraction_after_flat": choice("cancel", "stay"),
    "auto_cxl_algos": flag(False),
    "flat_push": flag(True),
    "position_history_lag_seconds": at_least_zero(0),
    "two_worlds": flag(False),
    "fail_envelope_zero": flag(False),
    "rate_limit_http": choice(429, 200),
    "order_retention_seconds": at_least_zero(7200),
    "trigger_reduce_only_hedge": choice("ignore", "51205"),
    "effective_fail_code": choice("1", "0"),
    "maintenance": Behaviour(None),  # None or {"begin", "end"}
    "acct_lv": choice("2", "1", "3", "4", convert=str),
    "account_tag": Behaviour(""),
    "ws_idle_close_seconds": at_least_zero(30),
}
