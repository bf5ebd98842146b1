"""The portfolio as a text."""

FR = {
    "portfolio.title": "Le portefeuille",
    "portfolio.what": "Tout ce qui est enregistré de vos logements, en un texte que l’on peut garder et "
    "relire (la même forme que portfolio.yaml).",
    "portfolio.export": "Exporter",
    "portfolio.with_links": "Avec les liens de calendrier. Ce sont des secrets : gardez ce fichier pour "
    "vous.",
    "portfolio.without_note": "Sans les liens, le texte se lit mais ne s’importe pas.",
    "portfolio.unread": "Aucun fichier : une donnée enregistrée est illisible, et une copie sans elle passerait pour "
    "complète. La page Aujourd’hui dit quoi faire.",
    "portfolio.download": "Télécharger",
    "portfolio.import": "Importer",
    "portfolio.import_what": "Ajoute ou met à jour ce que le texte nomme ; rien n’est jamais supprimé.",
    "portfolio.import_who": "Seule une personne qui décide pour tous les propriétaires peut importer un "
    "texte.",
    "portfolio.text": "Texte du portefeuille",
    "portfolio.take": "Importer ce texte",
    "portfolio.problems": "Rien n’a été importé. À corriger :",
    "portfolio.stopped": "L’import s’est arrêté :",
    "portfolio.at": "ligne {line}, colonne {column}",
    "portfolio.field": "champ {field}",
    "portfolio.done": "Importé : {homes} logements, {listings} annonces.",
    "portfolio.created": "Nouveaux : {names}",
    "portfolio.changed": "Modifiés : {names}",
    "portfolio.same": "Rien n’a changé.",
}

EN = {
    "portfolio.title": "The portfolio",
    "portfolio.what": "Everything stored of your homes, as one text that can be kept and read again (the "
    "form of portfolio.yaml).",
    "portfolio.export": "Export",
    "portfolio.with_links": "With calendar links. They are secrets: keep this file to yourself.",
    "portfolio.without_note": "Without the links the text can be read, but not imported.",
    "portfolio.unread": "No file: a stored row cannot be read, and a copy without it would pass for whole. The page "
    "Today says what to do.",
    "portfolio.download": "Download",
    "portfolio.import": "Import",
    "portfolio.import_what": "Adds or updates what the text names; nothing is ever deleted.",
    "portfolio.import_who": "Only somebody who decides for all owners can import a text.",
    "portfolio.text": "The portfolio’s text",
    "portfolio.take": "Import this text",
    "portfolio.problems": "Nothing was imported. To be mended:",
    "portfolio.stopped": "The import stopped:",
    "portfolio.at": "line {line}, column {column}",
    "portfolio.field": "field {field}",
    "portfolio.done": "Imported: {homes} homes, {listings} listings.",
    "portfolio.created": "New: {names}",
    "portfolio.changed": "Changed: {names}",
    "portfolio.same": "Nothing changed.",
}
