"""What happened and why; what vanished; what nobody could process."""

from shared.domain.access import Right
from shared.routes.route import Route

ROUTES = (
    Route(
        "console_page_history", "GET", "history", Right.LOOK, "pages.history:show", "What happened, by whom"
    ),
    Route(
        "console_page_history_file",
        "GET",
        "history.csv",
        Right.LOOK,
        "pages.history:file",
        "The same lines for a spreadsheet",
    ),
    Route("console_page_why", "GET", "why", Right.LOOK, "pages.why:show", "Why a night is as it is"),
    Route(
        "console_page_removals",
        "GET",
        "removals",
        Right.LOOK,
        "pages.removals:listed",
        "What vanished and is still held",
    ),
    Route(
        "console_press_release",
        "POST",
        "removals/{id}/release",
        Right.DECIDE,
        "pages.removals:release",
        "Say that what vanished is free",
    ),
    Route(
        "console_page_messages",
        "GET",
        "messages",
        Right.LOOK,
        "pages.messages:listed",
        "What nobody could process",
    ),
    Route(
        "console_press_replay",
        "POST",
        "messages/{id}/replay",
        Right.DECIDE,
        "pages.messages:replay",
        "Try one of them again",
    ),
)
