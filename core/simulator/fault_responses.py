"""Responses of faults, on any wire: a gateway's page, nothing, half an answer, a dead connection."""

import asyncio
import socket
import struct

from aiohttp import web

from core.simulator.faults import Fault

ANSWER_FAULTS = {"lost_after", "lost_before", "late", "slow", "html_502", "reset", "empty", "garbled"}
HTML = "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>"
TORN = '{"code":"0","msg":"","data":[{"ordId":"7'  # what is left of an answer that was cut off on its way


async def fault_answer(request: web.Request, fault: Fault) -> web.StreamResponse | None:
    """Return what comes instead of the answer; None where the answer itself comes, if later."""
    transport = request.transport
    if fault.kind == "slow":
        await asyncio.sleep(float(fault.asked.get("seconds", 1)))
        return None
    if fault.kind == "html_502":
        return web.Response(status=int(fault.asked.get("http", 502)), text=HTML, content_type="text/html")
    if fault.kind in ("empty", "garbled"):
        text = TORN if fault.kind == "garbled" else ""
        return web.Response(status=200, text=text, content_type="application/json")
    if fault.kind in ("lost_after", "lost_before", "late", "reset") and transport is not None:
        if fault.kind == "reset":
            raw = transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
        return web.Response(status=500)
    return None
