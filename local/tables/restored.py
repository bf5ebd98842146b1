"""What a row of a copy becomes when it is put back. Pure.

Between the copy and now nights were sold, closed and opened that the copy knows nothing of. So nothing in it proves any
more that a night may be opened: each listing must give a complete answer again (rule 5), everything is asked anew, and
no number that was handed out comes back (rules 2 and 6). What people did meanwhile with names and rights counts, where
the tables still hold it. Columns are changed one by one: what a newer release put beside them stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, replace
from datetime import datetime

from local.tables.closures import closures, is_readable, is_same
from shared.domain.errors import SyncError
from shared.domain.platform import Link
from shared.ports.stores import Row, Value
from shared.state import cells, names, site_cells, site_codec
from shared.state.due import shard_of

JUMP = 1_000_000
"""How far counters and the fences of leases are raised past what was handed out: a busy account counts some thousands a
day."""

STEPS = 1_000
"""The same for a site's versions and fences. The record is read by version, so a wider gap would cost reads."""

_RECORD = site_codec.ALIVE_END
"""From here on a site's rows are its record, which only grows: of two with one key the one in the tables is newer, and
what was erased in it stays erased."""

_ENGINES = frozenset({names.DIRECTORY, "~timers"})
"""Partitions of ``Accounts`` that are no account's and hold what the engine needs; the others are about people: who
they are, what they chose and were told."""

_SINCE_COPIED = frozenset({names.INBOX})
_GROWS = frozenset({names.RESERVATIONS, names.RUNS})

Rows = Mapping[str, Row]


@dataclass(frozen=True, slots=True)
class Frame:
    """``now`` is store time. ``lives``: the tables still hold sites, so that what was done since the copy counts.
    ``torn`` are sites over which an earlier restore broke off, and whose rows may be missing."""

    now: datetime
    lives: bool
    torn: Set[str] = frozenset()


def wanted(table: str, partition: str, copied: Iterable[Row], live: Iterable[Row], frame: Frame) -> list[Row]:
    """The rows that a partition is to hold, from those of the copy and those that stand there now. Of ``Due`` the
    copy's are those that ``due`` gives."""
    old, new = ({row.key: row for row in rows} for rows in (copied, live))
    if table in _SINCE_COPIED:  # a body that is gone was worked off, or erased
        return list((new if frame.lives else old).values())
    if table in _GROWS:
        return list({**old, **new}.values())
    if table == names.SITES:
        return _site(old, new, frame)
    if table == names.FEEDS:
        return _shard(partition, old, new) if old else []
    if table == names.ACCOUNTS:
        return _account(partition, old, new, frame)
    return list(old.values())


def due(sites: Iterable[str], copied: Mapping[str, Row], frame: Frame) -> list[Row]:
    """A look at each site at once; of whom nobody was told is told then."""
    values: dict[str, Value] = {"at": cells.to_instant(frame.now), "reason": "restored", "attempts": 0}
    tell = {site: row.values["tell"] for site, row in copied.items() if "tell" in row.values}
    return [
        Row(shard_of(site), site, values | ({"tell": tell[site]} if site in tell else {})) for site in sites
    ]


def _with(row: Row, values: Mapping[str, Value]) -> Row:
    return replace(row, values={**row.values, **values}, etag=None)


def _most(name: str, *rows: Row | None) -> int:
    """The highest number that any of the rows holds in a column."""
    found = [row.values.get(name) for row in rows if row is not None]
    return max((one for one in found if isinstance(one, int)), default=0)


# ------------------------------------------------------------------------------------------------ sites


def _site(old: Rows, new: Rows, frame: Frame) -> list[Row]:
    head = old.get(site_codec.HEAD)
    if head is None:
        return []  # a site that the copy does not know is put there by an import
    known = new.get(site_codec.HEAD)
    version = _most("version", head, known) + STEPS
    fence = _most("fence", head, known) + STEPS
    forgotten = {_stay(row.key) for row in new.values() if row.values.get("forgotten") is True}
    changes: dict[str, Callable[[Row], Mapping[str, Value]]] = {
        site_codec.HEAD: lambda row: {
            "version": version,
            "fence": fence,
            "write_ids": "[]",
            "min_reader": row.values.get("min_reader", 0),
        },
        site_codec.LISTING: lambda row: _silent(row, new.get(row.key)),
        site_codec.RESERVATION: lambda row: _stay_again(row, forgotten, frame),
        site_codec.CONFLICT: lambda row: _without_erased_note(row, new.get(row.key)),
    }
    shown = {key: row for key, row in new.items() if _is_shown(row, old, new)}
    alive = [
        _with(row, change(row)) if (change := changes.get(_kind(key))) else row
        for key, row in {**old, **shown}.items()
        if key < _RECORD and not key.startswith(site_codec.BLOCK)
    ]
    ledger = closures(old, new, version, frame.now, torn=head.partition in frame.torn)
    record = {key: row for key, row in {**old, **new}.items() if key >= _RECORD}
    kept = (_without_erased_name(row, forgotten) for row in record.values())
    return [*alive, *ledger, *kept]


