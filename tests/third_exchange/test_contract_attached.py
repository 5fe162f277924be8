"""tests/contract/test_attached.py on the toy exchange."""

from tests.contract import test_attached as contract
from tests.third_exchange.suite import adopt

adopt(contract, globals())
