"""The least that an answer to a message can cost: a process that sends back a request for each push it gets.

`python -m benchmarks.harness.echo PORT` is that process; it ends with its connection.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time

from tests.browser.product import REPOSITORY

PUSH, REQUEST = b"p" * 1200, b"r" * 900  #: about as long as the real ones
PAUSE_SECONDS = 0.01


def round_trips(count: int) -> list[float]:
    """Seconds from each push to its answer, over a TCP connection on the loopback."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        command = [sys.executable, "-m", "benchmarks.harness.echo", str(server.getsockname()[1])]
        process = subprocess.Popen(command, cwd=REPOSITORY)
        connection, _ = server.accept()
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            took = []
            for _ in range(count):
                time.sleep(PAUSE_SECONDS)
                began = time.perf_counter()
                connection.sendall(PUSH)
                _receive(connection, len(REQUEST))
                took.append(time.perf_counter() - began)
        process.wait()
    return took


def _receive(connection: socket.socket, size: int) -> bool:
    while size > 0:
        data = connection.recv(size)
        if not data:
            return False
        size -= len(data)
    return True


def _answer(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while _receive(connection, len(PUSH)):
            connection.sendall(REQUEST)


if __name__ == "__main__":
    _answer(int(sys.argv[1]))
