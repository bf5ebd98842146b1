"""The four kinds of link a client attaches: to send, to receive, and a pair to ask and be answered."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol
from uuid import UUID

from local.servicebus.amqp.message import BATCH_FORMAT, parse, parse_batch, render, timestamp
from local.servicebus.amqp.performatives import Attach, Detach, Disposition, Flow, Performative, Transfer
from local.servicebus.amqp.values import CodecError, Described, Int, Long, Symbol, ULong
from local.servicebus.hub import Hub, Peer
from local.servicebus.queues import Queue
from local.servicebus.stored import Refused, Stored

MAX_MESSAGE = 1024 * 1024
"""Bytes of one message or batch, announced on the link."""
CREDIT = 1000
"""Messages a sender may have under way; topped up when half is used."""

ACCEPTED, REJECTED, RELEASED, MODIFIED = 0x24, 0x25, 0x26, 0x27
_ERROR = 0x1D


class Wire(Protocol):
    """A session, as far as its links use it."""

    hub: Hub
    peer: Peer

    def write(self, performative: Performative) -> None:
        """Send a frame on this session's channel."""
        ...

    def flow(self, handle: int, delivery_count: int, credit: int, drain: bool = False) -> None:
        """Tell the state of a link."""
        ...

    def transfer(
        self, transfer: Transfer, payload: bytes, unsettled: UUID | None, outlet: Outlet | None
    ) -> None:
        """Send a message, numbered and cut into frames; an unsettled one is remembered until its disposition."""
        ...

    def forget(self, handle: int) -> None:
        """The link is gone."""
        ...


def outcome(code: int) -> Described:
    """A terminal state without fields."""
    return Described(ULong(code), [])


def error_value(error: Refused) -> Described:
    """An AMQP error. All three fields are present: pyamqp reads the third without looking (VERIFIED)."""
    return Described(ULong(_ERROR), [Symbol(error.condition), str(error), None])


def rejection(error: Refused) -> Described:
    """The state of an operation that failed."""
    return Described(ULong(REJECTED), [error_value(error)])


class Link:
    """One attached link; ``handle`` is the client's number for it, and ours."""

    def __init__(self, wire: Wire, attach: Attach) -> None:
        self.wire, self.attach = wire, attach
        self.handle = attach.handle or 0

    def accept(self) -> None:
        """Answer the attach: same termini, the other role."""
        sends = self.attach.role is True
        self.wire.write(
            replace(
                self.attach,
                role=not sends,
                unsettled=None,
                initial_delivery_count=0 if sends else None,
                max_message_size=MAX_MESSAGE,
                offered_capabilities=None,
                desired_capabilities=None,
                properties={Symbol("com.microsoft:max-message-batch-size"): ULong(MAX_MESSAGE)},
            )
        )

    def refuse(self, error: Refused) -> None:
        """End the link with an error; one not yet accepted has been answered without its terminus before."""
        self.close()
        self.wire.forget(self.handle)
        self.wire.write(Detach(handle=self.handle, closed=True, error=error_value(error)))

    def on_flow(self, flow: Flow) -> None:
        """The client told its state of the link."""

    def close(self) -> None:
        """The link is gone."""


class Incoming(Link):
    """The client sends to us: pieces are joined, credit is topped up, ``on_message`` gets whole messages."""

    def __init__(
        self, wire: Wire, attach: Attach, on_message: Callable[[Incoming, Transfer, bytes], None]
    ) -> None:
        super().__init__(wire, attach)
        self._on_message = on_message
        self._first: Transfer | None = None
        self._pieces = bytearray()
        self._delivery_count = attach.initial_delivery_count or 0
        self._granted = self._delivery_count

    def accept(self) -> None:
        """Answer, then grant credit."""
        super().accept()
        self._grant()

    def _grant(self) -> None:
        if self._granted - self._delivery_count <= CREDIT // 2:
            self._granted = self._delivery_count + CREDIT
            self.wire.flow(self.handle, self._delivery_count, CREDIT)

    def on_transfer(self, transfer: Transfer, payload: bytes) -> None:
        """One piece. Only the first of a message carries its number and format."""
        first = self._first = self._first or transfer
        self._pieces += payload
        if len(self._pieces) > MAX_MESSAGE:
            self.refuse(
                Refused("amqp:link:message-size-exceeded", f"a message has at most {MAX_MESSAGE} bytes")
            )
            return
        if transfer.more:
            return
        message, self._pieces, self._first = bytes(self._pieces), bytearray(), None
        self._delivery_count += 1
        if not transfer.aborted:
            self._on_message(self, first, message)
        self._grant()

    def settle(self, transfer: Transfer, state: Described) -> None:
        """Tell the sender what became of its message, unless it does not want to know."""
        if not transfer.settled:
            first = transfer.delivery_id
            self.wire.write(Disposition(role=True, first=first, last=first, settled=True, state=state))


