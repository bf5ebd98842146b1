"""What is remembered and explained, and what one click gives back: history, reasons, removals, quarantine."""

import azure.functions as func

from shared import bootstrap, edge

bp = func.Blueprint()  # type: ignore[no-untyped-call]  # the SDK leaves it untyped


@bp.function_name("console_history")
@bp.route(route="api/history", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@edge.http
async def history(req: func.HttpRequest) -> func.HttpResponse:
    """What happened, newest first."""
    return edge.response(await bootstrap.engine().history(req.params))


@bp.function_name("console_history_file")
@bp.route(route="api/history.csv", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@edge.http
async def history_file(req: func.HttpRequest) -> func.HttpResponse:
    """The same for a spreadsheet."""
    return edge.response(await bootstrap.engine().history_file(req.params))


@bp.function_name("console_why")
@bp.route(route="api/why", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@edge.http
async def why(req: func.HttpRequest) -> func.HttpResponse:
    """Why a night of a home is as it is."""
    return edge.response(await bootstrap.engine().why(req.params))


@bp.function_name("console_removals")
@bp.route(route="api/removals", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@edge.http
async def removals(req: func.HttpRequest) -> func.HttpResponse:
    """What vanished from calendars and is still held."""
    return edge.response(await bootstrap.engine().removals(req.params))


@bp.function_name("console_release")
@bp.route(route="api/removals/{id}/release", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@edge.http
async def release(req: func.HttpRequest) -> func.HttpResponse:
    """Take a person's word that what vanished is free."""
    return edge.response(await bootstrap.engine().release_removal(req.route_params["id"], req.headers))


@bp.function_name("console_quarantine")
@bp.route(route="api/quarantine", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@edge.http
async def quarantine(req: func.HttpRequest) -> func.HttpResponse:
    """What nobody could process."""
    return edge.response(await bootstrap.engine().quarantine())


@bp.function_name("console_replay")
@bp.route(route="api/quarantine/{id}/replay", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@edge.http
async def replay(req: func.HttpRequest) -> func.HttpResponse:
    """Try one of those again."""
    return edge.response(await bootstrap.engine().replay(req.route_params["id"], req.headers))
