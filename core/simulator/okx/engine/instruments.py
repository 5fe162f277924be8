"""The contracts as OKX lists them: three are built in, more come from a file in OKX field names.

The numbers of the built-in ones were recorded at OKX; what no recording tells is chosen close to its neighbours.
"""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from core.simulator.engine.instruments import Contract


def _contract(symbol: str, code: int, *numbers: str) -> Contract:
    return Contract(symbol, symbol.split("-")[0], code, *(Decimal(number) for number in numbers))


BUILT_IN = (
    _contract(
        "BTC-USDT-SWAP", 10459, "0.01", "0.01", "0.01", "0.1", "100", "12000", "100000000", "100000", "0.004", "20000"
    ),
    _contract(
        "ETH-USDT-SWAP", 10461, "0.1", "0.01", "0.01", "0.01", "100", "20000", "100000000", "3500", "0.004", "60000"
    ),
    _contract(
        "SOL-USDT-SWAP", 10470, "1", "0.01", "0.01", "0.01", "100", "50000", "100000000", "200", "0.005", "100000"
    ),
)
DEMO_BTC_VALUE = Decimal("0.001")  # recorded: on OKX demo one BTC contract was a tenth of the live one
FILE_NAMES = {"ctVal": "value", "lotSz": "lot", "minSz": "minimum", "tickSz": "tick", "lever": "max_leverage",
              "maxMktSz": "max_market", "maxLmtSz": "max_limit", "price": "price", "mmr": "maintenance"}  # fmt: skip


def contracts(file: Path | None = None) -> dict[str, Contract]:
    """Return all contracts by symbol; the file is a JSON list of rows in OKX field names, absent fields as for SOL.

    Raises ValueError where a row is not usable.
    """
    known = {contract.symbol: contract for contract in BUILT_IN}
    rows = json.loads(file.read_text()) if file is not None else []
    for row in rows:
        symbol = str(row["instId"])
        if symbol.count("-") != 2 or not symbol.endswith("-USDT-SWAP"):
            raise ValueError(f"{symbol}: only linear USDT perpetuals (XXX-USDT-SWAP) can be added")
        given = {name: Decimal(str(row[key])) for key, name in FILE_NAMES.items() if key in row}
        if "price" not in given:
            raise ValueError(f"{symbol}: a price to begin with is missing")
        code = int(row.get("instIdCode", 20000 + len(known)))
        known[symbol] = replace(known["SOL-USDT-SWAP"], symbol=symbol, base=symbol.split("-")[0], code=code, **given)
    return known


def demo(known: dict[str, Contract]) -> dict[str, Contract]:
    """Return the same catalogue as the demo world has it."""
    return known | {"BTC-USDT-SWAP": replace(known["BTC-USDT-SWAP"], value=DEMO_BTC_VALUE)}
