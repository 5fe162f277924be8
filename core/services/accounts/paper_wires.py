"""Control requests of the paper exchange in the words of each exchange API that it speaks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from core.domain.account import Exchange
from core.domain.instrument import Side

OURS = "-USDT-PERP"  #: how our symbols end


@dataclass(frozen=True, slots=True)
class PaperWire:
    """The words of one exchange's API. Faults are written in OKX's words; `words` has this API's for them."""

    ending: str  #: how its names of contracts end
    opening: Callable[[str, str, Side, str], dict[str, str]]  #: contract, position side, side, size -> a market order
    words: Mapping[str, str] = field(default_factory=dict)

    def contract(self, symbol: str) -> str:
        """Return this exchange's name of a contract."""
        return symbol.removesuffix(OURS) + self.ending

    def word(self, word: str) -> str:
        """Return this exchange's word for one of OKX's."""
        return self.words.get(word, word)


def _open_on_okx(contract: str, position_side: str, side: Side, size: str) -> dict[str, str]:
    buys = "buy" if side is Side.LONG else "sell"
    return {"instId": contract, "posSide": position_side, "side": buys, "ordType": "market", "sz": size}


def _open_on_binance(contract: str, position_side: str, side: Side, size: str) -> dict[str, str]:
    buys = "BUY" if side is Side.LONG else "SELL"
    position = "BOTH" if position_side == "net" else position_side.upper()
    return {"symbol": contract, "side": buys, "positionSide": position, "type": "MARKET", "quantity": size}


WIRES: Mapping[Exchange, PaperWire] = {
    Exchange.OKX: PaperWire("-USDT-SWAP", _open_on_okx),
    Exchange.BINANCE: PaperWire(
        "USDT",
        _open_on_binance,
        {
            "trade/order": "v1/order",
            "account/positions": "positionRisk",
            "orders": "ORDER_TRADE_UPDATE",
            "51008": "-2019",
            "50013": "-1001",
        },
    ),
}
