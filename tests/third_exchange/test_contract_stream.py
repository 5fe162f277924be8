"""tests/contract/test_stream.py on the toy exchange."""

from tests.contract import test_stream as contract
from tests.third_exchange.suite import adopt

adopt(contract, globals())
