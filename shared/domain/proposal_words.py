"""The words of proposals, French first: homes, platforms and nights. No guest's name, and none in the letters
either."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from shared.domain import platform_terms
from shared.domain.estate import Estate, Step
from shared.domain.model import BookingConflict, Busy, Certainty
from shared.domain.platform import Platform
from shared.domain.spoken import LANGUAGES, Said, span


@dataclass(frozen=True, slots=True)
class Scene:
    """What the sentences of one conflict speak of: the names of homes, the platform behind each listing and how people
    call it, the home each listing sells."""

    conflict: BookingConflict
    homes: Mapping[str, str]
    platforms: Mapping[str, Platform]
    names: Mapping[str, str]
    sells: Mapping[str, str]

    def platform(self, listing: str) -> Platform:
        """The platform of a listing."""
        return self.platforms.get(listing, Platform(""))

    def name(self, listing: str) -> str:
        """How people call it."""
        platform = self.platform(listing)
        return self.names.get(platform, platform.capitalize())

    def home(self, step: Step) -> str:
        """The name of the home a step's stay is in now."""
        return self.homes.get(self.sells.get(step.listing, ""), "")

    @property
    def house(self) -> str:
        """The name of the home the conflict is about."""
        return self.homes.get(self.conflict.property_id, self.conflict.property_id)


@dataclass(frozen=True, slots=True)
class Words:
    """What is said of one proposal, each in French and English."""

    reason: Said
    cost: Said
    outcome: Said
    message: Said = field(default_factory=dict)


def scene_of(estate: Estate, conflict: BookingConflict, names: Mapping[str, str]) -> Scene:
    """The names the sentences need."""
    homes: dict[str, str] = {}
    platforms: dict[str, Platform] = {}
    sells: dict[str, str] = {}
    for state in estate.states.values():
        homes |= {key: home.name for key, home in state.site.properties.items()}
        platforms |= {key: one.platform for key, one in state.listings.items()}
        sells |= {key: one.property for key, one in state.listings.items()}
    return Scene(conflict, homes, platforms, names, sells)


def _stale(scene: Scene, steps: Sequence[Step]) -> Words:
    where, dates = _where(scene, steps), _dates(steps)
    return Words(
        reason={
            "fr": f"Rien ne confirme en ce moment ce que nous savons sur {where} ({dates['fr']})\u202f: "
            "un message l’annonce seulement, ou le calendrier ne le montre plus.",
            "en": f"Nothing confirms at the moment what we know of {where} ({dates['en']}): only a message claims it, "
            "or the calendar no longer shows it.",
        },
        cost={"fr": "Rien.", "en": "Nothing."},
        outcome={
            "fr": f"{where} est interrogé de nouveau. Si ce séjour n’y est pas, il s’efface et le "
            "conflit prend fin\u202f; s’il y est, tout reste fermé. Aucune nuit ne s’ouvre sans preuve.",
            "en": f"{where} is asked again. If the stay is not there, it goes and the conflict is over; if it is, "
            "everything stays closed. No night opens without proof.",
        },
    )


def _echo(scene: Scene, steps: Sequence[Step]) -> Words:
    where, dates = _where(scene, steps), _dates(steps)
    return Words(
        reason={
            "fr": f"{where} montre exactement les nuits que nous y avions publiées comme fermées ({dates['fr']}), mais "
            "rien ne prouve qu’il les avait lues à temps.",
            "en": f"{where} shows exactly the nights we had published there as closed ({dates['en']}), but nothing "
            "proves that it had read them in time.",
        },
        cost={
            "fr": f"Rien, si personne n’a réservé sur {where}. Regardez d’abord\u202f: une vraie vente "
            "deviendrait muette.",
            "en": f"Nothing, if nobody booked on {where}. Look first: a real sale would become silent.",
        },
        outcome={
            "fr": "Ces nuits comptent comme notre propre fermeture\u202f; elles restent fermées partout pour l’autre "
            "séjour. Vous pouvez revenir sur votre parole.",
            "en": "These nights count as our own closure; they stay closed everywhere for the other stay. You can take "
            "your word back.",
        },
    )


