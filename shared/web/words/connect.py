"""Connecting a calendar: pasting a link, and what is in it."""

FR = {
    "connect.title": "Connecter un calendrier",
    "connect.first": "Bienvenue. Collez le lien d’export d’un calendrier (Airbnb, Booking.com, Greengo, "
    "Abritel, Gîtes de France…) : nous regardons tout de suite ce qu’il contient, et rien n’est "
    "enregistré avant votre accord.",
    "connect.intro": "Collez le lien d’export du calendrier. Nous regardons ce qu’il contient ; rien "
    "n’est enregistré avant votre accord.",
    "connect.link": "Lien d’export du calendrier",
    "connect.link_help": "Il commence par https:// et finit souvent par .ics. C’est un secret : qui l’a "
    "lit votre calendrier.",
    "connect.look": "Regarder ce lien",
    "connect.again": "Coller un autre lien",
    "connect.where": "Où trouver ce lien ?",
    "connect.where_note": "D’après des pages d’aide publiques ; les menus changent.",
    "connect.found": "Ce que contient ce calendrier",
    "connect.of": "Calendrier : {platform}",
    "connect.recognised": "reconnu à son adresse",
    "connect.any": "Autre plateforme",
    "connect.whose": "De quelle plateforme est ce calendrier ?",
    "connect.whose_help": "Son adresse ne le dit pas. De ce choix dépend ce que veulent dire ses mots.",
    "connect.stay": "Réservations",
    "connect.block": "Fermetures",
    "connect.closed": "Nuits prises (réservation ou fermeture : ce calendrier ne le dit pas)",
    "connect.past": "Déjà passées",
    "connect.is_stay": "réservation",
    "connect.is_block": "fermeture",
    "connect.is_closed": "nuits prises",
    "connect.ahead": "À venir",
    "connect.nights_one": "1 nuit",
    "connect.nights_many": "{count} nuits",
    "connect.more": "et {count} autres",
    "connect.empty": "Rien n’est pris à partir d’aujourd’hui. Si vous attendez des voyageurs, ce n’est "
    "pas le bon lien.",
    "connect.odd": "À signaler",
    "connect.odd_note": "Ce qui est illisible est tenu pour pris autant que possible, et ne rouvre jamais "
    "une nuit. Mais tant que ces lignes y sont, ce calendrier n’est pas complet : nos propres calendriers "
    "pour ce logement ne sont pas donnés. Signalez-le à la plateforme.",
    "connect.airbnb_rules": "Airbnb montre aussi ses propres règles (préavis, horizon de réservation) "
    "comme des fermetures. Elles sont reconnues après deux ou trois jours, quand on les voit glisser.",
    "connect.name_it": "Pour quel logement ?",
    "connect.home": "Logement",
    "connect.new_home": "Un nouveau logement",
    "connect.home_on": "{home} ({platforms})",
    "connect.name": "Nom du logement",
    "connect.name_new": "Nom du nouveau logement",
    "connect.name_help": "À remplir seulement pour un nouveau logement.",
    "connect.owner": "Propriétaire",
    "connect.zone": "Fuseau horaire : {zone}",
    "connect.zone_which": "Fuseau horaire du logement",
    "connect.add": "Connecter ce calendrier",
    "connect.busy": "Quelqu’un d’autre modifie le portefeuille en ce moment. Réessayez dans un instant.",
    "get.airbnb": "Calendrier → l’annonce → Disponibilité → Synchronisation du calendrier → Exporter",
    "get.booking": "Extranet → Tarifs et disponibilités → Synchroniser les calendriers → Exporter. Absent "
    "si un gestionnaire de canaux est connecté, ou pour plus d’une unité par type",
    "get.greengo": "Espace hôte → Calendrier → export iCal (menu exact non trouvé publiquement)",
    "get.vrbo": "Espace propriétaire → Calendrier → Importer ou exporter",
    "get.gites": "Espace propriétaire ITEA → Mon compte → Export planning",
}

EN = {
    "connect.title": "Connect a calendar",
    "connect.first": "Welcome. Paste the export link of a calendar (Airbnb, Booking.com, Greengo, Vrbo, "
    "Gîtes de France…): we look at once what is in it, and nothing is stored before you agree.",
    "connect.intro": "Paste the calendar’s export link. We look what is in it; nothing is stored before "
    "you agree.",
    "connect.link": "The calendar’s export link",
    "connect.link_help": "It begins with https:// and often ends in .ics. It is a secret: whoever has it "
    "reads your calendar.",
    "connect.look": "Look into this link",
    "connect.again": "Paste another link",
    "connect.where": "Where is this link to be found?",
    "connect.where_note": "From public help pages; menus change.",
    "connect.found": "What is in this calendar",
    "connect.of": "Calendar: {platform}",
    "connect.recognised": "recognised by its address",
    "connect.any": "Another platform",
    "connect.whose": "Which platform’s calendar is this?",
    "connect.whose_help": "Its address does not say. What its words mean depends on it.",
    "connect.stay": "Bookings",
    "connect.block": "Closures",
    "connect.closed": "Taken nights (booking or closure: this calendar does not say)",
    "connect.past": "Over already",
    "connect.is_stay": "booking",
    "connect.is_block": "closure",
    "connect.is_closed": "taken nights",
    "connect.ahead": "Ahead",
    "connect.nights_one": "1 night",
    "connect.nights_many": "{count} nights",
    "connect.more": "and {count} more",
    "connect.empty": "Nothing is taken from today on. If you expect guests, this is not the right link.",
    "connect.odd": "Worth knowing",
    "connect.odd_note": "What cannot be read is held as taken as far as possible, and never opens a "
    "night. But as long as these lines are in it this calendar is not complete: our own calendars for "
    "this home are not given out. Tell the platform.",
    "connect.airbnb_rules": "Airbnb shows its own rules (notice period, booking window) as closures too. "
    "They are recognised after two or three days, when they are seen to slide.",
    "connect.name_it": "For which home?",
    "connect.home": "Home",
    "connect.new_home": "A new home",
    "connect.home_on": "{home} ({platforms})",
    "connect.name": "Name of the home",
    "connect.name_new": "Name of the new home",
    "connect.name_help": "For a new home only.",
    "connect.owner": "Owner",
    "connect.zone": "Time zone: {zone}",
    "connect.zone_which": "The home’s time zone",
    "connect.add": "Connect this calendar",
    "connect.busy": "Somebody else changes the portfolio right now. Try again in a moment.",
    "get.airbnb": "Calendar → the listing → Availability → Calendar sync → Export",
    "get.booking": "Extranet → Rates and availability → Sync calendars → Export. Missing where a channel "
    "manager is connected, or for more than one unit a type",
    "get.greengo": "Host area → Calendar → iCal export (exact menu not found publicly)",
    "get.vrbo": "Owner area → Calendar → Import or export",
    "get.gites": "ITEA owner area → My account → Export planning",
}
