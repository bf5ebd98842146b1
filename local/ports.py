"""A port for a program that is started later, and perhaps again: nobody else may have taken it meanwhile."""

from __future__ import annotations

import errno
import random
import socket

HOST = "127.0.0.1"

FIRST, END = 20_000, 32_768
"""Below the ports that systems lend to outgoing connections (Linux from 32768, macOS and Windows from 49152): one of
those is free now and somebody's a second later, without anybody having asked for it."""

_TRIES = 200

_given = set[int]()
"""What this process was given so far: nobody may listen there yet, and it is free to whoever looks."""


def is_free(port: int) -> bool:
    """Whether a server could listen on that port of the loopback interface at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def free_port() -> int:
    """A port of the loopback interface that is free, and that no connection is given by chance before a server takes
    it. Chosen at random, since programs that begin at the same end meet; never the same twice in one process. Raises
    ``OSError`` when none is found."""
    for _ in range(_TRIES):
        port = random.randrange(FIRST, END)  # noqa: S311
        if port not in _given and is_free(port):
            _given.add(port)
            return port
    raise OSError(errno.EADDRINUSE, f"no free port on {HOST} from {FIRST} to {END - 1}")
