"""Sentences about differences between exchange and book, and what is done about them."""

from __future__ import annotations

SENTENCES = {
    "totals.more_than_ours": "the exchange holds {residual} contracts more than our parts; they are left alone",
    "totals.more_ignored": "the exchange holds {residual} contracts more than our parts; ignored as asked",
    "totals.looks_again": "{missing} contracts of ours are gone; looking again before booking it",
    "totals.waits_for_fill": "{missing} contracts of ours are gone; waits for the fill, as asked",
    "totals.looks_for_fill": "{missing} contracts of ours are gone; looking for the fill that closed them",
    "totals.booked_at_mark": (
        "{missing} contracts of ours are gone and no fill explains it; booked at the mark price {mark}"
    ),
    "totals.asks_whose": (
        "{missing} contracts of a shared position were closed by hand; asks which parts they were of"
    ),
    "totals.closed_by_others": ("{quantity} contracts were closed at {price} by an order that is not ours ({reason})"),
    "totals.divided": "{what}; divided {how}",
    "balance.closed_beyond": "{part} closed {missing} contracts more than it held: two of its exits filled",
    "balance.no_answer": "{what}; waits for the answer to {order}",
    "balance.looks_again": "{what}; looks again before it is put right",
    "balance.brought_back": "{what}; brought back at market",
    "balance.cannot_now": "{what}; cannot be brought back now: {why}",
    "balance.booked": ("{quantity} contracts were closed by the exits of {part} at {price}; not brought back: {why}"),
    "balance.not_tradable": "the contract cannot be traded now",
    "balance.too_small": "the smallest order is {smallest}",
    "balance.refused": "refused {ago} ago: {words}",
    "sweep.left_over": "{order} belongs to no open part",
    "sweep.foreign": "{orders} orders here are not ours and are left alone",
    "difference.outdated": "the difference that was answered with {choice} is no longer what it was",
    "difference.contracts": "{contracts}",
    "difference.residual": "The exchange holds {residual} contracts more than our parts: somebody else opened them.",
    "difference.reduced": (
        "{missing} contracts were closed by hand, and several parts hold this position: which of them lose it?"
    ),
    "difference.shortfall": ("{missing} contracts of our parts are gone at the exchange, and no fill tells why yet."),
    "difference.net_mode": (
        "The account is one-way and its other side is taken: "
        "close that, or switch the account to long/short mode (hedge mode) at the exchange."
    ),
    "difference.hedge_mode": "long/short mode",
    "difference.one_way": "one-way",
    "difference.leverage": (
        "The position stands at {theirs} and its parts were opened with {ours}; "
        "the bot sets a part's leverage again before its next order."
    ),
    "difference.times": "{leverage}x",
    "difference.leverages": "{leverages}",
    "difference.orders": "{orders}",
    "difference.foreign_orders": (
        "{orders} orders beside our parts are not ours and are left alone: {which}. "
        "Cancel them where they were placed, or ignore them."
    ),
    "difference.order": "{side} {kind} {quantity}",
}
