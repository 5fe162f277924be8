"""OKX's rate limits of endpoints, by method and path below /api/v5/.

Source: OKX V5 docs, the page of each endpoint. Limits that OKX counts per contract are kept here per endpoint,
which is stricter and needs no knowledge of the request.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.exchange.throttle import Limit

LIMITS: Mapping[str, Limit] = {
    "POST trade/order": Limit(60, 2),
    "POST trade/cancel-order": Limit(60, 2),
    "POST trade/amend-order": Limit(60, 2),
    "GET trade/order": Limit(60, 2),
    "POST trade/order-algo": Limit(20, 2),
    "POST trade/amend-algos": Limit(20, 2),
    "POST trade/cancel-algos": Limit(20, 2),
    "GET trade/order-algo": Limit(20, 2),
    "GET trade/orders-algo-pending": Limit(20, 2),
    "GET trade/orders-algo-history": Limit(20, 2),
    "GET trade/orders-pending": Limit(60, 2),
    "GET trade/orders-history": Limit(40, 2),
    "GET trade/orders-history-archive": Limit(20, 2),
    "GET trade/fills": Limit(60, 2),
    "GET trade/fills-history": Limit(10, 2),
    "GET account/balance": Limit(10, 2),
    "GET account/positions": Limit(10, 2),
    "GET account/positions-history": Limit(10, 2),
    "GET account/bills": Limit(5, 1),
    "GET account/bills-archive": Limit(5, 2),
    "GET account/config": Limit(5, 2),
    "POST account/set-position-mode": Limit(5, 2),
    "GET account/trade-fee": Limit(5, 2),
    "GET account/leverage-info": Limit(20, 2),
    "POST account/set-leverage": Limit(20, 2),
    "GET account/instruments": Limit(20, 2),
    "GET public/instruments": Limit(20, 2),
    "GET public/price-limit": Limit(20, 2),
    "GET public/mark-price": Limit(10, 2),
    "GET public/funding-rate": Limit(10, 2),
    "GET public/funding-rate-history": Limit(10, 2),
    "GET public/time": Limit(10, 2),
    "GET public/position-tiers": Limit(10, 2),
    "GET market/ticker": Limit(20, 2),
    "GET market/tickers": Limit(20, 2),
    "GET market/candles": Limit(40, 2),
    "GET market/history-candles": Limit(20, 2),
    "GET system/status": Limit(1, 5),
}
