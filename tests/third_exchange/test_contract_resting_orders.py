"""tests/contract/test_resting_orders.py on the toy exchange."""

from tests.contract import test_resting_orders as contract
from tests.third_exchange.suite import adopt

adopt(contract, globals())
