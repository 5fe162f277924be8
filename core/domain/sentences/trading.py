"""Sentences about requests for positions, orders and differences: why they are refused, and what happens now."""

from __future__ import annotations

SENTENCES = {
    # a click on a part
    "trade.asked_already": "asked for already by this click",
    "trade.enters_now": "the bot enters now",
    "trade.enters_once_started": "the bot enters once it is started",
    "trade.targets_edited": "take-profit and stop-loss edited",
    "trade.orders_amended_now": "the resting orders are amended now",
    "trade.orders_amended_once_started": "the resting orders are amended once the bot runs",
    "trade.close_and_reopen_asked": "close asked for, to be opened again later",
    "trade.close_for_good_asked": "close for good asked for",
    "trade.partial_close_asked": "partial close of {contracts} of {size} contracts asked for",
    "trade.closes_now": "the bot closes it now {how}",
    "trade.closes_now_at_market": "the bot closes it now at market",
    "trade.closes_contracts": "the bot closes {contracts} contracts now",
    "trade.closes_contracts_by": "the bot closes {contracts} contracts now {how}",
    "trade.closes_once_started": (
        "the bot closes it once it is started; until then its stop and target go on resting on the exchange"
    ),
    "trade.at_market": "at market",
    "trade.by_style": "by {kind}",
    "trade.not_opened_again": "it is not opened again",
    "trade.reopen_cancelled": "the reopen is cancelled",
    "trade.reopen_now": "reopen now",
    "trade.opened_now": "it is opened again now",
    "trade.opened_once_started": "it is opened again once the bot is started",
    "trade.rest_at_market": "the rest at market now",
    "trade.rest_taken_back": "the rest is taken back",
    "trade.close_taken_back": "the close is taken back",
    "trade.once_started": "{why}, once the bot is started",
    "trade.done_once_started": "{done} once the bot is started",
    "trade.choices_made": "recovery and reopen chosen for this part",
    "trade.holds_from_next_look": "it holds from the bot's next look",
    "trade.refused_stop_choice": "where its stop-loss is refused: {choice}",
    "trade.as_the_settings_say": "as the settings say",
    # why it is refused
    "trade.part_unknown": "part '{part}' is not known",
    "trade.part_ended": "part {part} has ended already ({why})",
    "trade.part_open": "part {part} is open: close it first",
    "trade.run_unknown": "execution '{value}' of {part} is not under way; under way: {under_way}",
    "trade.twin": "Part {parts} is {side} {symbol} with the same strategy already: confirm that you want another one.",
    "trade.twins": (
        "Parts {parts} are {side} {symbol} with the same strategy already: confirm that you want another one."
    ),
    "trade.conditional_orders": (
        "{used} of {most} conditional orders rest or are about to: a position needs {needed} more. "
        "Close a part, or use another account"
    ),
    "choice.recovery_style": "recovery {problem}",
    "choice.recovery_price": (
        "recovery limit price must be empty: a step rests at our side of the book when it is due"
    ),
    "choice.trigger": "stop-loss and take-profit cannot be triggered by {value} here: {allowed}",
    "target.not_above_zero": "{field} would lie at a price of {level}: it must stay above 0",
    "close.nothing_held": "{field}: nothing is held of this part now",
    "close.would_leave": "{field} {value} would leave {rest}: below the exchange's smallest of {least}",
    "close.price_unknown": "Its price or entry is not known yet.",
    "close.at_price": "At {price}, the {which} of now; slippage not counted.",
    "book.bid": "bid",
    "book.ask": "ask",
    # a single order
    "order.protects": (
        "order {order} protects part {part}; to move it use Edit TP/SL, to be rid of the position use Close"
    ),
    "order.protects_while_it_fills": "order {order} protects part {part} while it fills; to move it use Edit TP/SL",
    "order.is_take_profit": "order {order} is the take-profit of part {part}; to move it use Edit TP/SL",
    "order.is_stop_loss": "order {order} is the stop-loss of part {part}; to move it use Edit TP/SL",
    "order.closes": "order {order} closes part {part} at market as was asked; it fills by itself",
    "order.balances": "order {order} brings back what an exit closed beyond part {part}; it fills by itself",
    "order.recovers": "order {order} is a recovery step of part {part} at market; it fills by itself",
    "order.enters_at_market": "order {order} enters at market and fills by itself; use Close afterwards",
    "order.ended": "order {order} has ended already: {status}",
    "order.rest_to_cancel": "the rest of entry {order} is to be cancelled",
    "order.withdrawn_now": "The bot withdraws it now; what has filled stays and stays protected.",
    "order.withdrawn_once_started": (
        "The bot withdraws it once it is started; what has filled stays and stays protected."
    ),
    "order.not_ours": (
        "order {order} was not placed by Perpdeck for this account; such orders are shown and never touched. "
        "Cancel it where it was placed"
    ),
    "order.without_id": "without an id",
    "order.of_ended_cycle": "order {order} is of a cycle that has ended; the bot removes what is left",
    "order.not_seen": "order {order} has not been seen at the exchange; the bot is asking for it",
    "order.no_leg": "part {part} has no {leg} to take away",
    "order.leg_taken_away": "the {leg} is taken away by hand",
    "order.nobody_moved": "nobody has moved TP or SL of part {part} at the exchange",
    "order.levels_kept": "the levels set at the exchange are kept",
    "order.automatic_again": "take-profit and stop-loss are automatic again",
    "order.changed_now": "the bot changes the resting order now",
    "order.changed_once_started": "it is changed once the bot is started",
    # an answer to a difference
    "answer.adopted": "it is ours; its take-profit and stop-loss are placed",
    "answer.assigned": "part {part} holds them too; its protection is made larger",
    "answer.ignored": "it is left alone until it changes",
    "answer.booked": "what is missing is booked as closed at the mark price",
    "answer.waits": "it stays in the book until its fill is found; nothing is added there meanwhile",
    "answer.divided": "it is divided {how}",
    "answer.cannot_take": "{field} '{value}' cannot take these contracts: {allowed}",
    "answer.no_part_now": "none just now",
    "answer.between_steps": "{quantity} contracts lie between two steps and cannot be guarded",
    "answer.not_looked": "The bot has not looked at the exchange yet.",
    "answer.gone": "this difference is no longer there: exchange and book agree",
    "answer.changed": "this difference has changed meanwhile: {now} Look at it again, then answer",
    "answer.not_offered": "{choice} is no answer to this: {choices}",
    "answer.none_offered": "it has none",
    "answer.look_too_old": "the last look at the exchange is too old to answer by; wait for the next one",
    "answer.price_unknown": ("at which price these contracts were opened is not known yet; wait for the next look"),
    "answer.strategy_name": "{field}: a name of 1 to {most} letters is allowed",
    "answer.too_small": (
        "{quantity} contracts cannot be guarded: the exchange takes orders of at least {least} in steps of {step}"
    ),
    # history and signals
    "history.sync": "the bot reads the exchange's history now",
    "history.sync_and_look": "the bot looks at the exchange now and brings its history home",
    "api.signal_nothing_open": "no part of {strategy} is open {side} on {symbol}, and none waits to be opened again",
    # the newest snapshot
    "snapshot.none": "nothing is known of account {account} yet: the bot has not looked at the exchange",
    "range.not_offered": "{field} '{value}' is not offered: {allowed}",
    "snapshot.no_contract_yet": "none yet",
    "display.zone_unknown": "{field} '{value}' is not known: for example Europe/Istanbul",
    "paging.unknown_place": "{field} '{value}' is no place that a page has ended at: the `next` of one is allowed",
    "answer.part_not_open": "part '{part}' is not open: choose another, or adopt",
    "answer.given_already": "these contracts have been given to a part already: wait for the next look",
    "trade.click_used": "this click was used for something else: reload the page and ask again",
}
