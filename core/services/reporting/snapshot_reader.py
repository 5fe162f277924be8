"""Reads an account's newest snapshot for services that compute with it; a missing one is an error."""

from __future__ import annotations

from core.domain.errors import Misconfigured, Unavailable
from core.domain.instrument import Instrument
from core.domain.reason import Reason
from core.domain.snapshot import AccountSnapshot
from db.store import Store


def newest_snapshot(store: Store, account: str) -> AccountSnapshot:
    """Return the newest snapshot of an account. Raises Unavailable where there is none yet."""
    found = store.snapshots.latest(account)
    if found is None:
        raise Unavailable(Reason("snapshot.none", account=account))
    return found


def instrument_of(snapshot: AccountSnapshot, symbol: str) -> Instrument:
    """Return the rules of a contract. Raises Misconfigured for a contract that is not offered."""
    found = snapshot.instruments.get(symbol)
    if found is None:
        offered = tuple(snapshot.instruments) or Reason("snapshot.no_contract_yet")
        allowed = Reason("allowed.one_of", all=offered)
        raise Misconfigured(Reason("range.not_offered", field=Reason("field.contract"), value=symbol, allowed=allowed))
    return found