def _decline(scene: Scene, steps: Sequence[Step]) -> Words:
    where, dates = _where(scene, steps), _dates(steps)
    terms = platform_terms.of_declining(scene.platform(steps[0].listing))
    return Words(
        reason={
            "fr": f"Sur {where}, ce n’est qu’une demande ({dates['fr']})\u202f; l’autre voyageur a la priorité.",
            "en": f"On {where} it is only a request ({dates['en']}); the other guest comes first.",
        },
        cost=_sentences(terms),
        outcome={
            "fr": f"La demande est refusée sur {where}\u202f; l’autre séjour garde {scene.house}.",
            "en": f"The request is declined on {where}; the other stay keeps {scene.house}.",
        },
    )


def _move(scene: Scene, steps: Sequence[Step]) -> Words:
    last = steps[-1]
    to, where, dates = scene.homes.get(last.to, last.to), scene.name(last.listing), _dates([last])
    path = {language: _path(scene, steps, language) for language in LANGUAGES}
    first = _first(scene)
    return Words(
        reason={
            "fr": f"{path['fr']}\u202f: les deux voyageurs gardent un logement équivalent. {first['fr']}",
            "en": f"{path['en']}: both guests keep an equivalent home. {first['en']}",
        },
        cost={
            "fr": f"{_count(steps, 'fr')} doit accepter\u202f; aucuns frais connus si le changement passe par la "
            "plateforme.",
            "en": f"{_count(steps, 'en')} must agree; no fee is known where the change is made on the platform.",
        },
        outcome={
            "fr": f"Le séjour vendu sur {where} ({dates['fr']}) passe dans {to}\u202f; {scene.house} reste à l’autre. "
            "Aucune nuit n’est vendue deux fois. Rien ne change tant que la plateforme n’a pas le nouveau logement.",
            "en": f"The stay sold on {where} ({dates['en']}) goes to {to}; {scene.house} is left to the other. No "
            "night is sold twice. Nothing changes before the platform has the new home.",
        },
        message=_letter(scene, last, to),
    )


def _ask_guest(scene: Scene, steps: Sequence[Step]) -> Words:
    where, dates, first = _where(scene, steps), _dates(steps), _first(scene)
    return Words(
        reason={
            "fr": f"Le séjour vendu sur {where} ({dates['fr']}) est celui qui gêne le moins à déplacer. {first['fr']}",
            "en": f"The stay of {where} ({dates['en']}) is the one that hurts least to change. {first['en']}",
        },
        cost={
            "fr": "Un geste de votre part (autres dates, remise), et l’attente de sa réponse.",
            "en": "A gesture of yours (other dates, a discount), and the wait for an answer.",
        },
        outcome={
            "fr": "Le voyageur choisit d’autres dates ou y renonce. Jusque-là les deux séjours restent fermés partout.",
            "en": "The guest takes other dates or gives up the stay. Until then both stay closed everywhere.",
        },
        message=_letter(scene, steps[0], ""),
    )


def _cancel(scene: Scene, steps: Sequence[Step]) -> Words:
    where, dates = _where(scene, steps), _dates(steps)
    terms = platform_terms.of_cancelling(scene.platform(steps[0].listing), where)
    return Words(
        reason={
            "fr": "Le dernier recours, si le voyageur n’accepte rien d’autre.",
            "en": "The last resort, if the guest accepts nothing else.",
        },
        cost=_sentences(terms),
        outcome={
            "fr": f"Le voyageur venu par {where} perd son séjour ({dates['fr']})\u202f; {scene.house} reste à l’autre.",
            "en": f"The guest of {where} loses the stay ({dates['en']}); {scene.house} is left to the other.",
        },
    )


def _ask_person(scene: Scene, steps: Sequence[Step]) -> Words:
    doubtful = [side for side in scene.conflict.sides if side.kind is Busy.CLOSED]
    first = _first(scene)
    reason = {
        "fr": f"Deux voyageurs ont {scene.house} aux mêmes nuits. {first['fr']}",
        "en": f"Two guests have {scene.house} on the same nights. {first['en']}",
    }
    if doubtful:
        name = scene.name(doubtful[0].listing)
        reason = {
            "fr": f"Le calendrier de {name} ne distingue pas une vente d’une fermeture\u202f: vous seul "
            "pouvez le voir.",
            "en": f"{name}'s calendar does not tell a sale from a closure: only you can see it there.",
        }
    where = _where(scene, steps)
    return Words(
        reason=reason,
        cost={"fr": "Quelques minutes.", "en": "A few minutes."},
        outcome={
            "fr": f"Regardez ces nuits sur {where} et décidez. Tout reste fermé en attendant.",
            "en": f"Look at these nights on {where} and decide. Everything stays closed meanwhile.",
        },
    )


