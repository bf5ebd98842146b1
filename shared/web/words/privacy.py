"""What is kept of people; one person’s data."""

FR = {
    "privacy.title": "Données personnelles",
    "privacy.wrong": "Donnez un nom d’au moins deux lettres, un numéro de réservation, ou les deux (200 "
    "signes au plus).",
    "privacy.erased": "C’est effacé.",
    "privacy.erased_counts": "Noms : {names}. Notes : {notes}. Lignes du journal : {lines}. Messages : "
    "{messages}.",
    "privacy.nights_stay": "Les nuits restent fermées, et le nom ne reviendra pas, même si la plateforme "
    "l’envoie encore. Un message effacé ne peut plus être rejoué.",
    "privacy.not_messages": "Les messages bruts ne sont à personne : seule la personne qui gère tout le "
    "moteur peut y chercher.",
    "privacy.left": "Ceci n’a pas pu être effacé maintenant :",
    "privacy.left_stays": "{count} séjours de logements que vous ne pouvez que regarder.",
    "privacy.left_lines": "{count} lignes du journal sur des séjours encore là : leur calendrier met le "
    "nom dans son identifiant. Recommencez après le départ.",
    "privacy.left_messages": "{count} messages qui attendent d’être traités : une réservation pourrait "
    "s’y trouver. Recommencez dans quelques jours.",
    "privacy.left_unread": "Sites illisibles pour l’instant : {sites}. Recommencez plus tard.",
    "privacy.found": "Ce qui a été trouvé",
    "privacy.found_nothing": "Rien : ni séjour, ni note, ni message à ce nom ou sous ce numéro.",
    "privacy.no_name": "(sans nom)",
    "privacy.forgotten": "nom effacé",
    "privacy.reservation": "Réservation",
    "privacy.departed": "parti, classé",
    "privacy.notes": "Notes",
    "privacy.lines": "Lignes du journal",
    "privacy.lines_named": "{count} avec ce nom, sur {all} ; les autres ne nomment personne et restent",
    "privacy.messages": "Messages",
    "privacy.not_looked": "pas cherchés (réservé à qui gère tout)",
    "privacy.unread": "Sites illisibles",
    "privacy.export": "Télécharger tout (JSON)",
    "privacy.erase": "Effacer le nom partout",
    "privacy.erase_many": "Effacer le nom de ces {count} séjours",
    "privacy.erase_sure": "Un nom effacé ne se retrouve pas, et les messages bruts qui le portent ne peuvent plus "
    "être rejoués. Les nuits restent fermées.",
    "privacy.erase_yes": "Oui, effacer pour de bon",
    "privacy.erase_one": "Pour un seul séjour, ajoutez son numéro de réservation et cherchez encore.",
    "privacy.erase_help": "Seuls les noms, les notes et les messages bruts sont effacés, pour de bon. "
    "Les séjours gardent leurs nuits.",
    "privacy.viewer": "Vous pouvez regarder et télécharger, mais pas effacer.",
    "privacy.person": "Une personne demande ses données",
    "privacy.person_help": "Cherchez par son nom, par le numéro de la réservation, ou par les deux. "
    "« Marie Dupont » trouve aussi « Marie D. ».",
    "privacy.name": "Nom",
    "privacy.number": "Numéro de réservation",
    "privacy.find": "Chercher",
    "privacy.kept": "Ce qui est gardé, pourquoi, et combien de temps",
    "privacy.kept_lead": "Le moteur ne garde que ce qui lui sert à tenir les calendriers d’accord. Rien "
    "n’est transmis à d’autres plateformes : nos calendriers n’y montrent que des nuits fermées.",
    "privacy.what": "Quoi",
    "privacy.why": "Pourquoi",
    "privacy.long": "Combien de temps",
}

EN = {
    "privacy.title": "Personal data",
    "privacy.wrong": "Give a name of at least two letters, a reservation’s number, or both (200 signs at "
    "most).",
    "privacy.erased": "Erased.",
    "privacy.erased_counts": "Names: {names}. Notes: {notes}. Lines of the record: {lines}. Messages: "
    "{messages}.",
    "privacy.nights_stay": "The nights stay closed, and the name will not come back, even if the "
    "platform sends it again. A message that was erased cannot be replayed.",
    "privacy.not_messages": "Messages as they came are nobody’s: only the person who runs the whole "
    "engine can look through them.",
    "privacy.left": "This could not be erased now:",
    "privacy.left_stays": "{count} stays in homes you may only look at.",
    "privacy.left_lines": "{count} lines of the record about stays that are still there: their calendar "
    "puts the name into its identifier. Try again after departure.",
    "privacy.left_messages": "{count} messages that wait to be worked off: a booking may be in them. Try "
    "again in some days.",
    "privacy.left_unread": "Sites that cannot be read now: {sites}. Try again later.",
    "privacy.found": "What was found",
    "privacy.found_nothing": "Nothing: no stay, note or message of this name or number.",
    "privacy.no_name": "(no name)",
    "privacy.forgotten": "name erased",
    "privacy.reservation": "Reservation",
    "privacy.departed": "departed, filed",
    "privacy.notes": "Notes",
    "privacy.lines": "Lines of the record",
    "privacy.lines_named": "{count} with this name, of {all}; the others name nobody and stay",
    "privacy.messages": "Messages",
    "privacy.not_looked": "not looked through (for who runs everything)",
    "privacy.unread": "Sites that cannot be read",
    "privacy.export": "Download everything (JSON)",
    "privacy.erase": "Erase the name everywhere",
    "privacy.erase_many": "Erase the name of these {count} stays",
    "privacy.erase_sure": "A name that is erased cannot be found again, and messages as they came that hold it "
    "cannot be replayed. The nights stay closed.",
    "privacy.erase_yes": "Yes, erase it for good",
    "privacy.erase_one": "For one stay alone, add its reservation number and search again.",
    "privacy.erase_help": "Names, notes and messages as they came are erased, for good, and nothing "
    "else. Stays keep their nights.",
    "privacy.viewer": "You may look and download, and not erase.",
    "privacy.person": "Somebody asks for their data",
    "privacy.person_help": "Search by name, by the reservation’s number, or by both. “Marie Dupont” "
    "finds “Marie D.” too.",
    "privacy.name": "Name",
    "privacy.number": "Reservation number",
    "privacy.find": "Search",
    "privacy.kept": "What is kept, why, and how long",
    "privacy.kept_lead": "The engine keeps only what it needs to keep calendars in step. Nothing is "
    "passed on to other platforms: our calendars show them closed nights and nothing else.",
    "privacy.what": "What",
    "privacy.why": "Why",
    "privacy.long": "How long",
}
