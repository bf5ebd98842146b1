"""What people and calendar programs open: the first page, the state, the export, the health check.

The Functions host answers 404, not 405, to a method that is not listed, and does not derive HEAD from GET.
"""

import azure.functions as func

from shared import bootstrap, edge

bp = func.Blueprint()  # type: ignore[no-untyped-call]  # the SDK leaves it untyped


# HEAD is left out: a request without a body must never count as the peer having fetched the calendar (rule 24).
@bp.function_name("console_export")
@bp.route(route="export/{token}.ics", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@edge.http
async def export_calendar(req: func.HttpRequest) -> func.HttpResponse:
    """One destination's calendar."""
    token = req.route_params["token"]
    return edge.response(await bootstrap.engine().export_calendar(token, req.headers))


@bp.function_name("console_status")
@bp.route(route="api/status", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@edge.http
async def status(req: func.HttpRequest) -> func.HttpResponse:
    """The state of every site and account, as JSON."""
    return edge.response(await bootstrap.engine().status())


@bp.function_name("console_sync")
@bp.route(route="api/sync", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@edge.http
async def sync_now(req: func.HttpRequest) -> func.HttpResponse:
    """Start a synchronisation."""
    return edge.response(await bootstrap.engine().sync_now(req.get_body()))


@bp.function_name("console_job")
@bp.route(route="api/jobs/{id}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@edge.http
async def job(req: func.HttpRequest) -> func.HttpResponse:
    """How far a synchronisation is, and its report."""
    return edge.response(await bootstrap.engine().job(req.route_params["id"]))


@bp.function_name("console_runs")
@bp.route(route="api/runs", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@edge.http
async def runs(req: func.HttpRequest) -> func.HttpResponse:
    """The reports of a day, newest first."""
    return edge.response(await bootstrap.engine().runs(req.params))


@bp.function_name("console_mode")
@bp.route(route="api/platforms/{account}/mode", methods=["PUT"], auth_level=func.AuthLevel.ANONYMOUS)
@edge.http
async def set_mode(req: func.HttpRequest) -> func.HttpResponse:
    """Choose how an account is kept in step."""
    account = req.route_params["account"]
    return edge.response(await bootstrap.engine().set_mode(account, req.get_body()))


@bp.function_name("console_circuit")
@bp.route(
    route="api/platforms/{account}/circuits/{operation}",
    methods=["PUT"],
    auth_level=func.AuthLevel.ANONYMOUS,
)
@edge.http
async def force_circuit(req: func.HttpRequest) -> func.HttpResponse:
    """Move a circuit by hand."""
    at = req.route_params
    answer = await bootstrap.engine().force_circuit(at["account"], at["operation"], req.get_body())
    return edge.response(answer)


@bp.function_name("console_health")
@bp.route(route="health", methods=["GET", "HEAD"], auth_level=func.AuthLevel.ANONYMOUS)
@edge.http
async def health(req: func.HttpRequest) -> func.HttpResponse:
    """For monitors: 200 or 503."""
    return edge.response(await bootstrap.engine().health())
