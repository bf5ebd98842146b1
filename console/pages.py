"""Everything people see and press: one function for each route of the table (``shared/routes``).

The Functions host matches methods and addresses; who may do what, and what comes of it, is behind the door.
"""

from collections.abc import Awaitable, Callable

import azure.functions as func

from shared import bootstrap, edge
from shared.routes import ROUTES, Route

bp = func.Blueprint()  # type: ignore[no-untyped-call]  # the SDK leaves it untyped


def _handler(route: Route) -> Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]:
    async def handle(req: func.HttpRequest) -> func.HttpResponse:
        return edge.response(await bootstrap.console().answer(route, edge.ask(req)))

    handle.__name__ = route.name
    handle.__doc__ = route.summary
    return edge.page(handle) if route.is_page else edge.http(handle)


# The route "/" (an empty one would mean the function's name) needs AzureWebJobsDisableHomepage=true.
for _route in ROUTES:
    bp.function_name(_route.name)(
        bp.route(route=_route.path, methods=[_route.method], auth_level=func.AuthLevel.ANONYMOUS)(
            _handler(_route)
        )
    )
