"""The rate limits of the OKX side: requests per endpoint and caller, new orders per account (docs, rate limit).

Counts by the exchange's time where time is stepped, else by the machine's. With the switch `rate_limits` off nothing is
refused.
"""

import time

from core.simulator.okx.endpoints import OkxCall, OkxEndpoint
from core.simulator.okx.errors import OkxError
from core.simulator.runtime import Runtime

NEW_ORDERS = {"trade/order", "trade/batch-orders", "trade/amend-order", "trade/amend-batch-orders"}
NEW_ORDERS_BUDGET, NEW_ORDERS_WINDOW_MS = 1000, 2000
PER_PARAMETER = {"instrument": "instId", "ip+instrument": "instId", "user+kind": "instType", "ip+kind": "instType"}


class OkxLimits:
    """The request counters of all callers."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self._times: dict[tuple[str, str], list[float]] = {}  # by what is counted, and whose: when it was asked (ms)

    def forget(self) -> None:
        """Begin to count anew."""
        self._times.clear()

    def admit(self, call: OkxCall, found: OkxEndpoint, remote: str) -> None:
        """Count a request, or each row of one; OkxError 50011 or 50061 where there are too many."""
        behaviour = self.runtime.exchange.behaviour
        if not behaviour["rate_limits"]:
            return
        row = call.parameters[0] if isinstance(call.parameters, list) else call.parameters
        weight = len(call.parameters) if isinstance(call.parameters, list) else 1
        whose = remote if found.per.startswith("ip") else call.account
        stepped = self.runtime.clock.kind == "stepped"
        now = self.runtime.exchange.now if stepped else time.monotonic() * 1000
        what = f"{call.method} {call.path} {row.get(PER_PARAMETER.get(found.per, ''), '')}"
        budgets = [((what, whose), found.budget, found.window_ms, "50011")]
        if call.path in NEW_ORDERS:
            budgets.append((("orders", whose), NEW_ORDERS_BUDGET, NEW_ORDERS_WINDOW_MS, "50061"))
        for key, budget, window, code in budgets:
            times = self._times.setdefault(key, [])
            while times and times[0] <= now - window:
                times.pop(0)
            if len(times) + weight > budget:
                raise OkxError(code, "Too Many Requests", int(behaviour["rate_limit_http"]))
            times.extend([now] * weight)
