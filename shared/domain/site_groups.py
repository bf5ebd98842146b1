"""From homes to sites: the connected groups of homes that share rooms.

A night sold in one home must close every home that needs the same room, and the two are only safe together: a
site is stored, locked and committed as one (rule 15). Whatever could be read in two ways is refused here,
since the wrong reading sells a night twice.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from shared.domain.model import Property, Site
from shared.domain.portfolio import MOST_HOMES, MOST_TURNOVER, MOST_UNITS, Home, PortfolioRefused, Problem

_MOST_CYCLES = 20  # each costs a walk over all homes


def resolve(homes: Sequence[Home]) -> tuple[Site, ...]:
    """The sites of these homes, in the order of their ids.

    A site's id is the name its homes give it (``Home.site``), else its smallest home id: it does not change when
    the same homes are imported again. Raises ``PortfolioRefused`` with every problem found.
    """
    return _Resolver(homes).sites()


class _Resolver:
    """One pass over the homes; collects problems and goes on with what is sound."""

    def __init__(self, homes: Sequence[Home]) -> None:
        self._homes = homes
        self._problems: list[Problem] = []
        self._at: dict[str, int] = {}
        for index, home in enumerate(homes):
            if self._at.setdefault(home.id, index) != index:
                self._say(index, "id", f"home {home.id} stands there twice")

    def sites(self) -> tuple[Site, ...]:
        for index, home in enumerate(self._homes):
            self._check_rooms(index, home)
        inside = self._inside()
        self._check_counts()
        self._check_shared()
        sites = [site for group in self._groups(inside) if (site := self._site(group, inside)) is not None]
        self._check_names(sites)
        if self._problems:
            raise PortfolioRefused(tuple(sorted(self._problems, key=lambda problem: problem.home)))
        return tuple(sorted(sites, key=lambda site: site.id))

    def _say(self, index: int, field: str, text: str) -> None:
        self._problems.append(Problem(index, field, text))

    def _home(self, name: str) -> Home:
        return self._homes[self._at[name]]

    def _check_rooms(self, index: int, home: Home) -> None:
        """What one home says about itself: a home sold by count draws on one kind of room and on nothing else."""
        if not 1 <= home.units <= MOST_UNITS:
            self._say(index, "units", f"units must be a whole number from 1 to {MOST_UNITS}")
        elif home.units > 1 and (home.contains or len(home.rooms) > 1):
            self._say(
                index,
                "units",
                f"a home sold {home.units} times at once is one kind of room: it contains no homes and "
                "needs no second room",
            )
        if not 0 <= home.turnover <= MOST_TURNOVER:
            self._say(
                index, "turnover", f"turnover must be a whole number of nights from 0 to {MOST_TURNOVER}"
            )
        for room, count in home.rooms.items():
            if count != home.units:
                self._say(
                    index,
                    "rooms",
                    f"rooms has {count} of {room}, so this home could be sold {count} times at once while units "
                    f"says {home.units}: say units: {count} if that is meant, or give each room a name of its own",
                )
            elif room != home.id and self._has_other_rooms(room):
                self._say(index, "rooms", f"{room} is a home with rooms of its own: say contains: [{room}]")

    def _has_other_rooms(self, name: str) -> bool:
        return name in self._at and set(self._home(name).own_rooms) != {name}

    def _inside(self) -> Mapping[str, tuple[str, ...]]:
        """The homes inside each home, without those that cannot be."""
        inside = {home.id: self._sound(index, home) for index, home in enumerate(self._homes)}
        for _ in range(_MOST_CYCLES):
            try:
                TopologicalSorter(inside).prepare()
                return inside
            except CycleError as error:
                circle = _from_smallest(error.args[1][:0:-1])
                chain = " contains ".join((*circle, circle[0]))
                self._say(self._at[circle[0]], "contains", f"a home cannot be inside itself: {chain}")
                inside |= dict.fromkeys(circle, ())
        return dict.fromkeys(inside, ())

    def _sound(self, index: int, home: Home) -> tuple[str, ...]:
        sound = []
        for name in home.contains:
            if name not in self._at:
                self._say(index, "contains", f"contains a home that is not in this portfolio: {name}")
            elif self._home(name).units > 1:
                self._say(
                    index,
                    "contains",
                    f"{name} is sold by count (units: {self._home(name).units}) and cannot be inside another home: "
                    "give each of its units a home of its own",
                )
            else:
                sound.append(name)
        return tuple(sound)

    def _check_counts(self) -> None:
        """Every home that draws on a room must agree on how many of it exist."""
        first: dict[str, int] = {}
        for index, home in enumerate(self._homes):
            for room, count in home.own_rooms.items():
                other = self._homes[first.setdefault(room, index)]
                if other.own_rooms[room] != count:
                    text = f"has {count} of {room}, but {other.id} has {other.own_rooms[room]}"
                    self._say(
                        index, "rooms" if home.rooms else "units", f"{text}: they share it and must agree"
                    )

    def _check_shared(self) -> None:
        """A room is one stay's alone, what is shared is not: no name may be both."""
        owners: dict[str, str] = {}
        for home in self._homes:
            for room in home.own_rooms:
                owners.setdefault(room, home.id)
        for index, home in enumerate(self._homes):
            for name in home.shares:
                owner = owners.get(name) or (name if name in self._at else "")
                if owner:
                    text = f"{name} is a room of {owner}" if owner != name else f"{name} is a home"
                    self._say(
                        index,
                        "shares",
                        f"{text}: under shares stands what two stays may use on one night, under rooms or contains "
                        "what only one may",
                    )

    def _groups(self, inside: Mapping[str, tuple[str, ...]]) -> Iterable[list[str]]:
        """Connected components, each in the order of its ids. Containing a home is sharing its rooms."""
        neighbours = defaultdict(set)
        for home in self._homes:
            # Rooms and homes are nodes of one graph; the marks keep a room and a home of the same name apart.
            links = [("room", room) for room in home.own_rooms] + [("home", name) for name in inside[home.id]]
            for link in links:
                neighbours["home", home.id].add(link)
                neighbours[link].add(("home", home.id))
        seen: set[tuple[str, str]] = set()
        for name in sorted(self._at):
            if ("home", name) not in seen:
                found = _reachable(("home", name), neighbours)
                seen |= found
                yield sorted(node for kind, node in found if kind == "home")

    def _site(self, group: list[str], inside: Mapping[str, tuple[str, ...]]) -> Site | None:
        """The site of one group, or None when it is too large to be one."""
        if len(group) > MOST_HOMES:
            text = f"{len(group)} homes are joined by the rooms they share, from {group[0]} to {group[-1]}"
            self._say(self._at[group[0]], "rooms", f"{text}: a site has at most {MOST_HOMES}")
            return None
        self._check_agreement(group)
        rooms = self._rooms_of(group, inside)
        return Site(
            id=self._names(group)[0] if self._names(group) else group[0],
            owner=self._home(group[0]).owner,
            properties={name: _property(self._home(name), rooms[name]) for name in group},
            rooms=dict(sorted(item for own in rooms.values() for item in own.items())),
        )

    def _names(self, group: list[str]) -> list[str]:
        return sorted({self._home(name).site for name in group} - {""})

    def _check_agreement(self, group: list[str]) -> None:
        """Homes that share rooms are one owner's, stand in one zone and give their site one name."""
        first, given = self._home(group[0]), self._names(group)
        for name in group[1:]:
            home = self._home(name)
            for field, mine, theirs in (("owner", home.owner, first.owner), ("zone", home.zone, first.zone)):
                if mine != theirs:
                    text = f"shares rooms with {first.id}, which has another {field}"
                    self._say(
                        self._at[name], field, f"{text}: if these are other rooms, give them other names"
                    )
        for name in group if len(given) > 1 else ():
            if self._home(name).site not in ("", given[0]):
                text = f"shares rooms with homes of the site {given[0]} and is of that site too"
                self._say(self._at[name], "site", f"{text}: give one name")

    def _rooms_of(self, group: list[str], inside: Mapping[str, tuple[str, ...]]) -> dict[str, dict[str, int]]:
        """The rooms of each home, those of the homes inside it among them."""
        rooms: dict[str, dict[str, int]] = {}
        for name in TopologicalSorter({name: inside[name] for name in group}).static_order():
            rooms[name] = dict(self._home(name).own_rooms)
            for inner in inside[name]:
                rooms[name] |= rooms[inner]
        return rooms

    def _check_names(self, sites: Sequence[Site]) -> None:
        """Two groups of one name would be stored in one partition."""
        twice = {name for name, times in Counter(site.id for site in sites).items() if times > 1}
        for site in sites:
            for name in site.properties if site.id in twice else ():
                if self._home(name).site == site.id:
                    text = f"another site is called {site.id} too, and they share no room"
                    self._say(self._at[name], "site", f"{text}: give it another name")


def _property(home: Home, rooms: Iterable[str]) -> Property:
    return Property(
        home.id, home.name, frozenset(rooms), home.zone, home.automatic, home.group, home.turnover
    )


def _reachable(
    start: tuple[str, str], neighbours: Mapping[tuple[str, str], set[tuple[str, str]]]
) -> set[tuple[str, str]]:
    found, ahead = {start}, [start]
    while ahead:
        for node in neighbours[ahead.pop()] - found:
            found.add(node)
            ahead.append(node)
    return found


def _from_smallest(circle: Sequence[str]) -> tuple[str, ...]:
    """The same circle, begun at its smallest name: the message does not depend on the order of the file."""
    at = circle.index(min(circle))
    return (*circle[at:], *circle[:at])
