"""The links calendars travel by: where our own address goes, who has read it, what changes it."""

FR = {
    "links.title": "Liens des calendriers",
    "links.intro": "Une adresse par calendrier et par sens. Elles sont masquées : qui les a lit le "
    "calendrier.",
    "links.none": "Aucun calendrier n’est connecté par un lien.",
    "links.connect": "Connecter un calendrier",
    "links.channel": "Canal",
    "links.ours": "Notre calendrier, pour ce canal",
    "links.theirs": "Son calendrier, que nous lisons",
    "links.state": "État",
    "links.masked": "{host}/export/••••••.ics",
    "links.revoked": "Révoquée : personne ne peut lire notre calendrier.",
    "links.open": "Voir ou changer",
    "links.read_by": "lu {ago}, sous le nom",
    "links.never_read": "jamais lu par ce canal",
    "links.no_import": "aucun : ce canal reçoit seulement le nôtre",
    "links.last_good": "lu {ago}",
    "links.never_good": "pas encore lu en entier",
    "links.dead": "lien refusé : redonnez-le",
    "links.late": "en retard",
    "links.until": "l’ancienne adresse marche jusqu’au {when}",
    "links.rename": "Renommer",
    "links.rename_which": "Renommer {home}",
    "links.new_name": "Nouveau nom",
    "links.save": "Enregistrer",
    "links.portfolio": "Exporter ou importer le portefeuille",
    "links.one_title": "{home} sur {platform}",
    "links.on": "sur {platform}",
    "links.back": "Tous les liens",
    "links.done_connected": "Le calendrier est connecté. Il reste une chose à faire : donner notre "
    "adresse à {platform}.",
    "links.done_known": "Ce calendrier était déjà connecté : le voici.",
    "links.done_renewed": "Voici la nouvelle adresse. Collez-la chez {platform} à la place de l’ancienne.",
    "links.done_revoked": "L’adresse est révoquée.",
    "links.done_disconnected": "Le calendrier {platform} n’est plus lu.",
    "links.done_replaced": "Le nouveau lien est lu à partir de maintenant.",
    "links.give": "Donnez cette adresse à {platform}",
    "links.give_why": "Elle ferme chez {platform} les nuits vendues ailleurs. Elle est faite pour "
    "{platform} seulement : ce qui vient de là n’y est pas.",
    "links.address": "Notre adresse pour {platform}",
    "links.copy": "Copier",
    "links.copied": "Copié",
    "links.copy_help": "Sans le bouton : touchez le champ, tout est sélectionné, puis copiez.",
    "links.paste": "Où la coller",
    "links.paste_public": "Chemin tiré de pages d’aide publiques, non vérifié avec un compte ; les menus "
    "changent.",
    "links.paste_guessed": "Chemin supposé : aucune page publique trouvée ne le dit.",
    "links.rhythm": "Rythme de lecture",
    "links.laptop": "{platform} ne peut pas joindre cette adresse : elle mène à votre propre machine.",
    "links.laptop_then": "Tant que c’est ainsi, le moteur lit vos calendriers, trouve les doubles "
    "réservations et vous dit quelles nuits fermer à la main. Pour que {platform} lise notre calendrier, "
    "il faut une adresse https qui mène ici (PUBLIC_BASE_URL : un tunnel à vous, ou le moteur installé "
    "sur Azure) ; l’adresse ci-dessus changera alors de début.",
    "links.wait_title": "Le premier passage",
    "links.wait": "{platform} n’a pas encore lu notre calendrier. Cette page attend, et le dira.",
    "links.wait_came": "{platform} a lu notre calendrier {ago}.",
    "links.wait_as": "Nom donné :",
    "links.wait_early": "{platform} est venu {ago}, mais notre calendrier n’était pas encore complet : il "
    "reviendra.",
    "links.wait_other": "Quelqu’un a ouvert cette adresse {ago}. Autant que l’on sache, {platform} ne se "
    "présente pas ainsi : cela ne prouve pas que {platform} l’a lue.",
    "links.wait_silent": "Notre calendrier sera donné quand tous ceux de ce logement auront été lus en "
    "entier une fois. Manque encore : {silent}.",
    "links.import": "Son calendrier, que nous lisons",
    "links.import_host": "Lien",
    "links.import_good": "Dernière lecture",
    "links.import_wait": "Première lecture en cours…",
    "links.import_stays": "Prises à venir",
    "links.import_error": "Problème",
    "links.import_odd": "à signaler",
    "links.replace": "Remplacer ce lien",
    "links.replace_refused": "Rien n’a été changé.",
    "links.replace_what": "À faire quand {platform} donne un nouveau lien. Ce que l’ancien montrait et "
    "que le nouveau ne montre pas reste fermé ailleurs jusqu’à preuve du contraire.",
    "links.replace_link": "Nouveau lien d’export",
    "links.replace_do": "Remplacer",
    "links.replace_doubt": "Est-ce bien le même logement ? Aucune des {known} périodes connues n’est dans "
    "ce calendrier.",
    "links.replace_doubt_then": "Si c’est celui d’un autre logement, les nuits connues finiraient par "
    "rouvrir ailleurs. Rien n’a été changé.",
    "links.replace_sure": "C’est le bon : remplacer quand même",
    "links.disconnect": "Ne plus lire ce calendrier",
    "links.disconnect_what": "À faire quand le logement n’est plus vendu sur {platform}, ou que son lien est faux. "
    "Rien ne rouvre : les séjours connus restent tenus jusqu’à leur départ, ou jusqu’à ce que vous disiez qu’ils sont "
    "annulés. Ceux que {platform} vendrait encore ne seraient plus vus : retirez-y d’abord l’annonce de la vente.",
    "links.disconnect_then": "{platform} peut continuer à lire notre calendrier, qui y ferme les nuits vendues "
    "ailleurs. Pour l’arrêter aussi, révoquez notre adresse.",
    "links.disconnect_do": "Ne plus le lire",
    "links.still_held": "Ce que {platform} avait vendu reste tenu : {count} au total, jusqu’au départ. Si un séjour "
    "est annulé, plus rien ne nous le dira.",
    "links.held_which": "Voir lesquels, ou les rendre",
    "links.change": "Changer ou révoquer notre adresse",
    "links.renew_what": "Une nouvelle adresse, si l’ancienne est tombée dans de mauvaises mains. Tant que "
    "{platform} n’a pas la nouvelle, il garde ce qu’il a lu et n’apprend rien de neuf.",
    "links.renew_grace": "L’ancienne adresse marche encore 7 jours",
    "links.renew_now": "L’ancienne adresse ne marche plus tout de suite",
    "links.renew": "Donner une nouvelle adresse",
    "links.make": "Créer une nouvelle adresse",
    "links.revoke_what": "Révoquer ferme cette adresse : {platform} garde ce qu’il a lu, mais ne saura "
    "plus rien des nuits vendues ailleurs. Vous devrez les fermer à la main.",
    "links.revoke": "Révoquer cette adresse",
    "links.twice": "Ce logement est déjà relié à {platform} par ailleurs. Si c’est la même annonce, "
    "reliée deux fois, chaque séjour paraîtra en double réservation : gardez-en une seule.",
    "links.next": "Et maintenant ?",
    "links.next_alone": "Un seul calendrier ne protège de rien. Connectez celui de l’autre plateforme où "
    "ce logement est en ligne.",
    "links.next_direct": "Retirez les liens directs entre vos plateformes : ce que l’une importe de "
    "l’autre ressemble à une vente.",
    "paste.airbnb": "Calendrier → l’annonce → Disponibilité → Synchronisation du calendrier → Importer",
    "paste.booking": "Extranet → Tarifs et disponibilités → Synchroniser les calendriers → Importer",
    "paste.greengo": "Espace hôte → Calendrier → import iCal",
    "paste.vrbo": "Espace propriétaire → Calendrier → Importer ou exporter → Importer",
    "paste.gites": "Envoyez cette adresse à votre relais Gîtes de France : il l’enregistre pour vous.",
    "paste.ical": "Dans les réglages du calendrier de cette plateforme, là où un calendrier iCal s’importe.",
    "rhythm.airbnb": "Airbnb dit relire un calendrier toutes les trois heures environ.",
    "rhythm.booking": "Environ une fois par heure, rapporte-t-on ; Booking.com ne le dit pas.",
    "rhythm.greengo": "Inconnu : Greengo ne le dit pas.",
    "rhythm.vrbo": "Entre une et six heures, rapporte-t-on.",
    "rhythm.gites": "Inconnu.",
    "rhythm.ical": "C’est cette plateforme qui en décide.",
}

