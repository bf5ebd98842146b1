"""Wishes: what a person asks a synchronisation for, and when one that runs already does what another asks."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.model import SyncMode


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a synchronisation is asked for: everything, or one platform, one home, or one site of it. ``owners`` are
    those whose homes are meant, in order; empty for everybody's."""

    mode: SyncMode = SyncMode.AUTO
    platform: str = ""
    property: str = ""
    site: str = ""
    owners: tuple[str, ...] = ()

    def written(self) -> dict[str, str]:
        """As texts by name, without what is not asked for: a release that knows no owners reads the rest."""
        texts = {
            "mode": self.mode.value,
            "platform": self.platform,
            "property": self.property,
            "site": self.site,
            "owners": " ".join(self.owners),
        }
        return {name: text for name, text in texts.items() if text}


def covers(running: Wanted, new: Wanted) -> bool:
    """Whether what runs does all that is newly asked for: at least as thoroughly, for no fewer homes and platforms. A
    full run (MANUAL) does what every other does."""
    if running.mode not in (new.mode, SyncMode.MANUAL):
        return False
    pairs = (
        (running.platform, new.platform),
        (running.property, new.property),
        (running.site, new.site),
    )
    if any(wide not in ("", narrow) for wide, narrow in pairs):
        return False
    return not running.owners or (bool(new.owners) and set(new.owners) <= set(running.owners))
