"""tests/contract/test_pairs.py on the toy exchange."""

from tests.contract import test_pairs as contract
from tests.third_exchange.suite import adopt

adopt(contract, globals())