def _where(scene: Scene, steps: Sequence[Step]) -> str:
    return " / ".join(dict.fromkeys(scene.name(step.listing) for step in steps))


def _dates(steps: Sequence[Step]) -> Said:
    ranges = sorted({step.dates for step in steps})
    return {language: ", ".join(span(dates, language) for dates in ranges) for language in LANGUAGES}


def _path(scene: Scene, steps: Sequence[Step], language: str) -> str:
    """Who moves where, the first move first."""
    free = {"fr": "est libre", "en": "is free"}[language]
    then = {"fr": "ce qui libère", "en": "which leaves"}[language]
    homes = [scene.homes.get(step.to, step.to) for step in steps]
    if len(steps) == 1:
        return f"{homes[0]} {free}"
    return f"{homes[0]} {free} ({_dates(steps[:1])[language]}), {then} {homes[1]}"


def _count(steps: Sequence[Step], language: str) -> str:
    many = len(steps) > 1
    if language == "fr":
        return "Chacun des deux voyageurs déplacés" if many else "Le voyageur"
    return "Each of the two guests who move" if many else "The guest"


def _first(scene: Scene) -> Said:
    """Who we knew first, as surely as we know it."""
    early = scene.conflict.conflicting_bookings[0]
    listing = next((side.listing for side in scene.conflict.sides if side.key == early), "")
    name = scene.name(listing)
    return {
        Certainty.SURE: {
            "fr": f"La réservation de {name} était la première.",
            "en": f"The booking on {name} was the first.",
        },
        Certainty.LIKELY: {
            "fr": f"La réservation de {name} était sans doute la première.",
            "en": f"The booking on {name} was probably the first.",
        },
        Certainty.UNKNOWN: {
            "fr": "Lequel était le premier, nous ne le savons pas.",
            "en": "Which of them was the first we do not know.",
        },
    }[scene.conflict.certainty]


def _letter(scene: Scene, step: Step, to: str) -> Said:
    """What the host can write to the guest who is asked to change."""
    home, dates = scene.home(step) or scene.house, _dates([step])
    offer_fr = (
        f"Nous pouvons vous accueillir aux mêmes dates dans un logement équivalent, {to}."
        if to
        else "Pouvons-nous vous proposer d’autres dates, ou vous aider à trouver un autre logement\u202f?"
    )
    offer_en = (
        f"We can welcome you on the same dates in an equivalent home, {to}."
        if to
        else "May we offer you other dates, or help you to find another place?"
    )
    return {
        "fr": f"Bonjour,\n\nles nuits de votre séjour ({home}, {dates['fr']}) ont été réservées presque au même moment "
        f"par un autre voyageur sur un autre site. Nous en sommes sincèrement désolés. {offer_fr} "
        "Dites-nous ce qui vous convient\u202f; rien ne sera changé sans votre accord.\n\nBien cordialement",
        "en": f"Hello,\n\nyour stay at {home} ({dates['en']}) was booked at nearly the same moment by another guest on "
        f"another site. We are truly sorry. {offer_en} Please tell us what suits you; nothing will be changed "
        "without your consent.\n\nKind regards",
    }


def _sentences(terms: Mapping[str, str]) -> Said:
    return {language: f"{text[:1].upper()}{text[1:]}." for language, text in terms.items()}


SAID: Mapping[str, Callable[[Scene, Sequence[Step]], Words]] = {
    "drop_stale": _stale,
    "drop_echo": _echo,
    "decline": _decline,
    "move": _move,
    "move_two": _move,
    "ask_guest": _ask_guest,
    "cancel": _cancel,
    "ask_person": _ask_person,
}
"""What is said of each kind of proposal."""
