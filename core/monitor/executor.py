"""Performs one action and records its outcome; the only file that writes to an exchange.

A placement is committed to the book before it is sent, under an epoch that only one bot holds. Its ending is
one of three: done, refused, unknown. Unknown is left for the observer to ask about; nothing is sent again.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from core.alerts import Alerts
from core.clock import Clock
from core.domain.account import PositionKey
from core.domain.action import (
    Action,
    AmendOrder,
    BookExit,
    CancelOrder,
    EndCycle,
    ExecutionOver,
    ForgetAnswer,
    LetGo,
    OutcomeKind,
    PlaceOco,
    PlaceOrder,
    RaiseAlarm,
    Reduce,
    ReductionDone,
    StartCycle,
    StartStep,
)
from core.domain.errors import OutcomeUnknown, Refused
from core.domain.intent import Intent
from core.domain.order import Order, OrderKind, OrderStatus
from core.domain.reason import Reason
from core.exchange.port import ExchangePort
from core.monitor.lease import Lease
from core.monitor.order_tracker import OrderTracker
from db.recorder import TradeRecorder
from db.store import Store

log = logging.getLogger("perpdeck.executor")

LATE_FACTS = timedelta(minutes=1)  #: funding and fills are asked for from so long before a cycle began


class TradeExecutor:
    """Performs the actions that `plan` decided for one account."""

    def __init__(
        self,
        account: str,
        port: ExchangePort,
        store: Store,
        recorder: TradeRecorder,
        tracker: OrderTracker,
        lease: Lease,
        alerts: Alerts,
        clock: Clock,
    ) -> None:
        self.account, self.port, self.store, self.recorder = account, port, store, recorder
        self.tracker, self.lease, self.alerts, self.clock = tracker, lease, alerts, clock
        self.rules_doubted = False  #: a contract's rules refused a request: they may have changed since they were read

    def perform(self, key: PositionKey, action: Action, life: str = "") -> OutcomeKind:
        """Perform the action and record how it ended. Raises Unavailable where the book cannot be written or read."""
        match action:
            case PlaceOrder() | PlaceOco():
                return self._place(key, action)
            case AmendOrder():
                return self._change(action, "amend")
            case CancelOrder():
                return self._change(action, "cancel")
            case EndCycle():
                self._end_cycle(key, action, life)
            case StartCycle():
                self.store.cycles.start(action, self.clock.now())
            case StartStep():
                self.store.cycles.start_step(action, self.clock.now())
            case ExecutionOver():
                self.store.cycles.execution_over(action)
            case BookExit():
                self.store.cycles.book_exit(self.account, action)
            case LetGo():
                self.store.cycles.let_go(action.part, action.cycle)
            case ForgetAnswer():
                self.store.differences.forget_answer(key, action.kind, action.mark)
            case Reduce():
                self.store.cycles.reduce(action)
            case ReductionDone():
                self.store.cycles.reduction_done(action.part, action.goal)
            case RaiseAlarm():
                if self.store.alarms.raise_alarm(self.account, action.subject, action.words, self.clock.now()):
                    self.alerts.say(self.account, action.subject, str(action.words))
        return OutcomeKind.DONE

    # -- to the exchange -------------------------------------------------------------------------------------

    def _place(self, key: PositionKey, action: PlaceOrder | PlaceOco) -> OutcomeKind:
        epoch = self.lease.epoch_for_sending()
        self.store.orders.record(self.account, key, action, epoch, self.clock.now())
        outcome, code, words, exchange_id = self._send(action)
        now = self.clock.now()
        if outcome is OutcomeKind.DONE:
            self.store.orders.save(self.account, [_placed(action, exchange_id, now)])
        self.store.orders.settle(action.client_order_id, outcome, code, words, now=now)
        log.log(
            logging.INFO if outcome is OutcomeKind.DONE else logging.WARNING,
            "order %s part=%s id=%s quantity=%s code=%s %r",
            outcome,
            action.part,
            action.client_order_id,
            action.quantity,
            code,
            words,
        )
        return outcome

    def _send(self, action: PlaceOrder | PlaceOco) -> tuple[OutcomeKind, str, str, str]:
        deadline = self.lease.deadline(self.port.facts.request_lifetime)
        try:
            if isinstance(action, PlaceOco):
                return OutcomeKind.DONE, "", "", self.port.place_oco(action)
            if action.leverage is not None:
                self._make_leverage(action.symbol, action.leverage)
            return OutcomeKind.DONE, "", "", self.port.place(action, deadline)
        except Refused as refusal:
            self._doubt(refusal)
            kind = OutcomeKind.LOST if refusal.transient else OutcomeKind.REFUSED
            return kind, refusal.exchange_code, refusal.exchange_words or str(refusal), ""
        except OutcomeUnknown as silence:
            return OutcomeKind.UNKNOWN, silence.exchange_code, silence.exchange_words or str(silence), ""

    def _make_leverage(self, symbol: str, leverage: Decimal) -> None:
        """Set the leverage before an order; a missing answer counts as a temporary refusal, as nothing has been placed
        yet.
        """
        try:
            self.port.set_leverage(symbol, leverage)
        except Refused as refusal:
            said = refusal.exchange_words or str(refusal)
            words = str(Reason("executor.leverage_refused", leverage=leverage, words=said))
            raise Refused(
                str(refusal), exchange_code=refusal.exchange_code, exchange_words=words, transient=refusal.transient
            ) from refusal
        except OutcomeUnknown as silence:
            why = Reason("executor.leverage_unconfirmed", leverage=leverage, why=silence.reason)
            raise Refused(why, transient=True) from silence

    def _change(self, action: AmendOrder | CancelOrder, verb: str) -> OutcomeKind:
        self.lease.epoch_for_sending()
        name = action.order.client_order_id or action.order.exchange_order_id
        try:
            if isinstance(action, AmendOrder):
                self.port.amend(action)
            else:
                self.port.cancel(action)
        except Refused as refusal:
            self._doubt(refusal)
            log.warning("%s refused part=%s id=%s code=%s %s", verb, action.part, name, refusal.exchange_code, refusal)
            return OutcomeKind.REFUSED
        except OutcomeUnknown as silence:
            log.warning("%s without answer part=%s id=%s %s", verb, action.part, name, silence)
            return OutcomeKind.UNKNOWN
        log.info("%s done part=%s id=%s", verb, action.part, name)
        return OutcomeKind.DONE

    def _doubt(self, refusal: Refused) -> None:
        self.rules_doubted = self.rules_doubted or refusal.exchange_code in self.port.facts.precision_codes

    def hold_both_sides(self) -> None:
        """Switch the account to long/short mode. Raises Refused while anything is held or rests, OutcomeUnknown."""
        self.lease.epoch_for_sending()
        self.port.set_hedge_mode()

    # -- to the book -----------------------------------------------------------------------------------------

    def _end_cycle(self, key: PositionKey, action: EndCycle, life: str) -> None:
        """End a cycle with all its facts: fills and funding are read first, and the end waits for them."""
        now = self.clock.now()
        intent = self.store.parts.intent(action.part)
        began = intent.cycle_started_at if intent else None
        funding = Decimal(0)
        if began is not None and action.entered:
            since = min(began, *self._beside(key.symbol), *_opened(intent, life)) - LATE_FACTS
            self.recorder.record_fills(self.account, self.port.fills(since))
            self.recorder.record_funding(self.account, self.port.funding(since))
            funding = self.store.fills.funding_of(
                self.account, key.symbol, key.side, action.part, action.cycle, began, now
            )
        self.store.cycles.end(self.account, action, funding, life if action.entered else "", now)
        log.info(
            "cycle ended part=%s cycle=%s reason=%s pnl=%s fees=%s funding=%s",
            action.part,
            action.cycle,
            action.reason,
            action.realised_pnl,
            action.fees,
            funding,
        )

    def _beside(self, symbol: str) -> list[datetime]:
        """Return when the parts on the same contract, long and short, began: funding is shared with them."""
        wanted = [one for key, one in self.store.parts.desired(self.account).items() if key.symbol == symbol]
        intents = [intent for one in wanted for intent in one.intents if intent.living]
        return [intent.cycle_started_at for intent in intents if intent.cycle_started_at is not None]


def _opened(intent: Intent | None, life: str) -> list[datetime]:
    """Return when the exchange's position began, where somebody else opened some of what the part holds."""
    stamp = life.rpartition("@")[2]
    taken = intent is not None and intent.external_entries and stamp
    return [datetime.fromtimestamp(int(stamp) / 1000, UTC)] if taken else []


def _placed(action: PlaceOrder | PlaceOco, exchange_id: str, now: datetime) -> Order:
    """Return the order as known the moment the exchange accepted it."""
    both = isinstance(action, PlaceOco) and action.tp_trigger is not None and action.sl_trigger is not None
    return Order(
        client_order_id=action.client_order_id,
        exchange_order_id=exchange_id,
        symbol=action.symbol,
        position_side=action.position_side,
        part=action.part,
        cycle=action.cycle,
        purpose=action.purpose,
        side=action.side,
        kind=(OrderKind.OCO if both else OrderKind.CONDITIONAL) if isinstance(action, PlaceOco) else action.kind,
        quantity=action.quantity,
        status=OrderStatus.WORKING,
        price=None if isinstance(action, PlaceOco) else action.price,
        tp_trigger=action.tp_trigger if isinstance(action, PlaceOco) else None,
        sl_trigger=action.sl_trigger if isinstance(action, PlaceOco) else None,
        trigger_by=action.trigger_by if isinstance(action, PlaceOco) else None,
        reduce_only=True if isinstance(action, PlaceOco) else action.reduce_only,
        dies_with_position=action.dies_with_position if isinstance(action, PlaceOco) else False,
        created_at=now,
        updated_at=now,
    )
