"""Middleware that removes clicks from the messages of a page's timers: the browser would otherwise send a click twice.

A click waits in the browser until the next free moment. A timer of a page that goes off in between sends along all
that waits and leaves it waiting, so that without this every effect of the click would come twice.
"""

from __future__ import annotations

from google.protobuf.message import DecodeError
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg

PASSING = frozenset({"trigger_value", "string_trigger_value", "chat_input_value", "json_trigger_value"})


class EachClickOnce:
    """Filters the pages' websocket (plain ASGI); all else passes untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def told() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive" and message.get("bytes"):
                message = {**message, "bytes": without_clicks(message["bytes"])}
            return message

        await self.app(scope, told if scope["type"] == "websocket" else receive, send)


def without_clicks(sent: bytes) -> bytes:
    """Return the message of a timer without the clicks in it; any other unchanged."""
    try:
        message = BackMsg.FromString(sent)
    except DecodeError:
        return sent  # the pages refuse it in their own words
    if not message.rerun_script.is_auto_rerun:
        return sent
    states = message.rerun_script.widget_states.widgets
    kept = [state for state in states if state.WhichOneof("value") not in PASSING]
    if len(kept) == len(states):
        return sent
    message.rerun_script.widget_states.ClearField("widgets")
    message.rerun_script.widget_states.widgets.extend(kept)
    return bytes(message.SerializeToString())
