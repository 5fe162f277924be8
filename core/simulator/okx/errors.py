"""The exchange's reasons in OKX's codes and words (OKX V5 docs, error codes), and the error every handler may raise."""

from core.simulator.engine.state import Refusal

CODES: dict[str, tuple[str, str]] = {
    "unknown_instrument": ("51001", "Instrument ID, Instrument ID code, or Spread ID doesn't exist."),
    "account_mode": ("51010", "You can't complete this request under your current account mode."),
    "suspended": ("51022", "Contract suspended."),
    "parameter": ("51000", "Parameter {} error"),
    "too_small": ("51020", "Your order should meet or exceed the minimum order amount."),
    "lot": ("51121", "Order quantity must be a multiple of the lot size."),
    "market_size": ("51202", "Market order amount exceeds the maximum amount."),
    "limit_size": ("51202", "Order amount exceeds the maximum amount."),
    "stop_size": ("51275", "The total size of per-order stop order exceeds the maximum."),
    "duplicate_id": ("51016", "Client order ID already exists."),
    "price_band": ("51006", "Order price is not within the price limit (max buy price, min sell price: {})."),
    "margin": ("51008", "Order failed. Insufficient USDT margin in account."),
    "nothing_to_close": ("51169", "Order failed because you don't have any positions in this direction to close."),
    "reduce_only_same_direction": ("51170", "Reduce-only orders can't go in your positions' own direction."),
    "oversize_close": ("51112", "Close order size exceeds your available size."),
    "no_position": ("51023", "Position does not exist."),
    "close_orders_pending": ("51115", "Cancel all pending close-orders before liquidation."),
    "cancel_gone": ("51400", "Order cancellation failed as the order has been filled, canceled or does not exist."),
    "amend_gone": ("51503", "Your order has already been filled or canceled."),
    "not_found": ("51603", "Order does not exist"),
    "mode_in_use": ("59000", "Setting failed. Cancel any open orders, close positions, and stop trading bots first."),
    "leverage_too_high": ("59102", "Leverage exceeds the maximum limit. Please lower the leverage."),
    "leverage_orders_pending": ("59107", "Leverage can't be modified. Please cancel all pending orders first."),
    "leverage_algos_pending": ("59669", "Cancel pending cross-margin TP/SL, trailing, trigger or chase orders first."),
    "leverage_too_low": ("59108", "Low leverage and insufficient margin, please adjust the leverage."),
    "attached_to_closing": ("51100", "Unable to place order with TP/SL: it is a closing or reduce-only order."),
    "attached_empty": ("51178", "tpTriggerPx and slTriggerPx can't both be empty when attaching TP/SL."),
    "attached_id_used": ("51068", "{} already exists within algoClOrdId and attachAlgoClOrdId."),
    "attached_tp_buy_price": ("51046", "The take profit trigger price must be higher than the order price"),
    "attached_sl_buy_price": ("51047", "The stop loss trigger price must be lower than the order price"),
    "attached_tp_sell_price": ("51048", "The take profit trigger price must be lower than the order price"),
    "attached_sl_sell_price": ("51049", "The stop loss trigger price must be higher than the order price"),
    "attached_tp_buy_market": ("51050", "The take profit trigger price must be higher than the best ask price"),
    "attached_sl_buy_market": ("51051", "The stop loss trigger price must be lower than the best ask price"),
    "attached_tp_sell_market": ("51052", "The take profit trigger price must be lower than the best bid price"),
    "attached_sl_sell_market": ("51053", "The stop loss trigger price must be higher than the best bid price"),
    "duplicate_algo_id": ("51065", "algoClOrdId already exists."),
    "tp_buy_last": ("51277", "TP trigger price cannot be higher than the last price"),
    "sl_buy_last": ("51278", "SL trigger price cannot be lower than the last price"),
    "tp_sell_last": ("51279", "TP trigger price cannot be lower than the last price"),
    "sl_sell_last": ("51280", "SL trigger price cannot be higher than the last price"),
    "tp_buy_mark": ("51300", "TP trigger price cannot be higher than the mark price"),
    "sl_buy_mark": ("51302", "SL trigger price cannot be lower than the mark price"),
    "tp_sell_mark": ("51303", "TP trigger price cannot be lower than the mark price"),
    "sl_sell_mark": ("51304", "SL trigger price cannot be higher than the mark price"),
    "tp_buy_index": ("51305", "TP trigger price cannot be higher than the index price"),
    "sl_buy_index": ("51306", "SL trigger price cannot be lower than the index price"),
    "tp_sell_index": ("51307", "TP trigger price cannot be lower than the index price"),
    "sl_sell_index": ("51308", "SL trigger price cannot be higher than the index price"),
    "trigger_reduce_only": ("51205", "Reduce Only is not available."),
    "close_fraction_exists": ("51088", "You can only place 1 TP/SL order to close an entire position."),
    "close_fraction_kind": ("51327", "closeFraction is only available for futures and perpetual swaps."),
    "tied_needs_reduce_only": ("51328", "cxlOnClosePos is only applicable to reduce-only orders."),
    "callback_ratio": ("51257", "Trailing percentage should be in the range of 0.1% to 100%."),
    "algo_triggered": ("51416", "Order has been triggered and can't be canceled."),
    "amend_algo_gone": ("51527", "Order modification failed. At least 1 of the attached TP/SL orders does not exist."),
    "amend_algo_kind": ("51529", "Modification failed. This type of order can't be modified."),
    "amend_close_fraction": ("51523", "Unable to modify the order size of a full-position TP/SL."),
}  # fmt: skip


class OkxError(Exception):
    """An answer that is not code 0."""

    def __init__(self, code: str, message: str, http: int = 200, bare: bool = False) -> None:
        super().__init__(code, message)
        self.code, self.message, self.http, self.bare = code, message, http, bare


def coded(refusal: Refusal) -> tuple[str, str]:
    """Return OKX's code and words for a refusal."""
    code, words = CODES[refusal.reason]
    return code, words.format(refusal.detail) if "{}" in words else words


def fail_code(reason: str) -> str:
    """Return the code of a reason; codes themselves pass."""
    return CODES[reason][0] if reason in CODES else reason


def parameter(name: str) -> OkxError:
    """Return the error of a parameter whose value is not valid."""
    return OkxError("51000", f"Parameter {name} error")
