"""tests/contract/test_market.py on the toy exchange."""

from tests.contract import test_market as contract
from tests.third_exchange.suite import adopt

adopt(contract, globals())
