"""tests/contract/test_money.py on the toy exchange."""

from tests.contract import test_money as contract
from tests.third_exchange.suite import adopt

adopt(contract, globals())
