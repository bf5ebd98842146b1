"""When a person is told: at once, after their quiet hours, in the daily digest, or not at all. Pure.

One rule stands above every choice: a double booking, a closure nobody took, and that we may send nothing any more are
told at once. Each of them lets nights be sold twice while nobody knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from shared.domain.zones import is_zone


class Timing(StrEnum):
    """What a person chooses for a topic."""

    NOW = "now"  # at once, or when the quiet hours end
    DAILY = "daily"  # in the digest
    OFF = "off"


class Topic(StrEnum):
    """The groups of notices a person chooses by."""

    CONFLICT = "conflict"  # two stays claim the same nights
    PUSH = "push"  # a closure that a platform did not take
    STAY = "stay"  # a new stay, and where its nights are closed
    OVER = "over"  # something that was told is settled
    CONNECTION = "connection"  # modes, links that are refused, access taken away
    MESSAGE = "message"  # what nobody could read or place


MUST = frozenset({Topic.CONFLICT, Topic.PUSH})
"""Topics nobody can put off or switch off."""

CRITICAL = "critical"
"""The severity that is never put off either, whatever it is about."""

DIGEST = "digest"
"""The kind of notice that holds others."""

_TOPICS: Mapping[str, Topic] = {
    "conflict": Topic.CONFLICT,
    "push_failed": Topic.PUSH,
    "new_stay": Topic.STAY,
    "conflict_over": Topic.OVER,
    "push_failed_over": Topic.OVER,
    "resumed": Topic.OVER,
    "mode_changed": Topic.CONNECTION,
    "dead_link": Topic.CONNECTION,
    "revoked": Topic.CONNECTION,
    "refused": Topic.CONNECTION,
    "health": Topic.CONNECTION,
    "health_over": Topic.OVER,
}

MORNING = time(8)
NIGHT_BEGINS, NIGHT_ENDS = time(22), time(7)
PARIS = "Europe/Paris"


@dataclass(frozen=True, slots=True)
class Hours:
    """A person's clock: the zone it shows, when their quiet hours begin and end (equal: none), and when the digest
    comes."""

    zone: str = PARIS
    begins: time = NIGHT_BEGINS
    ends: time = NIGHT_ENDS
    digest: time = MORNING

    def is_quiet(self, now: datetime) -> bool:
        """Whether ``now`` lies in the quiet hours; they may reach over midnight."""
        if self.begins == self.ends:
            return False
        clock = self._local(now).time()
        if self.begins < self.ends:
            return self.begins <= clock < self.ends
        return clock >= self.begins or clock < self.ends

    def awake(self, now: datetime) -> datetime:
        """``now``, or the end of the quiet hours it lies in."""
        return self._next(self.ends, now) if self.is_quiet(now) else now

    def next_digest(self, now: datetime) -> datetime:
        """The next digest after ``now``, never in the quiet hours."""
        return self.awake(self._next(self.digest, now))

    def _local(self, now: datetime) -> datetime:
        return now.astimezone(zone_of(self.zone))

    def _next(self, clock: time, now: datetime) -> datetime:
        """The first instant after ``now`` at which the clock shows this time. An hour that the clocks show twice counts
        both times, one they skip comes an hour late."""
        return min(at for at in self._shown(clock, now) if at > now)

    def _shown(self, clock: time, now: datetime) -> Iterator[datetime]:
        zone, today = zone_of(self.zone), self._local(now).date()
        for days in (0, 1, 2):
            for fold in (0, 1):
                at = datetime.combine(today + timedelta(days=days), clock.replace(fold=fold), zone)
                yield at.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody chose: when by topic (a topic they did not name is told at once), and their clock."""

    timing: Mapping[Topic, Timing] = field(default_factory=dict)
    hours: Hours = Hours()

    def told_at(self, kind: str, severity: str, now: datetime) -> datetime | None:
        """When a notice that comes ``now`` is told: ``now`` itself for at once, None for never."""
        topic = topic_of(kind)
        if is_urgent(kind, severity):
            return now
        timing = self.timing.get(topic, Timing.NOW)
        if timing is Timing.OFF:
            return None
        return self.hours.awake(now) if timing is Timing.NOW else self.hours.next_digest(now)


def topic_of(kind: str) -> Topic:
    """The topic of a kind of notice; one that nobody sorted is a message."""
    return _TOPICS.get(kind, Topic.MESSAGE)


def is_urgent(kind: str, severity: str) -> bool:
    """Whether a notice is told at once whatever was chosen. A digest is: it was put off before."""
    return topic_of(kind) in MUST or severity == CRITICAL or kind == DIGEST


def zone_of(name: str) -> ZoneInfo:
    """The zone, Paris for a name nobody knows (a release before us may have written it)."""
    return ZoneInfo(name if is_zone(name) else PARIS)
