"""tests/contract/test_lives.py on the toy exchange."""

from tests.contract import test_lives as contract
from tests.third_exchange.suite import adopt

adopt(contract, globals())
