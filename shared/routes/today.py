"""The first page, signing in and out, and what every page needs."""

from shared.domain.access import Right
from shared.routes.route import Route

ROUTES = (
    Route("console_home", "GET", "/", Right.LOOK, "pages.today:show", "What needs me, or that all is well"),
    Route(
        "console_press_retry",
        "POST",
        "retry",
        Right.DECIDE,
        "pages.today:retry",
        "Try again at once what did not arrive",
    ),
    Route("console_sign_in", "GET", "sign-in", Right.OPEN, "pages.sign_in:show", "Where a code is typed"),
    Route("console_signed_in", "POST", "sign-in", Right.OPEN, "pages.sign_in:enter", "Sign in with a code"),
    Route("console_signed_out", "POST", "sign-out", Right.OPEN, "pages.sign_in:leave", "Sign out"),
    Route("console_language", "POST", "language", Right.OPEN, "pages.language:choose", "Choose the language"),
    Route(
        "console_asset",
        "GET",
        "static/{name}",
        Right.OPEN,
        "assets:serve",
        "A style sheet, script or picture",
    ),
)
