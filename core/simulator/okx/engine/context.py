"""The OKX half of the engine: its components, composed for one run and handed to what speaks the OKX wire."""

from core.simulator.engine.components import Components
from core.simulator.engine.extension import Extensions
from core.simulator.okx.engine.algo_order import OkxAlgoBook
from core.simulator.okx.engine.algo_orders import OkxAlgoOrders
from core.simulator.okx.engine.order_checks import OkxOrderChecks
from core.simulator.okx.engine.orders import OkxOrders


class OkxContext:
    """The collaborators of the OKX wire; `extensions` is what the engine is given of them."""

    def __init__(self, components: Components) -> None:
        self.exchange, self.margin, self.book = components.exchange, components.margin, components.orders
        self.algo_book = OkxAlgoBook()
        self.order_checks = OkxOrderChecks(self.exchange, self.algo_book)
        self.algo_orders = OkxAlgoOrders(components, self.order_checks, self.algo_book)
        self.orders = OkxOrders(components, self.order_checks, self.algo_orders)
        self.extensions: Extensions = (self.orders, self.algo_orders)
