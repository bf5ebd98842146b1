"""What an event's words say of it, platform by platform: a sale, a closure, or either."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from shared.connectors.ical_links import VRBO
from shared.domain.model import Busy
from shared.domain.platform import AIRBNB, BOOKING, Platform

_LONGEST_NAME = 40

# VERIFIED in public integration code: Airbnb writes "Reserved" with the reservation's address in DESCRIPTION, and
# "Airbnb (Not available)" without one for closures and imports; feeds from before 2020 carry "Name (HMXXXXXXXX)".
_AIRBNB_CODE = re.compile(r"/reservations/details/([A-Z0-9]{6,20})")
_AIRBNB_OLD = re.compile(r"(.*)\((HM[A-Z0-9]{6,12})\)")
# VERIFIED for English and French (a masked feed of abritel.fr); "Provisoire" and "Tentative" are unpaid and hold too.
_VRBO_STAY = ("reserved", "réserv", "reserv", "provisoire", "tentative")
_VRBO_BLOCK = ("blocked", "indisponible")


@dataclass(frozen=True, slots=True)
class Words:
    """What the words say. ``guest`` is a first name, kept out of every repr."""

    kind: Busy
    code: str = ""
    guest: str = field(default="", repr=False)


def words_of(platform: Platform, summary: str, description: str) -> Words:
    """Sort an event by its platform's habits; in doubt CLOSED, a stay or a closure.

    Booking.com's words do not tell the two apart (VERIFIED), nor are Greengo's for a stay known (REPORTED), so
    everything there is CLOSED, like everything from an exporter whose habits nobody wrote down. LIMIT is never said
    here: a rule of the platform looks like any block and shows only by sliding from day to day.
    """
    if platform == AIRBNB:
        return _airbnb(summary, description)
    if platform == VRBO:
        return _vrbo(summary)
    if platform == BOOKING:
        _, _, guest = summary.partition("CLOSED - ")  # older feeds: the guest's name follows
        return Words(Busy.CLOSED, guest="" if guest.lower().startswith("not ") else _first_name(guest))
    return Words(Busy.CLOSED)


def _airbnb(summary: str, description: str) -> Words:
    code = _AIRBNB_CODE.search(description)
    old = _AIRBNB_OLD.fullmatch(summary.strip())
    if old:
        return Words(Busy.STAY, old[2], _first_name(old[1]))
    if summary.strip().lower().startswith("reserved"):
        return Words(Busy.STAY, code[1] if code else "")
    if "not available" in summary.lower():
        return Words(Busy.BLOCK)
    return Words(Busy.CLOSED)


def _vrbo(summary: str) -> Words:
    said = summary.strip().lower()
    if said.startswith(_VRBO_BLOCK):
        return Words(Busy.BLOCK)
    if said.startswith(_VRBO_STAY):
        return Words(Busy.STAY, guest=_first_name(summary.partition(" - ")[2]))
    return Words(Busy.CLOSED)


def _first_name(text: str) -> str:
    words = text.split()
    return words[0][:_LONGEST_NAME] if words else ""
