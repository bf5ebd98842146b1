"""Hosts of calendars that never change: each path is a feed of 60 invented stays.

Runs as a process of its own, so that its work is not counted as the client's:

    python -m bench.feed_server --delay 0.05

prints its port (loopback, chosen by the system) and ends when its standard input does; each answer leaves ``delay``
seconds after its request came. ``/plain/...`` answers 200 with
the whole body and no validator, its DTSTAMP renewed each time; ``/tagged/...`` has an ETag and answers 304 to it.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
from itertools import count

from bench.ical import feed
from shared.domain.platform import BOOKING

EVENTS = 60
BODY = feed(BOOKING, EVENTS)
ETAG = '"unchanged"'

_STAMP = b"20270101T060000Z"
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/calendar; charset=utf-8\r\n%sContent-Length: %d\r\n\r\n"
_TAG = b"ETag: " + ETAG.encode() + b"\r\n"
_SAME = b"HTTP/1.1 304 Not Modified\r\n" + _TAG + b"Content-Length: 0\r\n\r\n"

_answers = count()


def answer(head: bytes) -> bytes:
    """What a request's head is answered."""
    if b" /tagged/" not in head:
        body = BODY.replace(_STAMP, b"20270101T%06dZ" % (next(_answers) % 1_000_000))
        return _HEAD % (b"", len(body)) + body
    if b"if-none-match: " in head.lower():
        return _SAME
    return _HEAD % (_TAG, len(BODY)) + BODY


class FeedHost(asyncio.Protocol):
    """One connection: requests without bodies in, calendars out."""

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
            head, self._held = self._held[: end + 4], self._held[end + 4 :]
            if self._delay:
                self._loop.call_later(self._delay, self._transport.write, answer(head))
            else:
                self._transport.write(answer(head))


async def serve(delay: float) -> None:
    """Listen, say where, and go on until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: FeedHost(delay), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    gc.freeze()
    await asyncio.to_thread(sys.stdin.read)
    server.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--delay", type=float, default=0.0)
    asyncio.run(serve(parser.parse_args().delay))
