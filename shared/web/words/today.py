"""The first page."""

FR = {
    "today.title": "Aujourd’hui",
    "today.calm": "Tout est synchronisé",
}

EN = {
    "today.title": "Today",
    "today.calm": "Everything is in step",
}
