"""Sentences for why a part is closed, reduced or ends, and what becomes of its protection."""

from __future__ import annotations

SENTENCES = {
    "close.taken_back": "the close was taken back",
    "close.entry_first": "the entry is withdrawn before closing",
    "close.nothing_left": "nothing is left to reduce",
    "close.filling": "the closing order is filling",
    "close.goes_on_at_market": "the close goes on at market",
    "close.unsettled": "an order of it ended and the exchange has not told how; asking",
    "close.position_smaller": "the position is smaller than our parts; finding out why before closing",
    "close.held_too_short": "held for {held} of at least {least:.0f} s; Close for good does not wait",
    "close.reduced": "the partial close is done",
    "close.reduced_but_rest": (
        "the partial close is done: the last {rest} are fewer than the exchange's smallest order of {smallest}"
    ),
    "close.too_small": "{size} contracts are below the exchange's smallest order of {smallest}",
    "close.refused": "refused {ago} ago: {words}; tried again shortly",
    "close.at_market": "closes {quantity} of {size} contracts at market, as asked",
    "close.at_market_with_rest": (
        "closes {quantity} of {size} contracts at market, as asked, and with them the last {rest}: "
        "fewer than the exchange's smallest order"
    ),
    "finish.take_profit": "the take-profit closed it",
    "finish.stop_loss": "the stop-loss closed it",
    "finish.closed_by_us": "closed as asked",
    "finish.closed_by_hand": "closed by hand at the exchange",
    "finish.liquidated": "liquidated by the exchange",
    "finish.deleveraged": "deleveraged by the exchange",
    "finish.not_known": "closed, and the exchange does not tell by what",
    "finish.other_leg": "its other leg goes: nothing is left to close",
    "finish.no_answer": "flat, but waits for the answer to {order}",
    "finish.second_look": "flat; waits for a second look that agrees",
    "finish.clears_up": "{why}; what is left of it goes",
    "finish.closed_beyond": (
        "flat, but its exits closed {beyond} contracts more than it held; that is put right first"
    ),
    "derisk.waits": (
        "the stop would lose {lost:,.2f} USDT with fees, one trade may lose {most:,.2f}: to be reduced, waits: {why}"
    ),
    "derisk.cannot_split": (
        "the stop would lose {lost:,.2f} USDT with fees, one trade may lose {most:,.2f}: "
        "{size} contracts cannot be split, and are left to their stop"
    ),
    "derisk.reduces": (
        "the stop would lose {lost:,.2f} USDT with fees, one trade may lose {most:,.2f}: "
        "reduced from {size} to {to} contracts"
    ),
    "derisk.entering": "it is still being entered",
    "derisk.apart": "at most one reduction in {apart:.0f}",
    "protection.stuck": "{order} was set off and never carried out, and the exchange does not let it go",
    "protection.none_asked": "no take-profit and no stop-loss were asked for",
    "protection.too_small": "{size} contracts are below the smallest order of {smallest}: not guarded",
    "protection.closing": "an order that closes it is working; protection stays as it is",
    "protection.filling": "its protection has been set off and is filling",
    "protection.both": "{first}; {second}",
    "protection.no_longer_wanted": "neither take-profit nor stop-loss is wanted any more",
    "protection.no_stop_wanted": "no stop-loss is wanted any more",
    "protection.no_target_wanted": "no take-profit is wanted any more",
    "protection.closed_now": "it is being closed now",
    "protection.position_smaller": "the position is smaller than our parts; finding out why before it is guarded",
    "protection.too_soon": "the last placement was {ago} ago",
    "protection.too_soon_after": "the last placement was {ago} ago: {words}",
    "protection.refused": "the exchange refuses TP and SL: {words}",
    "protection.stop_refused": "the exchange refuses the stop-loss: {words}",
    "protection.target_refused": "the exchange refuses the take-profit: {words}",
    "protection.bare_too_long": "bare for {bare}, {allowed} are allowed: the exchange refuses its stop-loss",
    "protection.left_bare": "refused by the exchange; left as it is, as set for this part",
    "protection.refused_again": "computed anew with the contract's rules and refused again; it needs a person",
    "protection.refused_again_for": "computed anew with the contract's rules and refused again: {words}",
    "protection.placed": "bare: TP and SL are placed",
    "protection.stop_placed": "no stop-loss rests: it is placed",
    "protection.target_placed": "no take-profit rests: it is placed",
    "protection.limit_close_first": "{why}: the close at a limit goes first",
    "protection.close_refused": "closing at market was refused: {words}",
    "protection.close_position_smaller": (
        "{why}, and the position is smaller than our parts; finding out why before closing"
    ),
    "protection.closes": "{why}: closes at market",
    "protection.stop_passed": "the stop-loss {level} has been passed at {price}",
    "protection.target_passed": "the take-profit {level} has been passed at {price}",
    "protection.stop_passed_there": "the exchange says that the stop-loss {level} has been passed",
    "protection.target_passed_there": "the exchange says that the take-profit {level} has been passed",
    "protection.surplus": "a second protection is not needed",
    "protection.one_only": "on a shared position one protection only",
    "protection.in_place": "in place: {levels} for {quantity} contracts",
    "protection.in_place_waits": "in place: {levels} for {quantity} contracts; {why}",
    "protection.amended": "amended in place to {levels} for {quantity} contracts",
    "protection.exchanged": "exchanged for {levels}",
    "protection.old_first": "on a shared position the old protection goes before the new one comes",
    "protection.upgraded": "the entry's safety net is exchanged for an OCO that ends with the position",
    "protection.stop_stays": "a stop-loss at {level} would be set off at once; the one at {resting} stays",
    "protection.target_stays": "a take-profit at {level} would be set off at once; the one at {resting} stays",
    "protection.asks": "asks whether {order} arrived, for {since} now",
    "protection.levels": "TP {tp}, SL {sl}",
    "protection.stop_level": "SL {sl}",
    "protection.target_level": "TP {tp}",
}
