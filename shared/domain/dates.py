"""Stay dates: nights as pairs of local calendar days.

A stay occupies the nights ``[check_in, check_out)``. The day of departure is free for the next guest, so two
stays that touch do not overlap. Dates are the home's own calendar days; instants never enter here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, order=True)
class StayDates:
    """The nights ``[check_in, check_out)``: half-open, at least one night.

    Raises ``ValueError`` when check_out is not after check_in.
    """

    check_in: date
    check_out: date

    def __post_init__(self) -> None:
        if self.check_out <= self.check_in:
            raise ValueError(f"a stay needs at least one night: {self.check_in} to {self.check_out}")

    @classmethod
    def of_nights(cls, check_in: date, nights: int) -> StayDates:
        """The stay of so many nights (>= 1) from check_in on."""
        return cls(check_in, check_in + timedelta(days=nights))

    def overlaps(self, other: StayDates) -> bool:
        """Whether at least one night is in both."""
        return self.check_in < other.check_out and other.check_in < self.check_out

    def covers(self, other: StayDates) -> bool:
        """Whether every night of the other is in this one."""
        return self.check_in <= other.check_in and other.check_out <= self.check_out

    def intersection(self, other: StayDates) -> StayDates | None:
        """The nights in both, or None."""
        start, end = max(self.check_in, other.check_in), min(self.check_out, other.check_out)
        return StayDates(start, end) if start < end else None

    def from_day(self, day: date) -> StayDates | None:
        """What is left of the stay from that day's night on, or None when it is all in the past."""
        if self.check_out <= day:
            return None
        return self if self.check_in >= day else StayDates(day, self.check_out)

    def nights(self) -> Iterator[date]:
        """Each night, named by the day on which it begins."""
        for offset in range((self.check_out - self.check_in).days):
            yield self.check_in + timedelta(days=offset)

    def __len__(self) -> int:
        return (self.check_out - self.check_in).days

    def __str__(self) -> str:
        return f"{self.check_in.isoformat()}/{self.check_out.isoformat()}"

    @classmethod
    def parse(cls, text: str) -> StayDates:
        """Read what ``str`` wrote. Raises ``ValueError`` on anything else."""
        start, _, end = text.partition("/")
        return cls(date.fromisoformat(start), date.fromisoformat(end))


def nights_of(ranges: Iterable[StayDates]) -> set[date]:
    """Every night of every range, once."""
    return {night for dates in ranges for night in dates.nights()}


def ranges_of(nights: Iterable[date]) -> tuple[StayDates, ...]:
    """The fewest ranges that hold exactly these nights, in order; touching nights are joined."""
    ranges: list[StayDates] = []
    for night in sorted(set(nights)):
        if ranges and ranges[-1].check_out == night:
            ranges[-1] = StayDates(ranges[-1].check_in, night + ONE_DAY)
        else:
            ranges.append(StayDates(night, night + ONE_DAY))
    return tuple(ranges)


def without(dates: StayDates, taken: Iterable[StayDates]) -> tuple[StayDates, ...]:
    """What is left of the nights once every taken range is cut out, in order."""
    left = [dates]
    for cut in taken:
        left = [piece for part in left for piece in _cut(part, cut)]
    return tuple(left)


def _cut(part: StayDates, cut: StayDates) -> Iterator[StayDates]:
    if not part.overlaps(cut):
        yield part
        return
    if part.check_in < cut.check_in:
        yield StayDates(part.check_in, cut.check_in)
    if cut.check_out < part.check_out:
        yield StayDates(cut.check_out, part.check_out)
