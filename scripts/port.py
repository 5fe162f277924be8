"""Says in one sentence when the dashboard's port cannot be had, before anything is started."""

import os
import socket
import sys

given = os.environ.get("PERPDECK_PORT", "8501")
if not given.isdecimal() or not 1 <= int(given) <= 65535:
    sys.exit(f"PERPDECK_PORT is {given!r}: a port is a whole number from 1 to 65535.")
with socket.socket() as probe:
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind(("127.0.0.1", int(given)))
    except OSError as error:
        sys.exit(
            f"Port {given} on 127.0.0.1 cannot be used: {error.strerror}. Is Perpdeck running already? "
            f"Stop what uses it, or choose another: PERPDECK_PORT=8600 make run"
        )