def queue_message(queue: Queue) -> Callable[[Incoming, Transfer, bytes], None]:
    """What a queue does with a message sent to it: a batch is enqueued whole or not at all."""

    def enqueue(link: Incoming, transfer: Transfer, payload: bytes) -> None:
        def apply() -> Callable[[], None]:
            try:
                parcels = (
                    parse_batch(payload) if transfer.message_format == BATCH_FORMAT else [parse(payload)]
                )
            except CodecError as error:
                raise Refused("amqp:decode-error", str(error)) from error
            for parcel in parcels:
                queue.check(parcel)
            for parcel in parcels:
                queue.send(parcel)
            return lambda: link.settle(transfer, outcome(ACCEPTED))

        def refuse(error: Refused) -> None:
            link.settle(transfer, rejection(error))

        link.wire.hub.perform(link.wire.peer, "send", queue.address, apply, refuse)

    return enqueue


class Outlet(Link):
    """The client receives from a queue under peek-lock."""

    def __init__(self, wire: Wire, attach: Attach, queue: Queue) -> None:
        super().__init__(wire, attach)
        self.queue, self.peer = queue, wire.peer
        self._delivery_count = 0
        self._credit = 0
        self._held = False

    @property
    def wants(self) -> bool:
        """Whether it has credit and is not held up by a fault."""
        return self._credit > 0 and not self._held

    def on_flow(self, flow: Flow) -> None:
        """New credit, counted from what the client has seen; draining gives back what cannot be used now."""
        seen = flow.delivery_count if flow.delivery_count is not None else 0
        self._credit = max(0, seen + (flow.link_credit or 0) - self._delivery_count)
        if flow.drain:
            self._delivery_count += self._credit
            self._credit = 0
            self.wire.flow(self.handle, self._delivery_count, 0, drain=True)
        elif self._credit:
            self.wire.hub.join(self)

    def deliver(self, message: Stored) -> None:
        """Send a locked message; its tag is the lock token as a little-endian GUID (VERIFIED with the SDK)."""
        assert message.token is not None
        self._credit -= 1
        self._delivery_count += 1
        transfer = Transfer(
            handle=self.handle, delivery_tag=message.token.bytes_le, message_format=0, settled=False
        )
        self.wire.transfer(transfer, rendered(message, self.queue), message.token, self)

    def hold(self, seconds: float) -> None:
        """Take nothing for so many real seconds."""
        self._held = True
        self.wire.hub.later(seconds, self._go_on)

    def forget_credit(self) -> None:
        """Take nothing until the client tells its credit again; counts stay, so that it adds up then."""
        self._credit = 0

    def _go_on(self) -> None:
        self._held = False
        if self._credit:
            self.wire.hub.join(self)

    def close(self) -> None:
        """No more messages; locks stay until they expire."""
        self._credit = 0
        self.wire.hub.leave(self)


class Replies(Link):
    """The client's receiving half of a request pair; replies wait for its credit."""

    def __init__(self, wire: Wire, attach: Attach) -> None:
        super().__init__(wire, attach)
        self._delivery_count = 0
        self._credit = 0
        self._waiting: deque[bytes] = deque()

    def reply(self, payload: bytes) -> None:
        """Send an encoded reply, at once or when there is credit."""
        self._waiting.append(payload)
        self._flush()

    def on_flow(self, flow: Flow) -> None:
        """New credit."""
        seen = flow.delivery_count if flow.delivery_count is not None else 0
        self._credit = max(0, seen + (flow.link_credit or 0) - self._delivery_count)
        self._flush()

    def _flush(self) -> None:
        while self._waiting and self._credit:
            self._credit -= 1
            self._delivery_count += 1
            tag = self._delivery_count.to_bytes(4, "big")
            transfer = Transfer(handle=self.handle, delivery_tag=tag, message_format=0, settled=True)
            self.wire.transfer(transfer, self._waiting.popleft(), None, None)


def rendered(message: Stored, queue: Queue) -> bytes:
    """A stored message with the annotations the SDK reads."""
    annotations: dict[object, object] = {
        Symbol("x-opt-sequence-number"): Long(message.sequence),
        Symbol("x-opt-enqueue-sequence-number"): Long(message.sequence),
        Symbol("x-opt-enqueued-time"): timestamp(message.enqueued),
        Symbol("x-opt-message-state"): Int(message.state),
    }
    if message.token is not None:
        annotations[Symbol("x-opt-locked-until")] = timestamp(message.locked_until)
    if queue.dead is None:
        annotations[Symbol("x-opt-deadletter-source")] = queue.config.name
    return render(message.parcel, annotations, message.failures)
