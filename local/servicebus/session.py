"""One AMQP session: links by handle, transfer windows, deliveries waiting for their outcome."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit
from uuid import UUID

from local.servicebus.amqp.message import parse
from local.servicebus.amqp.performatives import (
    Attach,
    Begin,
    Detach,
    Disposition,
    Flow,
    Performative,
    Transfer,
)
from local.servicebus.amqp.values import Described
from local.servicebus.hub import Hub, Peer
from local.servicebus.links import (
    ACCEPTED,
    MODIFIED,
    REJECTED,
    RELEASED,
    Incoming,
    Link,
    Outlet,
    Replies,
    error_value,
    outcome,
    queue_message,
    rejection,
)
from local.servicebus.management import encoded, failed, fault_kind, log_in, manage
from local.servicebus.queues import Queue
from local.servicebus.stored import Refused

WINDOW = 2**31 - 1
"""Transfers we take before a new flow: pyamqp stops for good at 0, so it never gets there (VERIFIED)."""
_FRAME_ROOM = 128
"""Bytes of a frame that its head and the transfer performative may need."""

Send = Callable[[int, Performative, bytes], None]


class Session:
    """Serves one channel. ``send`` writes a frame; ``max_frame`` is what the client takes, bytes."""

    def __init__(self, channel: int, begin: Begin, hub: Hub, peer: Peer, send: Send, max_frame: int) -> None:
        self.hub, self.peer = hub, peer
        self._channel, self._send, self._room = channel, send, max(256, max_frame - _FRAME_ROOM)
        self._links: dict[int, Link] = {}
        self._next_incoming = begin.next_outgoing_id or 0
        self._next_outgoing = 0
        self._window = begin.incoming_window or 0
        self._next_delivery = 0
        self._waiting: deque[tuple[Transfer, bytes]] = deque()
        self._unsettled: dict[int, tuple[Outlet, UUID]] = {}
        answer = Begin(channel, 0, WINDOW, WINDOW, handle_max=255)
        self.write(answer)

    # -------------------------------------------------------------------------------------- for the links

    def write(self, performative: Performative) -> None:
        """Send a frame on this channel."""
        self._send(self._channel, performative, b"")

    def flow(self, handle: int, delivery_count: int, credit: int, drain: bool = False) -> None:
        """Tell the state of a link, and with it of the session."""
        session = Flow(self._next_incoming, WINDOW, self._next_outgoing, WINDOW)
        self.write(
            replace(session, handle=handle, delivery_count=delivery_count, link_credit=credit, drain=drain)
        )

    def transfer(
        self, transfer: Transfer, payload: bytes, unsettled: UUID | None, outlet: Outlet | None
    ) -> None:
        """Number a message and cut it into frames; they leave as the client's window allows."""
        delivery, self._next_delivery = self._next_delivery, self._next_delivery + 1
        if unsettled is not None and outlet is not None:
            self._unsettled[delivery] = (outlet, unsettled)
        transfer = replace(transfer, delivery_id=delivery)
        pieces = [payload[at : at + self._room] for at in range(0, len(payload), self._room)] or [b""]
        for piece in pieces[:-1]:
            self._waiting.append((replace(transfer, more=True), piece))
        self._waiting.append((replace(transfer, more=False), pieces[-1]))
        self._flush()

    def _flush(self) -> None:
        while self._waiting and self._window > 0:
            transfer, piece = self._waiting.popleft()
            self._window -= 1
            self._next_outgoing += 1
            self._send(self._channel, transfer, piece)

    def forget(self, handle: int) -> None:
        """A link is gone; frames for it that are still under way are ignored."""
        self._links.pop(handle, None)

    def close(self) -> None:
        """The session is gone, and its links with it."""
        for link in self._links.values():
            link.close()
        self._links.clear()

    # ---------------------------------------------------------------------------------- from the client

    def on_attach(self, attach: Attach) -> None:
        """Find the node the link is for; an unknown one is refused as AMQP says: null terminus, then detach."""
        try:
            link = self._make(attach)
        except Refused as error:
            missing = {"source": None} if attach.role else {"target": None}
            count = 0 if attach.role else None
            self.write(replace(attach, role=not attach.role, initial_delivery_count=count, **missing))
            self.write(Detach(handle=attach.handle, closed=True, error=error_value(error)))
            return
        self._links[link.handle] = link
        link.accept()

    def _make(self, attach: Attach) -> Link:
        address = _address(attach.source if attach.role else attach.target)
        node, _, last = address.rpartition("/")
        if address == "$cbs":
            return Replies(self, attach) if attach.role else Incoming(self, attach, self._log_in)
        if last.lower() == "$management":
            queue = self.hub.broker.find(node)
            return Replies(self, attach) if attach.role else Incoming(self, attach, self._manage(queue))
        queue = self.hub.broker.find(address)
        if not attach.role:
            return Incoming(self, attach, queue_message(queue))
        if attach.snd_settle_mode == 1:
            raise Refused("amqp:not-implemented", "receive-and-delete is not offered by this stand-in")
        return Outlet(self, attach, queue)

    def on_flow(self, flow: Flow) -> None:
        """The client's window, and the state of one link."""
        self._window = (flow.next_incoming_id or 0) + (flow.incoming_window or 0) - self._next_outgoing
        self._flush()
        if flow.handle in self._links:
            self._links[flow.handle].on_flow(flow)

    def on_transfer(self, transfer: Transfer, payload: bytes) -> None:
        """A piece of a message from the client."""
        self._next_incoming += 1
        link = self._links.get(transfer.handle or 0)
        if isinstance(link, Incoming):
            link.on_transfer(transfer, payload)

    def on_detach(self, detach: Detach) -> None:
        """The client ends a link."""
        link = self._links.pop(detach.handle or 0, None)
        if link is not None:
            link.close()
            self.write(Detach(handle=link.handle, closed=True))

    def on_disposition(self, disposition: Disposition) -> None:
        """The client settles deliveries of ours, each on its own, since each lock may have been lost."""
        first = disposition.first or 0
        last = first if disposition.last is None else disposition.last
        if disposition.role is not True or last - first >= WINDOW:
            return
        for delivery in [number for number in self._unsettled if first <= number <= last]:
            outlet, token = self._unsettled.pop(delivery)
            self._settle(delivery, outlet.queue, token, disposition)

    def _settle(self, delivery: int, queue: Queue, token: UUID, disposition: Disposition) -> None:
        def tell(state: Described) -> None:
            if not disposition.settled:
                self.write(Disposition(role=False, first=delivery, last=delivery, settled=True, state=state))

        def apply() -> Callable[[], None]:
            code = apply_outcome(queue, token, disposition.state)
            return lambda: tell(outcome(code))

        self.hub.perform(self.peer, "settle", queue.address, apply, lambda error: tell(rejection(error)))

    # -------------------------------------------------------------------------------------- the two nodes

    def _log_in(self, link: Incoming, transfer: Transfer, payload: bytes) -> None:
        link.settle(transfer, outcome(ACCEPTED))
        self._reply(link, log_in(parse(payload)))

    def _manage(self, queue: Queue) -> Callable[[Incoming, Transfer, bytes], None]:
        def on_request(link: Incoming, transfer: Transfer, payload: bytes) -> None:
            link.settle(transfer, outcome(ACCEPTED))
            request = parse(payload)

            def apply() -> Callable[[], None]:
                reply = encoded(request, manage(queue, request))
                return lambda: self._reply(link, reply)

            def refuse(error: Refused) -> None:
                self._reply(link, encoded(request, failed(error)))

            kind = fault_kind(request)
            if kind is not None:
                self.hub.perform(self.peer, kind, queue.address, apply, refuse)
                return
            try:
                apply()()
            except Refused as error:
                refuse(error)
            self.hub.rearm()

        return on_request

    def _reply(self, request: Incoming, payload: bytes) -> None:
        """The answer goes out on the sibling link: the one that receives from the node the request was sent to."""
        node = _address(request.attach.target)
        for link in self._links.values():
            if isinstance(link, Replies) and _address(link.attach.source) == node:
                link.reply(payload)
                return


