"""Double bookings: look at them, take care of one, decide."""

import azure.functions as func

from shared import bootstrap, edge

bp = func.Blueprint()  # type: ignore[no-untyped-call]  # the SDK leaves it untyped


@bp.function_name("console_conflicts")
@bp.route(route="api/conflicts", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@edge.http
async def list_conflicts(req: func.HttpRequest) -> func.HttpResponse:
    """Every double booking, open ones on top."""
    return edge.response(await bootstrap.engine().list_conflicts())


@bp.function_name("console_conflict")
@bp.route(route="api/conflicts/{id}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@edge.http
async def show_conflict(req: func.HttpRequest) -> func.HttpResponse:
    """One of them, with what can be done."""
    return edge.response(await bootstrap.engine().show_conflict(req.route_params["id"]))


@bp.function_name("console_acknowledge")
@bp.route(route="api/conflicts/{id}/acknowledge", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@edge.http
async def acknowledge_conflict(req: func.HttpRequest) -> func.HttpResponse:
    """Whoever asks takes care of it."""
    name = req.route_params["id"]
    return edge.response(await bootstrap.engine().acknowledge_conflict(name, req.headers))


@bp.function_name("console_resolution")
@bp.route(route="api/conflicts/{id}/resolution", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@edge.http
async def resolve_conflict(req: func.HttpRequest) -> func.HttpResponse:
    """Whoever asks decides."""
    name = req.route_params["id"]
    return edge.response(await bootstrap.engine().resolve_conflict(name, req.headers, req.get_body()))
