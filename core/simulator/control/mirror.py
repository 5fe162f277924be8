"""Prices taken over from another exchange that speaks the OKX wire: asked for twice a second while it is wanted."""

import asyncio
import logging
from typing import Any

import aiohttp

from core.simulator.engine.commands import MovePrice
from core.simulator.runtime import Runtime

EVERY_SECONDS = 0.5
log = logging.getLogger(__name__)


class Mirror:
    """Follows last and mark prices; a failed request is said once and tried again."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self._task: asyncio.Task[None] | None = None

    def start(self, base_url: str, symbol: str | None) -> None:
        """Follow the exchange at this address from now on, for one instrument or for all."""
        self.stop()
        self._task = asyncio.get_running_loop().create_task(self._follow(base_url.rstrip("/"), symbol))

    def stop(self) -> None:
        """Follow nothing any more."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _follow(self, base_url: str, symbol: str | None) -> None:
        failing = False
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            while True:
                try:
                    last = await self._rows(session, f"{base_url}/api/v5/market/tickers?instType=SWAP", "last")
                    mark = await self._rows(session, f"{base_url}/api/v5/public/mark-price?instType=SWAP", "markPx")
                    failing = False
                    for name in [symbol] if symbol else list(self.runtime.exchange.markets):
                        if name in last:
                            self.runtime.perform(MovePrice(name, last[name], mark.get(name), mark.get(name)))
                except (aiohttp.ClientError, TimeoutError, KeyError, ValueError) as error:
                    if not failing:
                        log.warning("the mirrored exchange does not answer: %s", error)
                    failing = True
                await asyncio.sleep(EVERY_SECONDS)

    async def _rows(self, session: aiohttp.ClientSession, address: str, field: str) -> dict[str, str]:
        async with session.get(address) as answer:
            decoded: dict[str, Any] = await answer.json(content_type=None)
            return {str(row["instId"]): str(row[field]) for row in decoded["data"]}
