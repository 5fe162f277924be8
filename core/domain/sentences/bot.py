"""Sentences of the bot about itself and its account: levels raised automatically, the watchdog, start and trouble."""

from __future__ import annotations

SENTENCES = {
    "kill_switch.raised": "the level is raised to {level}: {why}",
    "kill_switch.daily_loss": (
        "daily loss: {lost:.1%} of the day's {began:,.2f} USDT are lost, the limit is {limit:.1%}"
    ),
    "kill_switch.drawdown": (
        "drawdown: equity {equity:,.2f} USDT is {lost:.1%} under its peak of {peak:,.2f}, the limit is {limit:.1%}"
    ),
    "kill_switch.stop_losses": "stop-losses: {count} in {minutes} min, the limit is {limit}",
    "kill_switch.stale": "stale data: the last complete look was {silence:.0f} ago, the limit is {limit:.0f}",
    "kill_switch.maintenance": "the exchange is under maintenance",
    "kill_switch.barred": "the exchange has turned us away for {silence:.0f}: {words}",
    "sentinel.never_looked": "the last complete look at the exchange was never",
    "sentinel.stale_look": "the last complete look at the exchange was {age:.0f} ago",
    "sentinel.foreign": ("{orders} trigger or trailing orders rest on {symbols}; they are not ours and are left alone"),
    "sentinel.bare": "{position}: stop-losses cover {covered} of {wanted} contracts",
    "sentinel.target": "{position}: take-profits cover {covered} of {wanted} contracts",
    "sentinel.drift": "{position}: our PnL {ours:.2f} USDT, the exchange's {theirs:.2f} USDT",
    "sentinel.stale_picture": "the picture that pages show is {age:.0f} old",
    "sentinel.stale_heartbeat": "the heartbeat that others read is {age:.0f} old",
    "restart.found": (
        "found {parts} open parts, {protected} of them with their stop-loss on the exchange; "
        "{commands} commands without an answer; {actions} things to do once the bot is started"
    ),
    "restart.stays_one_way": "the account stays one-way: {why}",
    "restart.hedge_mode": "the paper account holds long and short apart from now on (hedge mode)",
    "bot.scheduler_replaced": "the scheduler stood still and was replaced",
    "bot.error_of_ours": "an error of ours: {error}",
    "executor.leverage_refused": "leverage {leverage} cannot be set: {words}",
    "executor.leverage_unconfirmed": "leverage {leverage} could not be confirmed: {why}",
}
