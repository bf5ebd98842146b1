"""Tally: what the engine's steps add to the figures of the run they belong to. One call in each step, and no more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from shared import meter
from shared.domain.changes import Difference
from shared.domain.confirm import Result
from shared.domain.dates import ranges_of
from shared.domain.errors import CircuitOpen, PermanentError, RateLimited, SyncError
from shared.domain.exposure import known_closed
from shared.domain.model import SiteState, Write
from shared.domain.platform import Platform
from shared.domain.reports import RunReport
from shared.ports.people import Telemetry


def run(reports: Iterable[RunReport], telemetry: Telemetry) -> None:
    """A run ended, idle or not. Each platform it concerned is heard of: silence is another thing than nothing new."""
    for one in reports:
        result = "failed" if one.error or one.figures.failed else "done"
        telemetry.count("sync_runs", platform=one.platform, result=result)
        milliseconds = one.duration / timedelta(milliseconds=1)
        telemetry.duration("sync_duration_ms", milliseconds, platform=one.platform, result=result)
        if one.figures.changed:
            telemetry.count("bookings_changed", one.figures.changed, platform=one.platform)


def told(platform: Platform, stays: int, changed: int) -> None:
    """An API told of so many stays; so many facts changed with them."""
    meter.count(platform, seen=stays, unchanged=max(0, stays - changed))


def calendar(platform: Platform, listing: str, *, unchanged: bool) -> None:
    """A calendar answered."""
    meter.count(platform, seen=1, unchanged=int(unchanged))
    meter.note("calendar", platform=platform, listing=listing, ended="unchanged" if unchanged else "read")


def declined(platform: Platform, whom: str, wrong: SyncError) -> None:
    """Asking somebody ended with an error. A refusal says that the answer is no, a failure that there is none; a limit
    is a refusal, since waiting is all it takes."""
    refusal = isinstance(wrong, PermanentError | RateLimited | CircuitOpen)
    meter.count(platform, refused=int(refusal), failed=int(not refusal))
    meter.note("refusal" if refusal else "failure", platform=platform, whom=whom, why=str(wrong))
    meter.blame(f"{whom}: {wrong}")


def unplaced(platform: Platform, whom: str, why: str) -> None:
    """A message nobody could place: set aside."""
    meter.count(platform, refused=1)
    meter.note("refusal", platform=platform, whom=whom, why=why)


def facts(before: SiteState, diff: Difference, telemetry: Telemetry) -> None:
    """A commit changed these facts, learned of these closures that they are taken or let go, and of these double sales
    that they began or ended."""
    conflicts(before, diff, telemetry)
    by_account = {one.account: one.platform for one in before.listings.values()}
    accounts = [one.account for one in diff.reservations]
    accounts += [before.reservations[key].account for key in diff.dropped if key in before.reservations]
    for account in accounts:
        meter.count(by_account.get(account, Platform("")), changed=1)
    for row in diff.blocks:
        old = before.blocks.get(row.key)
        taken = row.taken_at is not None and (old is None or old.taken_at is None)
        cleared = row.cleared_at is not None and (old is None or old.cleared_at is None)
        if (taken or cleared) and row.listing in before.listings:
            meter.count(before.listings[row.listing].platform, confirmed=1)
        if taken and row.taken_at and row.created_at and row.listing in before.listings:
            latency = (row.taken_at - row.created_at) / timedelta(milliseconds=1)
            telemetry.duration("block_latency_ms", latency, platform=before.listings[row.listing].platform)
    for key in diff.spent:
        gone = before.blocks.get(key)
        if gone is not None and gone.cleared_at is None and gone.listing in before.listings:
            meter.count(before.listings[gone.listing].platform, confirmed=1)


def conflicts(before: SiteState, diff: Difference, telemetry: Telemetry) -> None:
    """These double sales were not known before, and these are over."""
    for one in diff.conflicts:
        old = before.conflicts.get(one.id)
        nights = " ".join(str(dates) for dates in one.exact)
        said = {"site": before.site.id, "conflict": one.id, "property": one.property_id, "nights": nights}
        if one.ended_at is not None and (old is None or old.ended_at is None):
            telemetry.count("conflicts_resolved")
            telemetry.event("conflict_resolved", **said)
        elif one.ended_at is None and (old is None or old.ended_at is not None):
            telemetry.event("conflict_detected", **said, severity=one.severity.value)


def exposed(state: SiteState, now: datetime, telemetry: Telemetry) -> None:
    """For how long, on each platform, the oldest closure waits that is not known to be there; nothing without one."""
    oldest: dict[Platform, datetime] = {}
    for row in state.blocks.values():
        listing = state.listings.get(row.listing)
        if row.wanted and row.created_at and listing and not known_closed(row, listing):
            oldest[listing.platform] = min(oldest.get(listing.platform, row.created_at), row.created_at)
    for platform, since in oldest.items():
        telemetry.gauge("exposure_s", (now - since).total_seconds(), platform=platform)


Told = tuple[Platform, str]
"""Who told of a stay, and of which home."""


def changed_nights(after: SiteState, before: SiteState, diff: Difference) -> Iterator[tuple[Told, set[date]]]:
    """The homes whose stays a commit changed, by platform, with the nights."""
    gone = [before.reservations[key] for key in diff.dropped if key in before.reservations]
    for one in (*diff.reservations, *gone):
        for part in one.parts or before.reservations.get(one.key, one).parts:
            listing = after.listings.get(part.listing)
            if listing is not None:
                yield (listing.platform, listing.property), set(part.dates.nights())


def completed(site: str, nights: Mapping[Told, set[date]], telemetry: Telemetry, result: str) -> None:
    """A site was brought up to date after its stays had changed: one event for each home and platform."""
    for (platform, home), dates in nights.items():
        said = {"site": site, "property": home, "nights": " ".join(str(each) for each in ranges_of(dates))}
        telemetry.event("sync_completed", **said, platform=platform, result=result)


def writes(state: SiteState, results: Sequence[tuple[str, Write, Result]], telemetry: Telemetry) -> None:
    """These writes were decided, and this is how they ended: one line of the log each."""
    for name, write, result in results:
        platform = state.listings[name].platform
        refused = bool(result.outcome.refused)
        meter.count(platform, sent=1, refused=int(refused), failed=int(bool(result.error)))
        line = _line(platform, name, write, result)
        meter.note("write", **line)
        telemetry.event("write", site=state.site.id, **line)
        if result.error:
            meter.blame(f"{name}: {result.error}")


def _line(platform: Platform, name: str, write: Write, result: Result) -> dict[str, str]:
    closed = [night for night, level in write.levels.items() if level == 0]
    opened = [night for night, level in write.levels.items() if level > 0]
    ended = "unknown" if result.lost else "failed" if result.error else "accepted"
    if result.outcome.refused:
        ended = "refused"
    why = result.error or "; ".join(sorted(set(result.outcome.refused.values())))
    return {
        "platform": platform,
        "listing": name,
        "closed": _nights(closed),
        "opened": _nights(opened),
        "ended": ended,
        "why": why,
    }


def _nights(nights: Sequence[date]) -> str:
    """First and last night and how many, in a few signs."""
    if not nights:
        return ""
    first, last = min(nights), max(nights)
    return f"{first}" if first == last else f"{first}..{last} ({len(nights)})"
