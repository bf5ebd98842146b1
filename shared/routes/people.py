"""How each person wants to be told, and what is kept of people."""

from shared.domain.access import Right
from shared.routes.route import Route

LOOK, DECIDE = Right.LOOK, Right.DECIDE

ROUTES = (
    Route(
        "console_notifications", "GET", "notifications", LOOK, "pages.notifications:show", "How one is told"
    ),
    Route(
        "console_notifications_chosen",
        "POST",
        "notifications",
        LOOK,
        "pages.notifications:choose",
        "Choose when one is told of what",
    ),
    Route(
        "console_notifications_added",
        "POST",
        "notifications/ways",
        LOOK,
        "pages.notifications:add",
        "Add a way to be told",
    ),
    Route(
        "console_notifications_removed",
        "POST",
        "notifications/ways/{mark}/remove",
        LOOK,
        "pages.notifications:remove",
        "Take a way away",
    ),
    Route(
        "console_notifications_tried",
        "POST",
        "notifications/test",
        LOOK,
        "pages.notifications:test",
        "Send oneself a trial",
    ),
    Route("console_privacy", "GET", "privacy", LOOK, "pages.privacy:show", "What is kept of people, and why"),
    # By POST: a name never stands in an address.
    Route("console_privacy_found", "POST", "privacy/find", LOOK, "pages.privacy:find", "Find one person"),
    Route(
        "console_privacy_exported",
        "POST",
        "privacy/export",
        LOOK,
        "pages.privacy:export",
        "What is kept of one person, as a file",
    ),
    Route(
        "console_privacy_erased", "POST", "privacy/erase", DECIDE, "pages.privacy:erase", "Erase one person"
    ),
    Route(
        "console_people_export",
        "POST",
        "api/people/export",
        LOOK,
        "api.people:export",
        "What is kept of one person",
        asks="models:Somebody",
        gives="models_links:PersonFound",
    ),
    Route(
        "console_people_erase",
        "POST",
        "api/people/erase",
        DECIDE,
        "api.people:erase",
        "Erase one person's name, the notes about them and the messages that name them",
        asks="models:Somebody",
        gives="models_links:PersonErased",
    ),
)
