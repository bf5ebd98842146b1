"""One client connection: protocol headers, SASL, then frames handed to their session."""

from __future__ import annotations

import asyncio
import logging

from local.servicebus.amqp.frames import (
    AMQP_HEADER,
    EMPTY_FRAME,
    MAX_FRAME,
    SASL_FRAME,
    SASL_HEADER,
    Frame,
    read_frame,
    write_frame,
)
from local.servicebus.amqp.performatives import (
    Attach,
    Begin,
    Close,
    Detach,
    Disposition,
    End,
    Flow,
    Open,
    Performative,
    SaslMechanisms,
    SaslOutcome,
    Transfer,
)
from local.servicebus.amqp.values import Array, CodecError, Symbol
from local.servicebus.hub import Hub
from local.servicebus.links import error_value
from local.servicebus.session import Session
from local.servicebus.stored import Refused

_LOG = logging.getLogger(__name__)

IDLE_MS = 240_000
"""We ask to hear from the client this often, as the service does; silence itself is not punished."""
HANDSHAKE_SECONDS = 10.0


class Connection:
    """Lives as long as its socket. ``run`` returns when the client is gone; ``abort`` cuts it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hub: Hub) -> None:
        self._reader, self._writer, self._hub = reader, writer, hub
        self._sessions: dict[int, Session] = {}
        self._max_frame = 512
        self._beat: asyncio.TimerHandle | None = None
        self._open = True

    def abort(self) -> None:
        """Cut the connection without a word."""
        self._open = False
        self._writer.transport.abort()

    async def run(self) -> None:
        """Serve the client until it closes, vanishes or sends what is no AMQP."""
        self._hub.peers.add(self)
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                await self._handshake()
            while self._open:
                self._on_frame(await read_frame(self._reader))
                await self._writer.drain()
        except CodecError as error:
            _LOG.warning("connection closed: %s", error)
            self._send(0, Close(error_value(Refused("amqp:decode-error", str(error)))))
        except (asyncio.IncompleteReadError, TimeoutError, OSError):
            _LOG.debug("client gone")
        finally:
            self._end()

    def _end(self) -> None:
        self._open = False
        self._hub.peers.discard(self)
        if self._beat is not None:
            self._beat.cancel()
        for session in self._sessions.values():
            session.close()
        self._writer.close()

    async def _handshake(self) -> None:
        """SASL if the client begins with it (any mechanism it picks is fine), then AMQP."""
        header = await self._reader.readexactly(8)
        if header == SASL_HEADER:
            offered = SaslMechanisms(Array([Symbol("ANONYMOUS"), Symbol("MSSBCBS"), Symbol("EXTERNAL")]))
            self._writer.write(SASL_HEADER + write_frame(0, offered, kind=SASL_FRAME))
            await read_frame(self._reader)
            self._writer.write(write_frame(0, SaslOutcome(0), kind=SASL_FRAME))
            header = await self._reader.readexactly(8)
        if header != AMQP_HEADER:
            raise CodecError("the client does not begin with the AMQP 1.0 header")
        self._writer.write(AMQP_HEADER)

    def _send(self, channel: int, performative: Performative, payload: bytes = b"") -> None:
        """Write a frame; one for a client that is gone is dropped."""
        if not self._writer.is_closing():
            self._writer.write(write_frame(channel, performative, payload))

    # ---------------------------------------------------------------------------------- from the client

    def _on_frame(self, frame: Frame) -> None:
        match frame.performative:
            case None:
                pass
            case Open() as opened:
                self._on_open(opened)
            case Begin() as begin:
                begun = Session(frame.channel, begin, self._hub, self, self._send, self._max_frame)
                self._sessions[frame.channel] = begun
            case Close():
                self._send(0, Close())
                self._open = False
            case performative:
                session = self._sessions.get(frame.channel)
                if session is not None:
                    self._on_session_frame(session, frame.channel, performative, frame.payload)

    def _on_open(self, opened: Open) -> None:
        self._max_frame = min(opened.max_frame_size or MAX_FRAME, MAX_FRAME)
        answer = Open("local-servicebus", opened.hostname, MAX_FRAME, channel_max=255, idle_time_out=IDLE_MS)
        self._send(0, answer)
        if opened.idle_time_out:
            self._keep_alive(opened.idle_time_out / 2000)

    def _keep_alive(self, seconds: float) -> None:
        """The client wants to hear from us at least so often."""
        if not self._writer.is_closing():
            self._writer.write(EMPTY_FRAME)
            self._beat = asyncio.get_running_loop().call_later(seconds, self._keep_alive, seconds)

    def _on_session_frame(
        self, session: Session, channel: int, performative: Performative, payload: bytes
    ) -> None:
        """Frames for an ended channel never get here: pyamqp detaches links after it ended their session."""
        match performative:
            case Transfer() as transfer:
                session.on_transfer(transfer, payload)
            case Disposition() as disposition:
                session.on_disposition(disposition)
            case Flow() as flow:
                session.on_flow(flow)
            case Attach() as attach:
                session.on_attach(attach)
            case Detach() as detach:
                session.on_detach(detach)
            case End():
                session.close()
                del self._sessions[channel]
                self._send(channel, End())
            case _:
                raise CodecError(f"{type(performative).__name__} does not belong inside a session")