EN = {
    "links.title": "Calendar links",
    "links.intro": "One address for each calendar and direction. They are masked: whoever has one reads "
    "the calendar.",
    "links.none": "No calendar is connected by a link.",
    "links.connect": "Connect a calendar",
    "links.channel": "Channel",
    "links.ours": "Our calendar, for this channel",
    "links.theirs": "Its calendar, which we read",
    "links.state": "State",
    "links.masked": "{host}/export/••••••.ics",
    "links.revoked": "Revoked: nobody can read our calendar.",
    "links.open": "See or change",
    "links.read_by": "read {ago}, under the name",
    "links.never_read": "never read by this channel",
    "links.no_import": "none: this channel only takes ours",
    "links.last_good": "read {ago}",
    "links.never_good": "not read whole yet",
    "links.dead": "link refused: give a new one",
    "links.late": "late",
    "links.until": "the old address works until {when}",
    "links.rename": "Rename",
    "links.rename_which": "Rename {home}",
    "links.new_name": "New name",
    "links.save": "Save",
    "links.portfolio": "Export or import the portfolio",
    "links.one_title": "{home} on {platform}",
    "links.on": "on {platform}",
    "links.back": "All links",
    "links.done_connected": "The calendar is connected. One thing is left: give our address to {platform}.",
    "links.done_known": "This calendar was connected already: here it is.",
    "links.done_renewed": "This is the new address. Paste it at {platform} in place of the old one.",
    "links.done_revoked": "The address is revoked.",
    "links.done_disconnected": "The calendar of {platform} is read no more.",
    "links.done_replaced": "The new link is read from now on.",
    "links.give": "Give this address to {platform}",
    "links.give_why": "It closes at {platform} the nights sold elsewhere. It is made for {platform} "
    "alone: what comes from there is not in it.",
    "links.address": "Our address for {platform}",
    "links.copy": "Copy",
    "links.copied": "Copied",
    "links.copy_help": "Without the button: touch the field, all of it is selected, then copy.",
    "links.paste": "Where to paste it",
    "links.paste_public": "From public help pages, not verified with an account; menus change.",
    "links.paste_guessed": "Supposed: no public page was found that says it.",
    "links.rhythm": "How often it is read",
    "links.laptop": "{platform} cannot reach this address: it leads to your own machine.",
    "links.laptop_then": "As long as that is so, the engine reads your calendars, finds double bookings "
    "and tells you which nights to close by hand. For {platform} to read our calendar an https address "
    "must lead here (PUBLIC_BASE_URL: a tunnel of your own, or the engine on Azure); the address above "
    "then begins otherwise.",
    "links.wait_title": "The first visit",
    "links.wait": "{platform} has not read our calendar yet. This page waits, and will say so.",
    "links.wait_came": "{platform} read our calendar {ago}.",
    "links.wait_as": "The name it gave:",
    "links.wait_early": "{platform} came {ago}, but our calendar was not complete yet: it will come back.",
    "links.wait_other": "Somebody opened this address {ago}. As far as is known {platform} does not call "
    "itself that: it does not prove that {platform} read it.",
    "links.wait_silent": "Our calendar will be given once all those of this home have been read whole. "
    "Still missing: {silent}.",
    "links.import": "Its calendar, which we read",
    "links.import_host": "Link",
    "links.import_good": "Last read",
    "links.import_wait": "First reading under way…",
    "links.import_stays": "Taken ahead",
    "links.import_error": "Problem",
    "links.import_odd": "worth knowing",
    "links.replace": "Replace this link",
    "links.replace_refused": "Nothing was changed.",
    "links.replace_what": "When {platform} gives a new link. What the old one showed and the new one does "
    "not stays closed elsewhere until it is proven gone.",
    "links.replace_link": "New export link",
    "links.replace_do": "Replace",
    "links.replace_doubt": "Is this the same home? None of the {known} stretches we know is in this "
    "calendar.",
    "links.replace_doubt_then": "If it is another home’s, the nights we know would open elsewhere in the "
    "end. Nothing was changed.",
    "links.replace_sure": "It is the right one: replace it all the same",
    "links.disconnect": "Read this calendar no more",
    "links.disconnect_what": "When the home is no longer sold on {platform}, or its link is wrong. Nothing opens: the "
    "stays we know are held until they leave, or until you say that they are cancelled. Any that {platform} would "
    "still sell would not be seen: take the advertisement off sale there first.",
    "links.disconnect_then": "{platform} may go on reading our calendar, which closes there the nights sold "
    "elsewhere. To stop that too, revoke our address.",
    "links.disconnect_do": "Read it no more",
    "links.still_held": "What {platform} had sold is still held: {count} in all, until they leave. If a stay is "
    "cancelled, nothing will tell us.",
    "links.held_which": "See which, or give them back",
    "links.change": "Change or revoke our address",
    "links.renew_what": "A new address, if the old one got into the wrong hands. Until {platform} has the "
    "new one it keeps what it read and learns nothing new.",
    "links.renew_grace": "The old address works for 7 more days",
    "links.renew_now": "The old address stops at once",
    "links.renew": "Give it a new address",
    "links.make": "Make a new address",
    "links.revoke_what": "Revoking closes this address: {platform} keeps what it read, but learns nothing "
    "more of nights sold elsewhere. You will have to close them by hand.",
    "links.revoke": "Revoke this address",
    "links.twice": "This home is connected to {platform} elsewhere too. If it is the same advertisement, "
    "connected twice, each stay will show as a double booking: keep one of them.",
    "links.next": "And now?",
    "links.next_alone": "One calendar alone protects from nothing. Connect that of the other platform "
    "where this home is listed.",
    "links.next_direct": "Remove the direct links between your platforms: what one imports from the other "
    "looks like a sale.",
    "paste.airbnb": "Calendar → the listing → Availability → Calendar sync → Import",
    "paste.booking": "Extranet → Rates and availability → Sync calendars → Import",
    "paste.greengo": "Host area → Calendar → iCal import",
    "paste.vrbo": "Owner area → Calendar → Import or export → Import",
    "paste.gites": "Send this address to your Gîtes de France office: they enter it for you.",
    "paste.ical": "In that platform’s calendar settings, where an iCal calendar is imported.",
    "rhythm.airbnb": "Airbnb says that it reads a calendar about every three hours.",
    "rhythm.booking": "About once an hour, people report; Booking.com does not say.",
    "rhythm.greengo": "Unknown: Greengo does not say.",
    "rhythm.vrbo": "Between one and six hours, people report.",
    "rhythm.gites": "Unknown.",
    "rhythm.ical": "That is for that platform to decide.",
}
