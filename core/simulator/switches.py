"""The behaviours that can be switched, with their defaults: what exchanges do differently, or nobody could confirm."""

from decimal import Decimal, InvalidOperation
from typing import Any

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
}
CHOICES: dict[str, set[Any]] = {
    "oversize_close": {"trim", "reject"},
    "attached_after_close": {"stay", "cancel"},
    "close_fraction_after_flat": {"cancel", "stay"},
    "liquidation_algos": {"cancel", "stay"},
    "trigger_reduce_only_hedge": {"ignore", "51205"},
    "effective_fail_code": {"0", "1"},
    "rate_limit_http": {429, 200},
    "acct_lv": {"1", "2", "3", "4"},
}
NOT_NEGATIVE = {
    "position_history_lag_seconds", "order_delay_seconds", "order_retention_seconds", "pos_id_retention_days",
    "ws_idle_close_seconds", "slippage_bps", "spread_ticks",
}  # fmt: skip
ABOVE_ZERO = {"impact_contracts_per_tick", "fill_steps"}


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
