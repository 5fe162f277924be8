"""Compares the protection of one part that rests with what should rest, both legs in one order or one of two.

The last stop of a part is never cancelled here while the part has size. New comes before old only where the
part owns the whole position; everywhere else the resting order is amended in place, or, where the exchange
cannot amend, cancelled first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from core.decision.order_terms import trigger_by
from core.decision.placements import Placements
from core.decision.rules.closing import closes_at_market
from core.decision.view import DEBOUNCE, View, skip
from core.domain.action import (
    AmendOrder,
    CancelOrder,
    Command,
    Decision,
    OutcomeKind,
    PlaceOco,
    PlaceOrder,
    RaiseAlarm,
    Rule,
)
from core.domain.ids import net_of
from core.domain.intent import WhenRefused
from core.domain.money import Contracts, Price
from core.domain.order import Leg, Order, OrderKind, Purpose
from core.domain.part import Part
from core.domain.reason import Reason

_LEG_PURPOSE = {Leg.STOP_LOSS: Purpose.STOP_LOSS, Leg.TAKE_PROFIT: Purpose.TAKE_PROFIT}
_ANY_LEG = (Purpose.PROTECT, Purpose.TAKE_PROFIT, Purpose.STOP_LOSS)
_CLOSING = (Purpose.CLOSE, Purpose.STOP_LOSS, Purpose.TAKE_PROFIT)
_UNWANTED = {
    None: Reason("protection.no_longer_wanted"),
    Leg.STOP_LOSS: Reason("protection.no_stop_wanted"),
    Leg.TAKE_PROFIT: Reason("protection.no_target_wanted"),
}
_PLACED = {
    None: Reason("protection.placed"),
    Leg.STOP_LOSS: Reason("protection.stop_placed"),
    Leg.TAKE_PROFIT: Reason("protection.target_placed"),
}


@dataclass(frozen=True, slots=True)
class Protection:
    """The protection that should rest on the exchange for a part."""

    quantity: Contracts
    tp: Price | None
    sl: Price | None


class ProtectionRule:
    """Decides the protection of one part: both legs in one order, or one of the two legs."""

    def __init__(self, part: Part, view: View, leg: Leg | None = None) -> None:
        self.part, self.view, self.leg = part, view, leg
        self.purpose = Purpose.PROTECT if leg is None else _LEG_PURPOSE[leg]
        self.placements = Placements(part, view, self.purpose)
        tp = part.take_profit_price() if leg is not Leg.STOP_LOSS else None
        sl = part.stop_price() if leg is not Leg.TAKE_PROFIT else None
        self.wanted = Protection(self._whole_steps(part.size), tp, sl)
        self.surely = self._whole_steps(view.surely_held(part))
        self.live = tuple(order for order in part.protection if self._is_mine(order))

    def _is_mine(self, order: Order) -> bool:
        if self.leg is None:
            return True
        trigger = order.sl_trigger if self.leg is Leg.STOP_LOSS else order.tp_trigger
        return trigger is not None and not order.triggered_leg

    def decide(self) -> Iterator[Decision]:
        part, wanted, live = self.part, self.wanted, self.live
        if wanted.tp is None and wanted.sl is None:
            for order in live:
                yield self._do(_UNWANTED[self.leg], CancelOrder(part.name, order))
            return
        live = tuple(order for order in live if not self._came_with_the_unknown(order))
        keeper = self._keeper(live)
        closing = closes_at_market(part, self.view)
        if keeper is None:
            if closing and self.view.unresolved(part, Purpose.CLOSE) is None:
                yield self._skip(Reason("protection.closed_now"))
            else:
                yield from self._bare()
        elif not closing:
            yield from self._adjust(keeper, live)

    # -- nothing rests ------------------------------------------------------------------------------------

    def _bare(self) -> Iterator[Decision]:
        part, view, wanted = self.part, self.view, self.wanted
        waits = self._waits_for_an_answer(bare=True)
        if waits is not None:
            yield self._skip(waits)
            return
        placements, last = self.placements, self.placements.newest
        if self.surely < part.instrument.min_quantity:
            yield self._skip(Reason("protection.position_smaller"))
            return
        passed = self._passed(wanted)
        if passed is None and last is not None and last.outcome is OutcomeKind.REFUSED:
            passed = self._passed_by_refusal(last.code)
        if passed is not None:
            yield from self._close_now(*passed)
            return
        if last is not None and last.outcome is not OutcomeKind.LOST and placements.too_soon_after(last, self.surely):
            ago = view.now - last.recorded_at
            if last.words:
                yield self._skip(Reason("protection.too_soon_after", ago=ago, words=last.words))
            else:
                yield self._skip(Reason("protection.too_soon", ago=ago))
            return
        if last is not None and last.outcome is OutcomeKind.REFUSED:
            subject = "target-refused" if self.leg is Leg.TAKE_PROFIT else "protection-refused"
            yield self._alarm(subject, self._refused(last.words))
            unguarded, bare = part.intent.unguarded, self.placements.refused_for
            if unguarded.then is WhenRefused.CLOSE and wanted.sl is not None and bare >= unguarded.longest:
                why = Reason("protection.bare_too_long", bare=bare, allowed=unguarded.longest)
                yield from self._close_now(Purpose.CLOSE, why)
                return
            if unguarded.then is WhenRefused.ALARM:
                yield self._skip(Reason("protection.left_bare"))
                return
            if self.placements.against_the_rules(last, self.surely):
                yield self._skip(Reason("protection.refused_again"))
                return
        yield self._do(_PLACED[self.leg], self._place(self.surely))

    def _refused(self, words: str) -> Reason:
        if self.leg is None:
            return Reason("protection.refused", words=words)
        if self.leg is Leg.STOP_LOSS:
            return Reason("protection.stop_refused", words=words)
        return Reason("protection.target_refused", words=words)

    def _close_now(self, purpose: Purpose, why: Reason) -> Iterator[Decision]:
        """Close at market where the price of a leg is passed already, as the leg would have done."""
        part, view = self.part, self.view
        waits = self._waits_for_an_answer(bare=True) or self._asks(view.unresolved(part, *_CLOSING, resting=False))
        if waits is not None:
            yield self._skip(waits)
            return
        if part.closes_working:  # at a limit: it could fill beside the order at market
            for order in part.closes_working:
                yield self._do(Reason("protection.limit_close_first", why=why), CancelOrder(part.name, order))
            return
        last = view.newest(part, purpose, resting=False)
        if last is not None and last.outcome is OutcomeKind.REFUSED and view.now - last.recorded_at < DEBOUNCE:
            yield self._skip(Reason("protection.close_refused", words=last.words))
            return
        quantity = Contracts(min(self.surely, part.instrument.max_market_quantity))
        if quantity < part.instrument.min_quantity:
            yield self._skip(Reason("protection.close_position_smaller", why=why))
            return
        side = part.side.closing
        yield self._do(
            Reason("protection.closes", why=why),
            PlaceOrder(
                part=part.name,
                cycle=part.intent.cycle,
                client_order_id=view.next_id(part, purpose, side, OrderKind.MARKET, quantity),
                purpose=purpose,
                symbol=part.intent.key.symbol,
                position_side=part.side,
                side=side,
                kind=OrderKind.MARKET,
                quantity=quantity,
                reduce_only=True,
            ),
        )

    def _came_with_the_unknown(self, order: Order) -> bool:
        """Return whether an attached protection's own order has no answer yet: it guards only what that may have
        filled.
        """
        return any(net_of(one.client_order_id) == order.client_order_id for one in self.view.unanswered(self.part))

    # -- something rests ----------------------------------------------------------------------------------

    def _adjust(self, keeper: Order, live: tuple[Order, ...]) -> Iterator[Decision]:
        part, view = self.part, self.view
        missing = None if self._same_legs(keeper) else self._passed(self._without(keeper))
        if missing is not None:
            yield from self._close_now(*missing)
            return
        yield from self._keep_what_is_passed(keeper)
        wanted = self.wanted
        surplus = [order for order in live if order is not keeper]
        change = self._change(keeper)
        if change is None:
            if surplus:
                for order in surplus:
                    yield self._do(Reason("protection.surplus"), CancelOrder(part.name, order))
            elif view.seen.facts.native_oco and not keeper.dies_with_position and view.alone(part):
                yield from self._upgrade()
            else:
                yield self._skip(Reason("protection.in_place", levels=self._levels(), quantity=wanted.quantity))
            return
        if surplus and not view.alone(part):
            for order in surplus:
                yield self._do(Reason("protection.one_only"), CancelOrder(part.name, order))
        if view.seen.facts.can_amend_triggers and self._same_legs(keeper):
            why = Reason("protection.amended", levels=self._levels(), quantity=wanted.quantity)
            yield self._do(why, change)
        else:
            yield from self._replace(keeper)

    def _keep_what_is_passed(self, keeper: Order) -> Iterator[Decision]:
        """Keep the resting level where it was edited to one that would trigger at once."""
        wanted = self.wanted
        if keeper.sl_trigger != wanted.sl and self._passed(Protection(wanted.quantity, None, wanted.sl)):
            why = Reason("protection.stop_stays", level=wanted.sl, resting=keeper.sl_trigger)
            yield self._alarm("stop-passed", why)
            self.wanted = replace(self.wanted, sl=keeper.sl_trigger)
        if keeper.tp_trigger != wanted.tp and self._passed(Protection(wanted.quantity, wanted.tp, None)):
            why = Reason("protection.target_stays", level=wanted.tp, resting=keeper.tp_trigger)
            yield self._alarm("target-passed", why)
            self.wanted = replace(self.wanted, tp=keeper.tp_trigger)

    def _change(self, keeper: Order) -> AmendOrder | None:
        wanted = self.wanted
        quantity = wanted.quantity if keeper.quantity != wanted.quantity else None
        tp = wanted.tp if keeper.tp_trigger != wanted.tp else None
        sl = wanted.sl if keeper.sl_trigger != wanted.sl else None
        if quantity is None and tp is None and sl is None and self._same_legs(keeper):
            return None
        return AmendOrder(self.part.name, keeper, quantity=quantity, tp_trigger=tp, sl_trigger=sl)

    def _without(self, keeper: Order) -> Protection:
        """Return the wanted legs that do not rest at all."""
        wanted = self.wanted
        tp = wanted.tp if keeper.tp_trigger is None else None
        sl = wanted.sl if keeper.sl_trigger is None else None
        return Protection(wanted.quantity, tp, sl)

    def _same_legs(self, keeper: Order) -> bool:
        return (keeper.tp_trigger is None, keeper.sl_trigger is None) == (
            self.wanted.tp is None,
            self.wanted.sl is None,
        )

    def _upgrade(self) -> Iterator[Decision]:
        """Replace the protection attached to the entry by an OCO that ends with the position."""
        blocked = self._placement_blocked()
        if blocked is not None:
            levels, quantity = self._levels(), self.wanted.quantity
            yield self._skip(Reason("protection.in_place_waits", levels=levels, quantity=quantity, why=blocked))
            return
        yield self._do(Reason("protection.upgraded"), self._place(self.wanted.quantity))

    def _replace(self, keeper: Order) -> Iterator[Decision]:
        """Replace what cannot be amended: new before old where the part is alone, else old away first."""
        blocked = self._placement_blocked()
        if blocked is not None:
            yield self._skip(blocked)
        elif self.view.alone(self.part):
            yield self._do(Reason("protection.exchanged", levels=self._levels()), self._place(self.wanted.quantity))
        else:
            yield self._do(Reason("protection.old_first"), CancelOrder(self.part.name, keeper))

    def _waits_for_an_answer(self, *, bare: bool = False) -> Reason | None:
        """Return why to wait: a placement that guards this part, or did what its legs would do, may yet arrive.

        A bare part that has the position to itself does not wait for its stop: a second one can close nothing of
        anybody else's, and goes when both turn out to rest. It is spaced from the first as any other.
        """
        purposes = _ANY_LEG if self.leg is None else (self.purpose,)
        unknown = [command for command in self.view.unanswered(self.part) if command.purpose in purposes]
        resting = len(unknown) == 1 and unknown[0].kind.rests_on_trigger
        if bare and resting and self.leg is not Leg.TAKE_PROFIT and self.view.alone(self.part):
            return None
        return self._asks(unknown[0] if unknown else None)

    def _asks(self, unknown: Command | None) -> Reason | None:
        if unknown is None:
            return None
        since = self.view.now - unknown.recorded_at
        return Reason("protection.asks", order=unknown.client_order_id, since=since)

    def _placement_blocked(self) -> Reason | None:
        waits = self._waits_for_an_answer()
        if waits is not None:
            return waits
        last = self.placements.newest
        if last is not None and self.placements.too_soon_after(last, self.wanted.quantity):
            return Reason("protection.too_soon", ago=self.view.now - last.recorded_at)
        if last is not None and self.placements.against_the_rules(last, self.surely):
            return Reason("protection.refused_again_for", words=last.words)
        return None

    def _whole_steps(self, quantity: Contracts) -> Contracts:
        """Return how much of it can be ordered: all, unless the contract's step has grown since it was entered."""
        instrument = self.part.instrument
        return instrument.round_quantity(quantity) if quantity % instrument.quantity_step else quantity

    # -- helpers ------------------------------------------------------------------------------------------

    def _keeper(self, live: tuple[Order, ...]) -> Order | None:
        """Return the order that stays: right legs, quantity and levels, then ours before the attached one, then the
        oldest.
        """
        if len(live) < 2:
            return live[0] if live else None
        wanted = self.wanted
        tp_passed = self._passed(Protection(wanted.quantity, wanted.tp, None)) is not None
        sl_passed = self._passed(Protection(wanted.quantity, None, wanted.sl)) is not None

        def rank(order: Order) -> tuple[bool, bool, bool, bool, Decimal, str]:
            return (
                not self._same_legs(order),
                order.quantity != wanted.quantity,
                not (tp_passed or order.tp_trigger == wanted.tp) or not (sl_passed or order.sl_trigger == wanted.sl),
                not order.dies_with_position,
                -order.quantity,
                order.client_order_id,
            )

        return min(live, key=rank)

    def _place(self, quantity: Contracts) -> PlaceOco:
        part, wanted = self.part, self.wanted
        side, kind = part.side.closing, OrderKind.OCO if wanted.tp and wanted.sl else OrderKind.CONDITIONAL
        return PlaceOco(
            part=part.name,
            cycle=part.intent.cycle,
            client_order_id=self.view.next_id(part, self.purpose, side, kind, quantity),
            symbol=part.intent.key.symbol,
            position_side=part.side,
            side=side,
            quantity=quantity,
            tp_trigger=wanted.tp,
            sl_trigger=wanted.sl,
            trigger_by=trigger_by(part),
            purpose=self.purpose,
            dies_with_position=self.view.seen.facts.native_oco,
            price_protect=self.view.desired.price_protect,
        )

    def _passed(self, wanted: Protection) -> tuple[Purpose, Reason] | None:
        """Return the leg whose price is passed already, the stop first; None where there is none."""
        price = self.view.price_by(trigger_by(self.part))
        if price is None:
            return None
        sign = Decimal(self.part.side.sign)
        if wanted.sl is not None and (price - wanted.sl) * sign <= 0:
            return Purpose.STOP_LOSS, Reason("protection.stop_passed", level=wanted.sl, price=price)
        if wanted.tp is not None and (wanted.tp - price) * sign <= 0:
            return Purpose.TAKE_PROFIT, Reason("protection.target_passed", level=wanted.tp, price=price)
        return None

    def _passed_by_refusal(self, code: str) -> tuple[Purpose, Reason] | None:
        facts = self.view.seen.facts
        if code in facts.stop_passed_codes and self.leg is not Leg.TAKE_PROFIT:
            return Purpose.STOP_LOSS, Reason("protection.stop_passed_there", level=self.wanted.sl)
        if code in facts.target_passed_codes:
            return Purpose.TAKE_PROFIT, Reason("protection.target_passed_there", level=self.wanted.tp)
        return None

    def _skip(self, because: Reason) -> Decision:
        return skip(self.part, Rule.PROTECT, because)

    def _do(self, because: Reason, action: PlaceOco | PlaceOrder | AmendOrder | CancelOrder) -> Decision:
        return Decision(self.part.name, Rule.PROTECT, because, action)

    def _alarm(self, subject: str, why: Reason) -> Decision:
        alarm = RaiseAlarm(self.part.name, f"{subject}/{self.part.name}", why)
        return Decision(self.part.name, Rule.PROTECT, why, alarm)

    def _levels(self) -> Reason:
        """Return the levels that rest or are to rest, as a reason."""
        if self.leg is None:
            return Reason("protection.levels", tp=self.wanted.tp, sl=self.wanted.sl)
        if self.leg is Leg.STOP_LOSS:
            return Reason("protection.stop_level", sl=self.wanted.sl)
        return Reason("protection.target_level", tp=self.wanted.tp)
