"""Queues in memory: peek-lock, delivery counts, dead letters, schedules, duplicates, expiry.

Pure: time enters as ``now`` in seconds since 1970, lock tokens by ``new_token``. Whoever owns a queue calls ``tick``
at ``next_deadline`` (exact, not polled) and gives messages out when ``on_ready`` calls.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable
from uuid import UUID

from local.servicebus.amqp.message import Parcel, with_properties
from local.servicebus.config import QueueConfig
from local.servicebus.stored import Refused, State, Stored

Clock = Callable[[], float]
"""Seconds since 1970."""

MESSAGE_ID_LIMIT = 128
"""Characters a message id may have (Microsoft Learn, Service Bus quotas)."""


class Queue:
    """One queue, or with ``parent`` its dead-letter queue, where nothing expires and no count is a limit."""

    def __init__(
        self, config: QueueConfig, clock: Clock, new_token: Callable[[], UUID], parent: Queue | None = None
    ) -> None:
        self.config = config
        self.address = config.name.lower() + ("/$deadletterqueue" if parent else "")
        self.on_ready: Callable[[Queue], None] = lambda queue: None
        self.dead = None if parent else Queue(config, clock, new_token, self)
        self._clock, self._new_token, self._parent = clock, new_token, parent
        self._last_sequence = 0
        self._stored: dict[int, Stored] = {}
        self._ready: list[int] = []
        self._locks: dict[UUID, Stored] = {}
        self._timers: list[tuple[float, int]] = []
        self._ids: dict[str, float] = {}

    # ------------------------------------------------------------------------------------------ sending

    def send(self, parcel: Parcel) -> int:
        """Enqueue a message, or keep it until its scheduled time; returns its sequence number, also for a duplicate,
        which is accepted and dropped."""
        self.check(parcel)
        now = self.tick()
        self._last_sequence += 1
        if self._is_duplicate(parcel.message_id, now):
            return self._last_sequence
        due = max(now, parcel.scheduled or now)
        lifetime = min(self.config.time_to_live, parcel.time_to_live or self.config.time_to_live)
        message = Stored(self._last_sequence, parcel, due, due + lifetime)
        self._stored[message.sequence] = message
        if due > now:
            message.state = State.SCHEDULED
            self._set_timer(due, message)
        else:
            self._activate(message)
        return message.sequence

    def check(self, parcel: Parcel) -> None:
        """Raises ``Refused`` for a message ``send`` would not take, so that a batch fails as a whole."""
        if self._parent is not None:
            raise Refused("amqp:not-allowed", "nothing can be sent to a dead-letter queue")
        if len(parcel.message_id) > MESSAGE_ID_LIMIT:
            raise Refused(
                "com.microsoft:argument-error", f"a message id has at most {MESSAGE_ID_LIMIT} characters"
            )

    def cancel(self, sequence: int) -> None:
        """Forget a scheduled message. Raises ``Refused`` when it is not waiting any more."""
        self.tick()
        message = self._stored.get(sequence)
        if message is None or message.state is not State.SCHEDULED:
            raise Refused("com.microsoft:message-not-found", f"no scheduled message {sequence}")
        del self._stored[sequence]

    def _is_duplicate(self, message_id: str, now: float) -> bool:
        """Told by id inside the window, whatever became of the first one (Microsoft Learn, duplicate detection)."""
        if not self.config.duplicate_detection or not message_id:
            return False
        while self._ids and next(iter(self._ids.values())) <= now:
            del self._ids[next(iter(self._ids))]
        if message_id in self._ids:
            return True
        self._ids[message_id] = now + self.config.duplicate_window
        return False

    def _activate(self, message: Stored) -> None:
        message.state = State.ACTIVE
        self._make_ready(message)

    def _make_ready(self, message: Stored) -> None:
        """Free to be taken, at its old place; a lock may have hidden the moment it expires."""
        if self.dead is not None:
            self._set_timer(message.expires, message)
        heapq.heappush(self._ready, message.sequence)
        self.on_ready(self)

    # ---------------------------------------------------------------------------------------- receiving

    def take(self) -> Stored | None:
        """Lock the oldest message that is free, or None."""
        if not self.has_ready():
            return None
        message = self._stored[heapq.heappop(self._ready)]
        message.token = self._new_token()
        message.locked_until = self._clock() + self.config.lock_duration
        self._locks[message.token] = message
        self._set_timer(message.locked_until, message)
        return message

    def has_ready(self) -> bool:
        """Whether ``take`` would find a message."""
        self.tick()
        while self._ready and self._ready[0] not in self._stored:
            heapq.heappop(self._ready)
        return bool(self._ready)

    def complete(self, token: UUID) -> None:
        """Done with it."""
        del self._stored[self._unlock(token).sequence]

    def abandon(self, token: UUID) -> None:
        """Give it back; the delivery counts, and the last one allowed dead-letters it."""
        self._count_failure(self._unlock(token))

    def release(self, token: UUID) -> None:
        """Give it back as if it had never been delivered."""
        self._make_ready(self._unlock(token))

    def dead_letter(self, token: UUID, reason: str, description: str) -> None:
        """Move it to the dead-letter queue with a reason. Refused inside that queue itself."""
        if self.dead is None:
            raise Refused("amqp:not-allowed", "a dead letter cannot be dead-lettered again")
        self._bury(self._unlock(token), reason, description)

    def renew(self, token: UUID) -> float:
        """Start the lock's time again; returns its new end."""
        now = self.tick()
        message = self._locked(token)
        message.locked_until = now + self.config.lock_duration
        self._set_timer(message.locked_until, message)
        return message.locked_until

    def _locked(self, token: UUID) -> Stored:
        message = self._locks.get(token)
        if message is None:
            raise Refused("com.microsoft:message-lock-lost", "the lock supplied is invalid or has expired")
        return message

    def _unlock(self, token: UUID) -> Stored:
        """The message of a lock that still holds, free again. Raises ``Refused``."""
        self.tick()
        message = self._locked(token)
        del self._locks[token]
        message.token = None
        return message

    def _count_failure(self, message: Stored) -> None:
        message.failures += 1
        if self.dead is not None and message.failures >= self.config.max_delivery_count:
            text = f"delivered {message.failures} times, which is the limit"
            self._bury(message, "MaxDeliveryCountExceeded", text)
        else:
            self._make_ready(message)

    def _bury(self, message: Stored, reason: str, description: str) -> None:
        """The sequence number stays, so that an operator finds the message by the number in the logs."""
        assert self.dead is not None
        del self._stored[message.sequence]
        marks = {"DeadLetterReason": reason, "DeadLetterErrorDescription": description}
        message.parcel = with_properties(message.parcel, **marks)
        self.dead._stored[message.sequence] = message
        self.dead._make_ready(message)

    # --------------------------------------------------------------------------------------------- time

    def next_deadline(self) -> float | None:
        """When ``tick`` has work, seconds since 1970; None while nothing waits for time."""
        while self._timers:
            when, sequence = self._timers[0]
            message = self._stored.get(sequence)
            if message is not None and when in (message.enqueued, message.locked_until, message.expires):
                return when
            heapq.heappop(self._timers)
        return None

    def tick(self) -> float:
        """Do what time asks for: enqueue what is due, free expired locks, drop expired messages. Returns now."""
        now = self._clock()
        while self._timers and self._timers[0][0] <= now:
            message = self._stored.get(heapq.heappop(self._timers)[1])
            if message is not None:
                self._catch_up(message, now)
        return now

    def _catch_up(self, message: Stored, now: float) -> None:
        """A timer only says "look at this message": what holds is decided by the message itself."""
        if message.state is State.SCHEDULED:
            if message.enqueued <= now:
                self._renumber(message)
        elif message.token is not None:
            if message.locked_until <= now:
                del self._locks[message.token]
                message.token = None
                self._count_failure(message)
        elif self.dead is not None and message.expires <= now:
            self._expire(message)

    def _renumber(self, message: Stored) -> None:
        """A message that comes due is appended like a new one, with a new number (Microsoft Learn, sequencing)."""
        del self._stored[message.sequence]
        self._last_sequence += 1
        message.sequence = self._last_sequence
        self._stored[message.sequence] = message
        self._activate(message)

    def _expire(self, message: Stored) -> None:
        if self.config.dead_letter_expired:
            self._bury(message, "TTLExpiredException", "the message outlived its time to live")
        else:
            del self._stored[message.sequence]

    def _set_timer(self, when: float, message: Stored) -> None:
        heapq.heappush(self._timers, (when, message.sequence))

    # ------------------------------------------------------------------------------------------ looking

    def peek(self, start: int, most: int) -> list[Stored]:
        """Up to ``most`` messages from a sequence number on, scheduled and locked ones included."""
        self.tick()
        found = sorted(sequence for sequence in self._stored if sequence >= start)
        return [self._stored[sequence] for sequence in found[:most]]

    def counts(self) -> dict[str, int]:
        """How many messages are free, locked and scheduled."""
        counted = Counter(_describe(message) for message in self.peek(0, len(self._stored)))
        return {name: counted[name] for name in ("active", "locked", "scheduled")}

    def clear(self) -> None:
        """Forget messages, locks and the ids seen; numbers go on."""
        for kept in (self._stored, self._ready, self._locks, self._timers, self._ids):
            kept.clear()


def _describe(message: Stored) -> str:
    if message.state is State.SCHEDULED:
        return "scheduled"
    return "active" if message.token is None else "locked"