def apply_outcome(queue: Queue, token: UUID, state: object) -> int:
    """Do what a terminal state asks for; returns its code, which is echoed. Raises ``Refused``."""
    code = state.descriptor if isinstance(state, Described) and isinstance(state.descriptor, int) else None
    fields = state.value if isinstance(state, Described) and isinstance(state.value, list) else []
    if code == ACCEPTED:
        queue.complete(token)
    elif code == RELEASED:
        queue.release(token)
    elif code == REJECTED:
        queue.dead_letter(token, *_reason(fields))
    elif code == MODIFIED and fields[1:2] != [True]:
        queue.abandon(token) if fields[:1] == [True] else queue.release(token)
    else:
        raise Refused("amqp:not-implemented", "deferring messages is not offered by this stand-in")
    return code


def _reason(fields: list[object]) -> tuple[str, str]:
    """Why a message is rejected: the error's info map names reason and description."""
    error = fields[0] if fields else None
    parts = error.value if isinstance(error, Described) and isinstance(error.value, list) else []
    info = parts[2] if len(parts) > 2 and isinstance(parts[2], dict) else {}
    named = {str(key): str(value) for key, value in info.items() if value is not None}
    return named.get("DeadLetterReason", ""), named.get("DeadLetterErrorDescription", "")


def _address(terminus: object) -> str:
    """The node a source or target names, without scheme and host."""
    fields = terminus.value if isinstance(terminus, Described) else None
    address = fields[0] if isinstance(fields, list) and fields else None
    if not isinstance(address, str):
        raise Refused("amqp:not-implemented", "a link needs the address of a queue")
    return urlsplit(address).path.strip("/") if "://" in address else address.strip("/")
