"""Sentences for why something is entered, opened again, or not: entries, reopening, and preconditions of
adding risk.
"""

from __future__ import annotations

SENTENCES = {
    "order.no_answer": "{order} has no answer yet",
    "order.waits_for_answer": "waits for the answer to {order}",
    "order.asked_for": "{order} was sent {since} ago and has no answer; asking under its id",
    "order.given_up": "the exchange no longer knows it",
    "precondition.unhealthy": "the exchange is not healthy",
    "precondition.one_way": "{why}; both sides at once need long/short mode (hedge mode) at the exchange",
    "precondition.one_way_holds": "the account is one-way and holds {symbol} {side}",
    "precondition.one_way_part": "the account is one-way and part {part} is {symbol} {side}",
    "precondition.not_tradable": "{symbol} cannot be traded now",
    "precondition.order_stuck": (
        "{order} was set off, never carried out and could still be: it has to go at the exchange first"
    ),
    "precondition.orders_removed": "{orders} older orders of ours are being removed first",
    "precondition.two_protections": "{part} has two protections for a moment; the older goes first",
    "precondition.no_price": "no fresh price",
    "precondition.position_smaller": "the position is smaller than our parts; finding out why",
    "precondition.not_ours": "{residual} contracts here are not ours: adopt, assign or ignore them first",
    "precondition.never_arrived": "the last request never arrived; a short pause before it is sent again",
    "precondition.level": "the level is {level}",
    "precondition.stop_first": "its stop-loss is put right first",
    "precondition.second_look": "a second look that agrees",
    "entry.waits": "waits: {why}",
    "entry.refused": "refused by the limits: {why}",
    "entry.begins": "cycle {cycle}: {value} USDT at {price} is {contracts} contracts",
    "entry.withdrawn_by_level": "withdrawn: the level is reduce only",
    "entry.withdrawn_for_exit": "withdrawn: an exit has begun",
    "entry.closed_before": "closed before it was entered",
    "entry.closing": "closing",
    "entry.exit_begun": "an exit has begun",
    "entry.too_small": "{value} USDT is less than the smallest order of {smallest} contracts",
    "entry.stop_passed": "the stop-loss {level} has been passed: the price is {price}",
    "entry.target_passed": "the take-profit {level} has been passed: the price is {price}",
    "reopen.never": "not opened again: {why}",
    "reopen.off": "reopening is off for it",
    "reopen.not_after": "it ended by {reason}, which is not reopened",
    "reopen.cycles_done": "all of its {cycles} cycles are done",
    "reopen.budget_lost": "its cycles have lost {lost:,.2f} of at most {budget:,.2f} USDT",
    "reopen.never_entered": "it was never entered",
    "reopen.counts_down": "opens again in {left:clock} ({after})",
    "reopen.waits": "due to open again and waits: {why}",
    "reopen.refused": "due to open again, but the limits refuse it: {why}",
    "reopen.begins": "cycle {cycle} begins ({after}): {value} USDT at {price} is {contracts} contracts",
    "reopen.as_asked": "as asked",
    "reopen.after": "after {reason}",
}