def _is_shown(row: Row, old: Rows, new: Rows) -> bool:
    """Whether it is a stay that a calendar showed since: it holds its nights until that calendar has gone without it
    for as long as any other (rule 21), or one empty answer would sell them."""
    if not row.key.startswith(site_codec.RESERVATION) or not is_readable(row):
        return False
    feed = str(row.values.get("feed", ""))
    return bool(feed) and is_same(site_codec.LISTING + feed, old, new)


def _kind(key: str) -> str:
    return next((kind for kind in site_codec.KINDS if key.startswith(kind)), "")


def _stay(key: str) -> str:
    """The stay's own key, living or departed."""
    return key[len(site_codec.RESERVATION) :]


def _silent(row: Row, live: Row | None) -> Mapping[str, Value]:
    """No complete answer of it is known, and the next ones matter even when they are unchanged. What was on its way to
    its platform may still land (rule 2)."""
    on_its_way = {} if live is None else {k: v for k, v in live.values.items() if k.startswith("writes")}
    feed: Mapping[str, Value] = {"watched": True} if row.values.get("link") == Link.ICAL else {}
    return {**on_its_way, "complete": False, **feed}


def _stay_again(row: Row, forgotten: set[str], frame: Frame) -> Mapping[str, Value]:
    """The proof that nights are gone begins anew."""
    values: dict[str, Value] = {}
    try:
        fading = site_cells.fading(row.values, "fading")
    except (SyncError, ValueError, LookupError, TypeError):
        fading = ()
    if fading:
        values |= cells.spread(
            "fading", site_cells.to_fading(replace(one, since=frame.now) for one in fading)
        )
    return {**values, **(_ERASED if _stay(row.key) in forgotten else {})}


_ERASED: Mapping[str, Value] = {"guest": "", "forgotten": True}


def _without_erased_name(row: Row, forgotten: set[str]) -> Row:
    departed = row.key.startswith(site_codec.DEPARTED) and _stay(row.key) in forgotten
    return _with(row, _ERASED) if departed else row


def _without_erased_note(row: Row, live: Row | None) -> Mapping[str, Value]:
    """A note that was erased since stays erased."""
    erased = live is not None and live.values.get("decided_at") == row.values.get("decided_at")
    return {"decided_note": live.values.get("decided_note", "")} if erased and live is not None else {}


# ------------------------------------------------------------------------------------ feeds, accounts


def _shard(partition: str, old: Rows, new: Rows) -> list[Row]:
    """Each calendar is asked at once and merged whatever it says, under a number that no pass ever had."""
    unknown: Mapping[str, Value] = {"digest": "", "etag_seen": "", "modified_seen": "", "watched": True}
    counter = _most("counter", old.get("~pass"), new.get("~pass")) + JUMP
    head = _with(old.get("~pass", Row(partition, "~pass")), {"counter": counter, "visits": "{}"})
    return [head, *(_with(row, unknown) for key, row in old.items() if key != "~pass")]


def _account(partition: str, old: Rows, new: Rows, frame: Frame) -> list[Row]:
    if partition.startswith("~") and partition not in _ENGINES:
        return list(new.values()) if frame.lives else _told_before(old)
    kept = {**old, **{key: row for key, row in new.items() if _is_counted(key)}}
    if frame.lives:
        kept |= {key: row for key, row in new.items() if key in old and _is_chosen(key)}
    return [_asked_anew(row, old.get(key), new.get(key)) for key, row in kept.items()]


def _is_counted(key: str) -> bool:
    return key == "counter" or key.startswith("lease|")


def _is_chosen(key: str) -> bool:
    """What people chose, and what all hosts agree on: the younger counts."""
    return key == "account" or key.startswith(("note|", "owner|"))


def _asked_anew(row: Row, old: Row | None, new: Row | None) -> Row:
    if row.key == "account" and "platform" in row.values:
        return _with(row, {"polled": "", "looked": "", "tried": "", "units": ""})
    if row.key == "counter":
        return _with(row, {"value": _most("value", old, new) + JUMP})
    if row.key.startswith("lease|"):
        return _with(row, {"fence": _most("fence", old, new) + JUMP, "until": ""})
    return row


def _told_before(old: Rows) -> list[Row]:
    """Nobody is told again what they were told then; what waits for a morning is kept."""
    return [_with(row, {"waiting": "[]"}) if "waiting" in row.values else row for row in old.values()]
