"""The exchange's reasons in Binance's codes and words, and the error that handlers raise (docs, error codes)."""

from core.simulator.engine.state import Refusal

CODES: dict[str, tuple[int, str]] = {
    "bad_parameter": (-1102, "Mandatory parameter '{}' was not sent, was empty/null, or malformed."),
    "precision": (-1111, "Precision is over the maximum defined for this asset."),
    "bad_symbol": (-1121, "Invalid symbol."),
    "suspended": (-4140, "Invalid symbol status for opening position."),
    "no_trading": (-2015, "Invalid API-key, IP, or permissions for action."),
    "margin": (-2019, "Margin is insufficient."),
    "unknown_cancel": (-2011, "Unknown order sent."),
    "unknown_order": (-2013, "Order does not exist."),
    "would_trigger": (-2021, "Order would immediately trigger."),
    "reduce_only": (-2022, "ReduceOnly Order is rejected."),
    "reduce_only_clash": (-2022, "ReduceOnly Order is rejected: it conflicts with existing open reduce-only orders. "
                                 "Please cancel the existing ones and resubmit."),
    "too_many_orders": (-2025, "Reach max open order limit."),
    "leverage_cap": (-2027, "Exceeded the maximum allowable position at current leverage."),
    "leverage_margin": (-2028, "Leverage is smaller than permitted: insufficient margin balance."),
    "price_zero": (-4001, "Price less than 0."),
    "price_high": (-4002, "Price greater than max price."),
    "quantity_zero": (-4003, "Quantity less than zero."),
    "quantity_small": (-4004, "Quantity less than min quantity."),
    "quantity_large": (-4005, "Quantity greater than max quantity."),
    "price_low": (-4013, "Price less than min price."),
    "price_tick": (-4014, "Price not increased by tick size."),
    "client_id": (-4015, "Client order id is not valid."),
    "price_above_band": (-4016, "Limit price can't be higher than {}."),
    "quantity_step": (-4023, "Qty not increased by step size."),
    "price_below_band": (-4024, "Limit price can't be lower than {}."),
    "leverage_invalid": (-4028, "Leverage {} is not valid"),
    "too_many_conditional": (-4045, "Reach max stop order limit."),
    "margin_type_same": (-4046, "No need to change margin type."),
    "margin_type_orders": (-4047, "Margin type cannot be changed if there exists open orders."),
    "margin_type_positions": (-4048, "Margin type cannot be changed if there exists position."),
    "margin_not_isolated": (-4049, "Add margin only support for isolated position."),
    "margin_cross_short": (-4050, "Cross balance insufficient."),
    "margin_isolated_short": (-4051, "Isolated balance insufficient."),
    "margin_no_position": (-4054, "Cannot add position margin: position is 0."),
    "margin_amount": (-4055, "Amount must be positive."),
    "mode_same": (-4059, "No need to change position side."),
    "position_side": (-4061, "Order's position side does not match user's setting."),
    "mode_orders": (-4067, "Position side cannot be changed if there exists open orders."),
    "mode_positions": (-4068, "Position side cannot be changed if there exists position."),
    "duplicate_id": (-4116, "ClientOrderId is duplicated."),
    "reduce_only_margin": (-4118, "ReduceOnly Order Failed. Please check your existing position and open orders."),
    "conditional_here": (-4120, "Order type not supported for this endpoint. Please use the Algo Order API endpoints "
                                "instead."),
    "same_close_position": (-4130, "An open stop or take profit order with GTE and closePosition in the direction is "
                                   "existing."),
    "market_band": (-4131, "The counterparty's best price does not meet the PERCENT_PRICE filter limit."),
    "activation_price": (-4135, "Invalid activation price."),
    "close_position_trailing": (-4136, "Target strategy invalid for orderType {}, closePosition true."),
    "close_position_quantity": (-4137, "Quantity must be zero with closePosition equals true."),
    "close_position_reduce_only": (-4138, "Reduce only must be true with closePosition equals true."),
    "trigger_high": (-4210, "Stop price can't be higher than {}."),
    "trigger_low": (-4211, "Stop price can't be lower than {}."),
    "leverage_isolated": (-4161, "Leverage reduction is not supported in Isolated Margin Mode with open positions."),
    "notional": (-4164, "Order's notional must be no smaller than {} (unless you choose reduce only)."),
    "multi_assets_isolated": (-4167, "Unable to adjust to Multi-Assets mode with symbols of USDⓈ-M Futures under "
                                     "isolated-margin mode."),
    "margin_type_multi_assets": (-4168, "Unable to adjust to isolated-margin mode under the Multi-Assets mode."),
    "multi_assets_same": (-4171, "No need to change Multi-Assets mode."),
    "no_position_gte": (-4509, "Time in Force (TIF) GTE can only be used with open positions. Please ensure that "
                               "positions are available."),
    "fok": (-5021, "Due to the order could not be filled immediately, the FOK order has been rejected. The order will "
                   "not be recorded in the order history."),
    "post_only": (-5022, "Due to the order could not be executed as maker, the Post Only order will be rejected. The "
                         "order will not be recorded in the order history."),
    "amend_often": (-5026, "The order has reached its modification limit."),
    "amend_same": (-5027, "No need to modify the order."),
    "amend_side": (-1117, "Invalid side."),
    "reduce_only_hedged": (-1106, "Parameter 'reduceonly' sent when not required."),
    "no_position": (-2022, "ReduceOnly Order is rejected."),
    "cancel_gone": (-2011, "Unknown order sent."),
}  # fmt: skip


class BinanceError(Exception):
    """An answer that is not 200: HTTP status, code and words."""

    def __init__(self, code: int, message: str, http: int = 400) -> None:
        super().__init__(code, message)
        self.code, self.message, self.http = code, message, http

    @property
    def body(self) -> dict[str, object]:
        """Return the JSON of the answer."""
        return {"code": self.code, "msg": self.message}


def coded(refusal: Refusal) -> BinanceError:
    """Return Binance's answer to a refusal."""
    code, words = CODES[refusal.reason]
    return BinanceError(code, words.format(refusal.detail) if "{}" in words else words)


def missing(name: str) -> BinanceError:
    """Return the error of a parameter that is absent or malformed."""
    return BinanceError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def malformed(name: str) -> BinanceError:
    """Return the error of a parameter whose value is not valid."""
    return BinanceError(-1130, f"Data sent for parameter '{name}' is not valid.")
