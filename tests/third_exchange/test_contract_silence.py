"""tests/contract/test_silence.py on the toy exchange."""

from tests.contract import test_silence as contract
from tests.third_exchange.suite import adopt

adopt(contract, globals())
