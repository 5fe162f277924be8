"""Sentences of alerts, and of conditions that alerts are made of."""

from __future__ import annotations

SENTENCES = {
    "alert.where": "{symbol} {side}, part {part}",
    "alert.opened": "{where}: {filled} contracts entered at {price}",
    "alert.reopened": "{where}: cycle {cycle} begins with {filled} contracts at {price}",
    "alert.recovery": "{where}: recovery adds {filled} contracts at {price}",
    "alert.filled": "{where}: {purpose} has filled {filled} of {quantity} contracts at {price}",
    "alert.not_entered": "{where}: nothing was entered: {why}",
    "alert.not_reopened": "{where}: not reopened: {why}",
    "alert.ended": (
        "{where}: {reason}, {contracts} contracts from {entry} to {exit}, PnL {pnl:+.2f}, fees {fees:+.2f}, "
        "funding {funding:+.2f}, net {net:+.2f} USDT"
    ),
    "alert.ended_by_nobody_knows": "closed, nobody knows by whom",
    "alert.level": "the level is now {level}, set by {who}",
    "alert.level_because": "the level is now {level}, set by {who}: {why}",
    "alert.start_bot": "the bot was started by {who}",
    "alert.start_bot_because": "the bot was started by {who}: {why}",
    "alert.stop_bot": "the bot was stopped by {who}",
    "alert.stop_bot_because": "the bot was stopped by {who}: {why}",
    "alert.forced": "part {part}: {what}",
    "alert.limits_refuse": "part {part}: the limits refuse it: {why}",
    "alert.reopen_refused": "part {part}: {what}",
    "alert.exchange_refused": "part {part}: the exchange refused {action}",
    "alert.exchange_refused_order": "part {part}: the exchange refused {purpose} {order}: {words}",
    "alert.exchange_refused_order_by_code": "part {part}: the exchange refused {purpose} {order}: {words} ({code})",
    "alert.over": "over: {what}",
    "alert.over_after": "over after {time:clock}: {what}",
    # conditions
    "alert.no_answer": "{where}: {purpose} {order} has had no answer since {since}",
    "alert.bare": "{where}: {open} of {size} contracts are held without a stop-loss on the exchange",
    "alert.nobody_at_the_bot": (
        "the bot should run, and no process looks after the account; what rests on the exchange guards it"
    ),
    "alert.old_look": "the last complete look at the exchange is {age:.0f} old",
    "alert.no_sign_of_life": "the bot's last sign of life was {age:.0f} ago",
    # the day
    "summary.past": ("ended cycles: {ended}, with a profit: {won}, net {net:+.2f} USDT, fees {fees:+.2f} USDT"),
    "summary.past_and_now": "{past}; {now}",
    "summary.now": "{protected} of {parts} open parts are protected, equity {equity:,.2f} USDT",
    "summary.now_without_equity": "{protected} of {parts} open parts are protected, equity ? USDT",
    # on the way to a channel
    "alert.and_more": "and {n} more",
    "alert.several": "{n} alerts",
    "alert.given_up": "what was to be told over {channel} could not be sent: {why}",
    "alert.address_gone": "its address is gone: enter it anew",
    "level_button.run": "run",
    "level_button.no_new_entries": "pause entries",
    "level_button.no_added_risk": "pause entries, recovery and reopening",
    "level_button.reduce_only": "reduce only",
    "level_button.flatten": "flatten",
}
