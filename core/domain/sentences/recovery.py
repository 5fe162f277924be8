"""Sentences for why a recovery step is taken, waits or is given up."""

from __future__ import annotations

SENTENCES = {
    "recovery.waits": "recovery step {step} waits: {why}",
    "recovery.waits_for_trigger": "recovery step {step} waits: PnL {pnl:usdt}, trigger {trigger:usdt}",
    "recovery.held_back": "recovery step {step} is due at PnL {pnl:usdt} and waits: {why}",
    "recovery.due": "recovery step {step}: PnL {pnl:usdt} is under {trigger:usdt}",
    "recovery.adds": "{because}: adds {quantity} contracts",
    "recovery.begins": "{because}: {contracts} contracts are added by {style}",
    "recovery.refused": "{because}, but the limits refuse it: {why}",
    "recovery.too_small": "{because}, but {value} USDT is less than the smallest order of {least:,.2f} USDT",
    "recovery.step": "recovery step {step}: {what}",
    "recovery.no_answer": "recovery step {step} waits: {order} has no answer",
    "recovery.given_up": "recovery step {step} is given up: {why}",
    "recovery.goes_on_later": "recovery step {step} goes on later: {why}",
    "recovery.no_price": "no price",
    "recovery.entry_filling": "an order that adds to it is filling",
    "recovery.close_under_way": "a close is under way",
    "recovery.protection_set_off": "its protection has been set off",
    "recovery.taken_back": (
        "a step of this cycle was taken back by hand; to save the part's recovery settings allows them again"
    ),
    "recovery.steps_taken": "{taken} of at most {most} steps are taken",
    "recovery.loss_limit": "the loss has reached the limit of {limit} USDT for recovery",
    "recovery.entry_incomplete": "the entry is not complete",
    "recovery.stop_passed": "its stop-loss belongs at {level}, which is passed already",
    "recovery.pause": "the last step was {ago} ago, {pause} lie between two",
    "recovery.closed": "it is being closed",
    "recovery.switched_off": "recovery is switched off",
}
