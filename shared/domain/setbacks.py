"""Setbacks: what went wrong with a platform, said to a host. Stored errors are short English texts that name hosts and
statuses; here is what they mean, and what to do, in French and English. One nobody knows is told as it stands."""

from __future__ import annotations

from shared.domain.phrases import Phrases
from shared.domain.spoken import LANGUAGES, Said

_PARTS = "; "

_KNOWN = Phrases(
    (
        (r"chosen by its owner|chosen by .*", "choisi à la main", "chosen by hand"),
        (
            r"its row cannot be read",
            "ce qui est gardé de ce compte ne peut pas être lu : rien n’est envoyé. Fermez à la main",
            "what is kept of this account cannot be read: nothing is sent. Close by hand",
        ),
        (
            r"no platform can read our calendar on this machine",
            "aucune plateforme ne peut lire notre calendrier sur cette machine",
            "no platform can read our calendar on this machine",
        ),
        (r"answers again|it answers again", "elle répond de nouveau", "it answers again"),
        (
            r"authorization_revoked|listings_unlinked",
            "la plateforme nous a retiré l’accès : reconnectez le compte chez elle",
            "the platform withdrew our access: connect the account there again",
        ),
        (
            r"its link is refused.*|(?P<host>\S+) answered (?:401|403|404|410): the link is dead or wrong",
            "le lien est refusé : il a été changé ou retiré. Copiez le nouveau lien d’export et redonnez-le ici",
            "the link is refused: it was changed or taken away. Copy the new export link and give it here",
        ),
        (
            r"(?P<host>\S+) answered (?:403|429|503)",
            "{host} demande d’attendre ; nous réessayons de nous-mêmes",
            "{host} asks us to wait; we try again by ourselves",
        ),
        (
            r"(?P<host>\S+) answered (?P<status>5\d\d|408)",
            "{host} est en panne (code {status}) ; nous réessayons de nous-mêmes",
            "{host} is out of order (code {status}); we try again by ourselves",
        ),
        (
            r"(?P<host>\S+) answered 200 with something that is not a calendar|not a calendar.*",
            "le lien ne mène pas à un calendrier. Vérifiez que c’est bien le lien d’export",
            "the link leads to something that is no calendar. Check that it is the export link",
        ),
        (
            r".*torn off.*|.*the body was cut short or broken",
            "le calendrier reçu était coupé : nous ne l’avons pas cru et réessayons",
            "the calendar came cut off: we did not believe it and try again",
        ),
        (
            r"(?P<host>\S+): no complete answer within .*",
            "{host} ne répond pas à temps ; nous réessayons de nous-mêmes",
            "{host} does not answer in time; we try again by ourselves",
        ),
        (
            r"(?P<host>\S+): its name was not found",
            "{host} est introuvable sur internet : vérifiez l’adresse",
            "{host} cannot be found on the internet: check the address",
        ),
        (
            r"(?P<host>\S+): (?:its TLS certificate|the TLS handshake).*",
            "la connexion sécurisée avec {host} a échoué ; nous réessayons",
            "the secure connection to {host} failed; we try again",
        ),
        (
            r"(?:.* )?(?P<host>\S+): (?:no connection could be made|the connection .*|the exchange failed.*)",
            "la connexion avec {host} a échoué ; nous réessayons de nous-mêmes",
            "the connection to {host} failed; we try again by ourselves",
        ),
        (
            r"(?:.*: )?the circuit for \w+ is .*|.*calls wait for an answer: nothing was sent",
            "après plusieurs échecs nous la laissons un moment en paix, puis réessayons",
            "after several failures we leave it in peace for a while, then try again",
        ),
        (
            r".*may call again in (?P<seconds>\d+) s|.*has had its tokens for this hour",
            "le nombre d’appels permis est épuisé pour l’instant ; nous reprenons dès que possible",
            "the calls it allows are used up for now; we go on as soon as we may",
        ),
        (
            r".*HTTP (?:401|403)\b.*|.*names no setting for its .*|.*setting \S+ is (?:empty|missing).*",
            "nos identifiants sont refusés : reconnectez le compte",
            "our credentials are refused: connect the account again",
        ),
        (
            r".*HTTP 429\b.*",
            "elle demande d’attendre ; nous réessayons de nous-mêmes",
            "it asks us to wait; we try again by ourselves",
        ),
        (
            r".*HTTP (?P<status>5\d\d|408)\b.*",
            "elle est en panne (code {status}) ; nous réessayons de nous-mêmes",
            "it is out of order (code {status}); we try again by ourselves",
        ),
        (
            r".*HTTP (?P<status>4\d\d)\b.*",
            "elle refuse notre demande (code {status})",
            "it refuses what we ask (code {status})",
        ),
        (
            r"(?P<host>\S+) answered (?P<status>\d{3})",
            "{host} ne donne pas de calendrier (code {status}) ; nous réessayons",
            "{host} gives no calendar (code {status}); we try again",
        ),
        (
            r"the address .*|\S+ (?:is not a public address|is a name of an inner network|is not a plain IPv4 address"
            r"|is asked for on a port .*|has a port .*|redirects .*)|the host name needs .*",
            "l’adresse de ce lien n’est pas permise : vérifiez-la",
            "the address of this link is not allowed: check it",
        ),
        (
            r"none of its \d+ events has a date that can be read|line \d+: .*|more than \d+ .*",
            "ce calendrier ne peut pas être lu : nous gardons le dernier bon",
            "this calendar cannot be read: we keep the last good one",
        ),
        (
            r".*: no answer(?: within .*)?",
            "elle ne répond pas ; nous réessayons de nous-mêmes",
            "it does not answer; we try again by ourselves",
        ),
        (
            r"(?:unable to process|system (?:unavailable|error)) \(code (?P<code>\d+)\)",
            "elle n’y est pas arrivée (code {code})\u202f; nous réessayons de nous-mêmes",
            "it could not do it (code {code}); we try again by ourselves",
        ),
        (
            r"(?:invalid (?:date|value)|a field is missing) \(code (?P<code>\d+)\)",
            "elle refuse ces nuits ou ces valeurs (code {code})",
            "it refuses these nights or values (code {code})",
        ),
        (
            r"unknown (?:property|room) \(code (?P<code>\d+)\)",
            "elle ne connaît pas ce logement sous son numéro (code {code})",
            "it does not know this home by its number (code {code})",
        ),
        (
            r"no access to this property \(code (?P<code>\d+)\)",
            "elle ne nous laisse pas toucher à ce logement (code {code})",
            "it does not let us touch this home (code {code})",
        ),
        (r"refused(?: \(code (?P<code>\w+)\))?", "elle l’a refusé", "it refused"),
        (
            r"(?P<count>\d+) failures in a row",
            "{count} échecs de suite",
            "{count} failures in a row",
        ),
        (
            r"asked every (?P<minutes>\d+) min",
            "lu toutes les {minutes} min",
            "read every {minutes} min",
        ),
        (
            r"it holds \d+ events.*|.*more than \d+ (?:events|bytes|nights|date ranges).*",
            "le calendrier est bien trop grand pour un logement : nous ne l’avons pas cru",
            "the calendar is far too large for one home: we did not believe it",
        ),
    )
)


def is_known(text: str) -> bool:
    """Whether there are words for it."""
    return _KNOWN.said(text.partition(_PARTS)[0]) is not None


def said(text: str) -> Said:
    """What a stored error or reason means, as a clause without a full stop; the first of several. Empty for none."""
    first = text.partition(_PARTS)[0].strip()
    return _KNOWN.said(first) or dict.fromkeys(LANGUAGES, first)
