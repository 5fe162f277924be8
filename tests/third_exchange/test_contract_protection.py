"""tests/contract/test_protection.py on the toy exchange."""

from tests.contract import test_protection as contract
from tests.third_exchange.suite import adopt

adopt(contract, globals())
