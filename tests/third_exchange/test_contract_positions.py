"""tests/contract/test_positions.py on the toy exchange."""

from tests.contract import test_positions as contract
from tests.third_exchange.suite import adopt

adopt(contract, globals())
