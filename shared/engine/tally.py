"""Tally: what the engine's steps add to the figures of the run they belong to. One call in each step, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from shared import meter
from shared.domain.changes import Difference
from shared.domain.confirm import Result
from shared.domain.errors import CircuitOpen, PermanentError, RateLimited, SyncError
from shared.domain.model import Platform, SiteState, Write
from shared.ports import Telemetry


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


def facts(before: SiteState, diff: Difference) -> None:
    """A commit changed these facts, and learned of these closures that they are taken or let go."""
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
    for key in diff.spent:
        gone = before.blocks.get(key)
        if gone is not None and gone.cleared_at is None and gone.listing in before.listings:
            meter.count(before.listings[gone.listing].platform, confirmed=1)


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
