"""Sentences for errors of talking to an exchange: keys that it does not accept, requests and answers.

`place` is exchange and environment, `hint` the last letters of a key, `what` the thing that was asked for.
"""

from __future__ import annotations

SENTENCES = {
    "keys.frozen": "the API key is frozen at {place}: make a new one",
    "keys.locked": "the API key is locked at {place}: make a new one",
    "keys.other_world": (
        "the API key belongs to the other world: a demo key does not work live, nor a live key on demo"
    ),
    "keys.wrong_passphrase": (
        "the passphrase does not belong to this API key at {place}: it is the one typed when the key was made"
    ),
    "keys.wrong_secret": ("the API secret does not belong to this API key at {place}: check that it was copied whole"),
    "keys.address_not_allowed": (
        "{place} accepts this API key from other addresses only: add this machine's IP address to the key"
    ),
    "keys.not_copied_whole": "the API key ...{hint} is not known to {place}: check that it was copied whole",
    "keys.malformed": "{place} does not accept the API key ...{hint}: check that it was copied whole",
    "keys.not_accepted": "{place} does not accept the API key ...{hint}: make a new one",
    "keys.other_environment_or_region": (
        "the API key ...{hint} is not known to {place}: check the environment and the region it was made in"
    ),
    "keys.not_known_or_not_allowed": (
        "the API key ...{hint} is not known to {place}, may not be used from this address, or may not trade futures: "
        "check the environment it was made in and its permissions"
    ),
    "exchange.no_perpetual": "{exchange} sent {field} {value}, which is not a perpetual settled in USDT",
    "exchange.no_field": "{exchange} sent no {field}",
    "exchange.no_number": "{exchange} sent {field} {value}, which is not a number",
    "exchange.no_time": "{exchange} sent {field} {value}, which is not a time in milliseconds",
    "exchange.unknown_word": "{exchange} sent {field} {value}, a word we do not know",
    "exchange.answered": "{what}: {words} ({code})",
    "exchange.no_list": "{what}: {exchange} sent no list",
    "exchange.no_answer": "{what}: {exchange} answered with nothing",
    "exchange.yes_and_nothing": "{what}: {exchange} said yes and nothing else",
    "exchange.not_sent": "{what} was not sent: {why}",
    "binance.no_attached": "Binance has no TP and SL that travel with an order",
    "binance.no_such_kind": "{what}: an order of kind {kind} needs a price and a kind Binance has",
    "binance.no_oco": "Binance has no OCO: take-profit and stop-loss are placed one by one",
    "binance.no_trigger": "Binance has no triggers by {trigger}: last or mark is allowed",
    "exchange.nothing_held": "{what}: nothing is held",
    "exchange.refused": "{what}: {words}",
    "binance.changes_limits_only": "{what}: Binance changes limit orders only",
    "exchange.cancel_unanswered": "cancel of {order}: {why}",
    "exchange.yes_without": "{what}: {exchange} said yes and gave no {field}",
    "exchange.no_settings": "settings of {symbol}: {exchange} answered with nothing",
    "binance.whole_leverage": "{what}: Binance takes whole numbers only",
    "exchange.not_read_back": "{what}: could not be read back",
    "exchange.did_not_take": "{what}: did not take, it is {taken}",
    "exchange.no_symbols": "{exchange} sent no list of symbols",
    "exchange.short_candle": "{exchange} sent a candle of {cells} cells instead of {least}",
    "exchange.no_leverage": "leverage of {symbol}: {exchange} answered with nothing",
    "binance.no_price_then": "price of {currency}: Binance has none for {at}",
    "binance.not_listed_yet": "no execution in {symbol} is listed yet from when it changed",
    "binance.held_without_executions": "{symbol} is held and has no executions",
    "binance.executions_disagree": "what is held of {symbol} and its executions do not agree yet",
    "exchange.no_reason": "no reason given",
    "write.cycle_not_wanted": "cycle {cycle} of {part} is not begun: it is no longer wanted",
    "write.sent_before": "{order} has been sent before; it is not sent again",
    "write.lease_lost": "lease lost: another bot may be acting on this account",
    "write.not_our_lease": "another bot may be acting on this account: the lease is not ours",
}
