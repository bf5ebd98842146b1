"""What a person saw of a conflict when deciding, carried in its ETag: so a change is told in words, not only noticed.

Acknowledging changes nothing of what a decision rests on, so it leaves the ETag as it is.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from shared.domain.dates import StayDates
from shared.domain.model import BookingConflict, Side, Status
from shared.domain.spoken import LANGUAGES, Names, Said, ranges

_STATUS: Mapping[str, Said] = {
    Status.CONFIRMED: {"fr": "confirmée", "en": "confirmed"},
    Status.PENDING: {"fr": "en attente de réponse", "en": "waiting for an answer"},
    Status.CANCELLED: {"fr": "annulée", "en": "cancelled"},
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What a decision rests on: the clashing nights; by a mark of each fact its listing, nights and status; a mark of
    the decision that stands, empty for none."""

    nights: tuple[str, ...]
    sides: Mapping[str, tuple[str, tuple[str, ...], str]]
    ended: bool = False
    decided: str = ""

    @property
    def tag(self) -> str:
        """The ETag, quotes included."""
        sides = {
            mark: [listing, list(dates), status] for mark, (listing, dates, status) in self.sides.items()
        }
        value = {"n": list(self.nights), "s": sides, "e": int(self.ended), "d": self.decided}
        written = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
        return f'"{base64.urlsafe_b64encode(written).decode().rstrip("=")}"'


def seen(clash: BookingConflict) -> Seen:
    """A conflict as it stands."""
    by_fact: dict[str, list[Side]] = {}
    for side in clash.sides:
        by_fact.setdefault(_mark(side.key), []).append(side)
    sides = {
        mark: (parts[0].listing, tuple(sorted({str(one.dates) for one in parts})), parts[0].status.value)
        for mark, parts in by_fact.items()
    }
    chosen = clash.decision
    decided = _mark(f"{chosen.proposal}|{chosen.by}|{chosen.at.isoformat()}") if chosen else ""
    return Seen(tuple(str(dates) for dates in clash.exact), sides, clash.ended_at is not None, decided)


def _mark(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:8]


def read_tag(tag: str) -> Seen | None:
    """What an ETag of ours says; None for anything else."""
    inner = tag.strip().removeprefix("W/").strip('"')
    try:
        value = json.loads(base64.b64decode(inner + "=" * (-len(inner) % 4), altchars=b"-_", validate=True))
        sides = {
            str(mark): (str(listing), tuple(str(one) for one in dates), str(status))
            for mark, (listing, dates, status) in value["s"].items()
        }
        return Seen(tuple(str(one) for one in value["n"]), sides, bool(value["e"]), str(value["d"]))
    except (ValueError, binascii.Error, LookupError, TypeError, AttributeError, RecursionError):
        return None


def what_changed(before: Seen | None, now_on: Seen, names: Names) -> list[Said]:
    """The differences as sentences; empty where there is none."""
    if before is None:
        return [{"fr": "ce n’est pas la version que nous avons donnée", "en": "this is no version we gave"}]
    return list(_changes(before, now_on, names))


def _changes(before: Seen, now_on: Seen, names: Names) -> Iterator[Said]:
    if now_on.ended and not before.ended:
        yield {"fr": "les deux séjours ne se chevauchent plus", "en": "the two stays overlap no longer"}
    if before.nights != now_on.nights and not now_on.ended:
        was, now = _said(before.nights), _said(now_on.nights)
        yield {
            "fr": f"les nuits en double étaient {was['fr']}, ce sont maintenant {now['fr']}",
            "en": f"the nights sold twice were {was['en']}, now they are {now['en']}",
        }
    for mark, (listing, dates, status) in now_on.sides.items():
        old = before.sides.get(mark)
        where = names.listings.get(listing, listing)
        if old is None:
            yield {
                "fr": f"un autre séjour est concerné ({where})",
                "en": f"another stay is concerned ({where})",
            }
        elif old != (listing, dates, status):
            yield from _side_changes(old, (listing, dates, status), where)


def _side_changes(
    old: tuple[str, tuple[str, ...], str], new: tuple[str, tuple[str, ...], str], where: str
) -> Iterator[Said]:
    if old[1] != new[1]:
        was, now = _said(old[1]), _said(new[1])
        yield {
            "fr": f"le séjour vendu sur {where} a changé de dates\u202f: {now['fr']} au lieu de {was['fr']}",
            "en": f"the stay of {where} has other dates: {now['en']} instead of {was['en']}",
        }
    if old[2] != new[2]:
        word = _STATUS.get(new[2], {"fr": new[2], "en": new[2]})
        yield {
            "fr": f"la réservation sur {where} est maintenant {word['fr']}",
            "en": f"the booking of {where} is now {word['en']}",
        }


def _said(written: Sequence[str]) -> Said:
    """Ranges in words; who sent an ETag may have made it up, so what is no range is left out."""
    found = []
    for one in written[:20]:
        try:
            found.append(StayDates.parse(one))
        except ValueError:
            continue
    return {language: ranges(found, language) for language in LANGUAGES}
