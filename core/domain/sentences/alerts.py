"""Sentences of alerts, of conditions that alerts are made of, and of what a phone is answered."""

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
    # what a phone is answered
    "telegram.help_status": "/status: bots, levels, money",
    "telegram.help_positions": "/positions: what is held",
    "telegram.help_why": "/why <part>: why the bot did or did not do something",
    "telegram.help_pause": "/pause [account]: no entries, no recovery, no reopening",
    "telegram.help_reduce_only": "/reduce_only [account]: nothing that enlarges a position",
    "telegram.help_flatten": "/flatten [account]: close everything; asks for a code",
    "telegram.help_back": "Taking a level back needs the dashboard.",
    "telegram.too_late": "/{command} came more than a minute late and was not carried out: send it again",
    "telegram.unknown_command": "/{command} is not known",
    "telegram.account_status": "{account}: {state}, level {level}",
    "telegram.protected": "{protected} of {parts} open parts are protected",
    "telegram.money": "equity {equity:,.2f} USDT, unrealised {floating:+,.2f} USDT",
    "telegram.alarm": "! {what}",
    "telegram.position": (
        "{account} {part}: {symbol} {side}, {size} contracts at {average}, PnL {pnl:+.2f} USDT, TP {tp}, SL {sl}"
    ),
    "telegram.position_without_price": (
        "{account} {part}: {symbol} {side}, {size} contracts at {average}, PnL ? USDT, TP {tp}, SL {sl}"
    ),
    "telegram.bare": "! {part} is held without its stop-loss",
    "telegram.nothing_held": "nothing is held",
    "telegram.which_part": "which part? {known}",
    "telegram.part": "{part}: {symbol} {side}",
    "telegram.level_raised": "{account}: the level is now {level}",
    "telegram.level_stays": "{account}: the level stays {level}, which protects as much",
    "telegram.which_account": "which account? {known}, or all",
    "telegram.confirm": "closes everything at market on {accounts}: send /flatten {code} within 60 s",
    "telegram.no_code": "there is no code to confirm: send /flatten first",
    "telegram.code_ran_out": "the code has run out: send /flatten again",
    "telegram.wrong_code": "this is not the code; nothing was done",
    "telegram.wrong_code_last": "this is not the code, for the third time: send /flatten again",
    "bot_state.running": "running",
    "bot_state.stopped": "stopped",
    "bot_state.starting": "starting",
    "bot_state.elsewhere": "elsewhere",
    "bot_state.dead": "dead",
}
