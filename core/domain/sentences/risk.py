"""Sentences for what the risk control refuses, and for what is wrong with a drafted order."""

from __future__ import annotations

SENTENCES = {
    "risk.duplicate": "{field} {value} means the same and has no answer yet",
    "risk.leverage": "{field} {value} is out of range: {allowed}",
    "risk.order_too_large": (
        "{field} {value} USDT is {contracts} contracts, above your limit: {most} contracts at most"
    ),
    "risk.order_too_small": (
        "{field} {value} USDT is {contracts} contracts, below your limit: {least} contracts at least"
    ),
    "risk.value_too_high": "{field} {value} USDT is above your limit: {most:,.2f} USDT at most",
    "risk.value_too_low": "{field} {value} USDT is below your limit: {least:,.2f} USDT at least",
    "risk.price_deviation": (
        "{field} {symbol} would be entered at {price}, {away:.1f} % away from the mark price {mark}: "
        "{most:.1f} % at most"
    ),
    "risk.position_value": (
        "{field} {value} USDT makes the position {whole:,.2f} USDT: "
        "{most:,.2f} USDT ({share:.0%} of the equity) at most"
    ),
    "risk.balance_unknown": "the free balance is not known",
    "risk.balance": (
        "{field} {value} USDT at {leverage}x needs {needed:,.2f} USDT of margin and fee: {free:,.2f} USDT is free"
    ),
    "risk.loss_at_stop": (
        "{field} would lose {lost:,.2f} USDT with fees: one trade may lose {most:,.2f} USDT at most, by the settings"
    ),
    "risk.daily_loss": (
        "{field} has lost {lost:.1f} % of the day's {began:,.2f} USDT: less than {most:.1f} % is allowed"
    ),
    "risk.open_parts": "{field} has {parts} open parts: {most} at most, by the settings",
    "risk.conditional_orders": (
        "{used} of at most {most} conditional orders rest or are kept room for, and it needs {legs} more"
    ),
    "preview.not_a_number": "{field} {value} is out of range: a number up to {most:,} is allowed",
    "preview.not_tradable": ("{field} {symbol} cannot be traded now: the exchange has it suspended or not started"),
    "preview.no_price": "{field} {symbol} has no price yet: the bot has not heard one",
    "preview.stale_price": ("{field} {symbol} has no fresh price: the last is {age:.0f} old, {most:.0f} at most"),
    "preview.too_small": (
        "{field} {value} USDT is too small: {least:,.2f} USDT ({contracts} contracts) to {most:,.2f} USDT is allowed"
    ),
    "preview.too_large_limit": (
        "{field} {value} USDT is too large: {least:,.2f} to {most:,.2f} USDT "
        "({contracts} contracts in one limit order) is allowed"
    ),
    "preview.too_large_market": (
        "{field} {value} USDT is too large: {least:,.2f} to {most:,.2f} USDT "
        "({contracts} contracts in one market order) is allowed"
    ),
    "preview.limit_price_empty": "{field} is empty: a price above 0 is allowed",
    "preview.limit_price_away": (
        "{field} {value} is {away:.1%} away from the mark price: {least} to {most} is allowed"
    ),
    "preview.no_loss": "{field} {amount} is not a loss: below {zero} is allowed",
    "preview.no_profit": "{field} {amount} is not a profit: above {zero} is allowed",
    "preview.level_below_zero": "{field} {amount} would lie at a price of {level}: it must stay above 0",
    "preview.level_not_below": "{field} {amount} is on the wrong side: below {price} is allowed for a {side}",
    "preview.level_not_above": "{field} {amount} is on the wrong side: above {price} is allowed for a {side}",
    "preview.level_passed": (
        "{field} {level} has been passed already: the price is {price}, it would be set off at once"
    ),
    "preview.no_stop": "Without a stop-loss nothing limits the loss but the liquidation.",
    "preview.liquidated_first": (
        "The stop-loss lies beyond the estimated liquidation at {liquidation}: the exchange would close first."
    ),
    "preview.rounded_down": "Sizes are rounded down to whole steps of {step} contracts of {each} {base}.",
    "amount.usdt": "{amount} USDT",
    "amount.percent": "{amount} %",
    "amount.price": "{price}",
}
