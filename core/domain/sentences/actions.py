"""Sentences for the bot's actions at the exchange and in its book, as events show them: one code for each class of
action.
"""

from __future__ import annotations

SENTENCES = {
    "action.place_order": "place order {client_order_id} {quantity}",
    "action.place_order_at": "place order {client_order_id} {quantity} at {price}",
    "action.place_oco": "place oco {client_order_id} {quantity}: TP {tp}, SL {sl}",
    "action.amend_order": "amend order {client_order_id} {quantity} TP {tp_was} to {tp}, SL {sl_was} to {sl}",
    "action.amend_limit_order": "amend order {client_order_id} {quantity} at {price}",
    "action.cancel_order": "cancel order {client_order_id}",
    "action.start_cycle": "start cycle {cycle}: {contracts} at {price}",
    "action.start_step": "start step {step}: {contracts}",
    "action.execution_over": "execution over {contracts}",
    "action.book_exit": "book exit {quantity} at {price}: {reason}",
    "action.end_cycle": "end cycle {cycle}: {reason}",
    "action.let_go": "let go",
    "action.reduce": "reduce to {to}",
    "action.reduction_done": "reduction done at {goal}",
    "action.forget_answer": "forget answer to {kind}",
    "action.raise_alarm": "raise alarm {subject}",
}
