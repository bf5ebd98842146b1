"""A body on its way in: unpacked piece by piece, and given up the moment it outgrows its cap."""

from __future__ import annotations

import zlib

from shared.domain.errors import PayloadRejected, PlatformDown

_GZIP = 16 + zlib.MAX_WBITS
_ZLIB = zlib.MAX_WBITS
_RAW_DEFLATE = -zlib.MAX_WBITS

ACCEPTED_ENCODINGS = "gzip, deflate"
"""What we ask for. Others are never unpacked, also when a library that could do so is installed."""


class CappedBody:
    """Collects at most ``most_bytes`` decoded bytes.

    ``add`` and ``finish`` raise ``PayloadRejected`` for a body over the cap, an encoding we did not ask for or
    bytes that do not unpack, and ``PlatformDown`` for a packed body that stops early. Memory stays within the cap
    and one piece: the unpacker is never allowed to produce more than what is still free.
    """

    def __init__(self, host: str, encoding: str, most_bytes: int) -> None:
        self._host = host
        self._free = most_bytes
        self._pieces: list[bytes] = []
        self._encoding = encoding.strip().lower()
        self._unpacker = None if self._encoding in ("", "identity") else self._new_unpacker()
        self._any = False

    def add(self, piece: bytes) -> None:
        """Take the next piece as it came from the wire."""
        if self._unpacker is None:
            self._keep(piece)
            return
        self._any = self._any or bool(piece)
        try:
            self._unpack(piece)
        except zlib.error:
            raise PayloadRejected(f"{self._host} sent a body that does not unpack") from None

    def finish(self) -> bytes:
        """The whole body."""
        # An answer without a body (304, HEAD) may still name an encoding.
        if self._unpacker is not None and self._any and not self._unpacker.eof:
            raise PlatformDown(f"{self._host} sent a body that was cut short")
        return b"".join(self._pieces)

    def _keep(self, piece: bytes) -> None:
        self._free -= len(piece)
        if self._free < 0:
            raise PayloadRejected(f"{self._host} sent more bytes than are allowed")
        self._pieces.append(piece)

    def _unpack(self, piece: bytes) -> None:
        while piece:
            assert self._unpacker is not None
            if self._unpacker.eof:
                if self._encoding == "deflate":
                    raise zlib.error("bytes after the end")
                self._unpacker = self._new_unpacker()  # gzip allows several members, one after the other
            # One byte more than is free is enough to know, and all that a bomb gets.
            self._keep(self._unpacked(piece))
            piece = self._unpacker.unconsumed_tail or self._unpacker.unused_data

    def _unpacked(self, piece: bytes) -> bytes:
        assert self._unpacker is not None
        try:
            return self._unpacker.decompress(piece, self._free + 1)
        except zlib.error:
            if self._encoding != "deflate" or self._pieces:
                raise
        # Some servers mean the bare format (RFC 1951) where RFC 9110 section 8.4.1.2 says zlib's (RFC 1950).
        self._unpacker = zlib.decompressobj(_RAW_DEFLATE)
        return self._unpacker.decompress(piece, self._free + 1)

    def _new_unpacker(self) -> zlib._Decompress:
        if self._encoding in ("gzip", "x-gzip"):
            return zlib.decompressobj(_GZIP)
        if self._encoding == "deflate":
            return zlib.decompressobj(_ZLIB)
        raise PayloadRejected(f"{self._host} sent a body in an encoding we did not ask for")
