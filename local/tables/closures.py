"""What the rows of a site's ledger become when a copy is put back. Pure.

A closure on a platform is ours to take back only while a row says so (rule 1); one in a calendar that we publish
explains what its peer shows (rules 3, 4). A copy knows neither what was closed since nor what a peer let go of since.
The tables that are written over do, where they can still be read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from shared.domain.errors import SyncError
from shared.domain.model import Phase
from shared.domain.platform import Link
from shared.ports.stores import Row, Value
from shared.state import cells, site_codec

NOBODY = "~restored"
"""The event that a closure explains which explained none when it was copied: no peer names one so."""

Rows = Mapping[str, Row]

_READ: Mapping[str, Callable[[Row], object]] = {
    site_codec.RESERVATION: site_codec.to_reservation,
    site_codec.BLOCK: site_codec.to_block,
}
_THE_SAME = ("platform", "account", "unit", "link")


def closures(old: Rows, new: Rows, version: int, now: datetime, *, torn: bool) -> list[Row]:
    """The ledger to be stored. ``old`` are the site's rows in the copy, ``new`` those in the tables; ``version`` is its
    version from now on, ``now`` store time. ``torn``: an earlier restore broke off here, so that rows may be missing
    that no engine took away; then, and where one cannot be read, the tables prove nothing, and what was closed since
    stays closed."""
    links = {
        key.removeprefix(site_codec.LISTING): str(row.values.get("link", "")) for key, row in old.items()
    }
    same = frozenset(listing for listing in links if is_same(site_codec.LISTING + listing, old, new))
    live = _by_name(row for row in new.values() if _is_closure(row))
    whole = not torn and all(map(is_readable, new.values()))
    sent = {name for name, row in live.items() if whole and _is_on_platform(row, same, links)}
    then = _by_name(row for row in old.values() if _is_closure(row))
    kept = [_sent_since(live[name], then.get(name), now) for name in sorted(sent)]
    for row in old.values():
        link = links.get(_listing(row), "")
        if not _is_closure(row) or (link == Link.API and _name(row) in sent):
            continue
        let_go = link == Link.ICAL and _listing(row) in same and whole and _name(row) not in live
        if not let_go:
            kept.append(_again(row, link, live.get(_name(row)), version, now))
    return kept


def _sent_since(row: Row, then: Row | None, now: datetime) -> Row:
    """A closure on a platform as the tables know it: wanted until all have answered where it was wanted then or now,
    else on its way to be opened again, after a poll that begins from now on. It has left once: it is not forgotten
    unopened."""
    one = site_codec.to_block(row)
    wanted = one.wanted or (then is not None and then.values.get("wanted") is True)
    left = {"attempts": max(1, one.attempts)} if one.taken_at is None else {}
    at: dict[str, Value] = {"released_at": cells.to_instant(None if wanted else now)}
    phase = {"phase": Phase.INTENDED.value, "next_try": ""} if wanted else {}
    return _with(row, {"wanted": wanted, **at, **left, **phase})


def _again(row: Row, link: str, live: Row | None, version: int, now: datetime) -> Row:
    """A closure on a platform is sent once more. One in a calendar that we publish is taken back, and published anew by
    the next plan where it is still wanted: what its peer shows from now on under a new name may have been sold while
    the closure was gone, so it explains the event it was known to explain, and no other; nor that one where the peer
    has let go of the closure since, and a sale may go by the same name."""
    is_wanted, echo = row.values.get("wanted") is True, row.values.get("echo") or NOBODY
    if link == Link.API:
        return _with(row, {"phase": Phase.INTENDED.value, "next_try": ""}) if is_wanted else row
    if link != Link.ICAL:
        return row
    gone: Mapping[str, Value] = (
        {"wanted": False, "gone_version": version, "released_at": cells.to_instant(now)} if is_wanted else {}
    )
    return _with(row, {"echo": echo, **gone, **_let_go(live)})


def _let_go(live: Row | None) -> Mapping[str, Value]:
    """That its peer took the release, as the tables know it."""
    if live is None or live.values.get("wanted") is not False or not live.values.get("cleared_at"):
        return {}
    return {name: live.values[name] for name in ("cleared_at", "imports") if name in live.values}


def _by_name(rows: Iterable[Row]) -> dict[str, Row]:
    """Of several of one name the wanted one, else the youngest."""
    return {_name(row): row for row in sorted(rows, key=_rank)}


def _rank(row: Row) -> tuple[bool, int]:
    since = row.values.get("since_version")
    return row.values.get("wanted") is True, since if isinstance(since, int) else 0


def _is_closure(row: Row) -> bool:
    return row.key.startswith(site_codec.BLOCK)


def _name(row: Row) -> str:
    return row.key.removeprefix(site_codec.BLOCK).rpartition("|")[0]


def _listing(row: Row) -> str:
    return str(row.values.get("listing", ""))


def is_same(key: str, old: Rows, new: Rows) -> bool:
    """Whether a listing, by its row's key, is in the tables and still the one that the copy knows."""
    return (
        key in old
        and key in new
        and all(old[key].values.get(one) == new[key].values.get(one) for one in _THE_SAME)
    )


def _is_on_platform(row: Row, same: Collection[str], links: Mapping[str, str]) -> bool:
    """Whether a row of the tables, which can be read, says that its platform was told to close these nights."""
    if _listing(row) not in same or links[_listing(row)] != Link.API:
        return False
    one = site_codec.to_block(row)
    return one.phase is not Phase.INTENDED or one.taken_at is not None or one.attempts > 0


def is_readable(row: Row) -> bool:
    """Whether it is no stay and no closure, or one that this release can read."""
    read = _READ.get(row.key[:2])
    try:
        if read is not None:
            read(row)
    except (SyncError, ValueError, LookupError, TypeError):
        return False
    return True


def _with(row: Row, values: Mapping[str, Value]) -> Row:
    return replace(row, values={**row.values, **values}, etag=None)
