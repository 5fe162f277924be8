"""The Binance half of the engine: its components, composed for one run and handed to what speaks the Binance wire."""

from core.simulator.binance.engine.account import BinanceAccount
from core.simulator.binance.engine.algo_orders import BinanceAlgoOrders
from core.simulator.binance.engine.listen_key import BinanceListenKey
from core.simulator.binance.engine.order_checks import BinanceOrderChecks
from core.simulator.binance.engine.orders import BinanceOrders
from core.simulator.engine.components import Components
from core.simulator.engine.extension import Extensions


class BinanceContext:
    """The collaborators of the Binance wire; `extensions` is what the engine is given of them."""

    def __init__(self, components: Components) -> None:
        self.exchange, self.margin, self.book = components.exchange, components.margin, components.orders
        self.order_checks = BinanceOrderChecks(components)
        self.orders = BinanceOrders(components, self.order_checks)
        self.algo_orders = BinanceAlgoOrders(self.exchange, self.order_checks, self.orders)
        self.listen_key = BinanceListenKey(self.exchange)
        self.extensions: Extensions = (self.orders, self.algo_orders, self.listen_key)

    @property
    def owner(self) -> BinanceAccount:
        """Return the one account of this side."""
        return self.orders.owner
