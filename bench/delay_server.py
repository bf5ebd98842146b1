"""A platform that does nothing but take its time: answers every request after a fixed delay.

Runs as a process of its own, so that its work is not counted as the client's:

    python -m bench.delay_server --hosts 3 --delay 0.05

prints one line of JSON with the ports (loopback, chosen by the system) and ends when its standard input does.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import re
import sys

_BODY = json.dumps({"status": "accepted", "nights": [f"2031-05-0{day}" for day in range(1, 8)]}).encode()
_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(_BODY) + _BODY
)
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)


class Delayed(asyncio.Protocol):
    """One connection: whole requests in, the same answer out, each ``delay`` seconds later."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._held = b""
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._held, 0, end)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._held) < whole:
                return
            self._held = self._held[whole:]
            self._loop.call_later(self._delay, self._transport.write, _ANSWER)


async def serve(hosts: int, delay: float) -> None:
    """Listen on as many ports, say which, and go on until standard input ends."""
    loop = asyncio.get_running_loop()
    servers = [
        await loop.create_server(lambda: Delayed(delay), "127.0.0.1", 0, backlog=2048) for _ in range(hosts)
    ]
    print(json.dumps([server.sockets[0].getsockname()[1] for server in servers]), flush=True)
    gc.freeze()
    await asyncio.to_thread(sys.stdin.read)
    for server in servers:
        server.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--hosts", type=int, default=3)
    parser.add_argument("--delay", type=float, default=0.05)
    chosen = parser.parse_args()
    asyncio.run(serve(chosen.hosts, chosen.delay))
