"""A click that waits to be sent goes with its own message and with no other."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg

from core.ui.asgi.click_filter import EachClickOnce


def message(*, timer: bool, click: bool = True) -> bytes:
    """What the browser sends: the state of a field and, perhaps, a click."""
    told = BackMsg()
    told.rerun_script.is_auto_rerun = timer
    told.rerun_script.fragment_id = "beside"
    told.rerun_script.widget_states.widgets.add(id="field", double_value=77)
    if click:
        told.rerun_script.widget_states.widgets.add(id="button", trigger_value=True)
    return told.SerializeToString()


def passed(sent: bytes, kind: str = "websocket") -> bytes:
    """The message as the pages get it."""
    got: list[Any] = []

    async def pages(scope: Any, receive: Any, send: Any) -> None:
        got.append(await receive())

    async def receive() -> dict[str, Any]:
        return {"type": f"{kind}.receive", "bytes": sent}

    asyncio.run(EachClickOnce(pages)({"type": kind}, receive, None))  # type: ignore[arg-type]
    return bytes(got[0]["bytes"])


def test_a_timer_takes_the_fields_along_and_leaves_the_click():
    assert passed(message(timer=True)) == message(timer=True, click=False)


@pytest.mark.parametrize(
    "sent",
    [message(timer=False), message(timer=True, click=False), b"\xff no message of the pages", b""],
    ids=["a click's own message", "a timer without a click", "no message", "nothing"],
)
def test_all_else_passes_as_it_came(sent):
    assert passed(sent) == sent
    assert passed(sent, "http") == sent
