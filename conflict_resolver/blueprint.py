"""The worker of the queue ``conflicts``: alert, propose, apply what the owner's policy allows, ring the doorbell."""

import azure.functions as func

from shared import bootstrap, edge

bp = func.Blueprint()  # type: ignore[no-untyped-call]  # the SDK leaves it untyped


@bp.function_name("conflict_resolver")
@bp.service_bus_queue_trigger("message", connection="SERVICEBUS", queue_name="%CONFLICTS_QUEUE%")
@edge.queue
async def conflict_resolver(message: func.ServiceBusMessage) -> None:
    """Handle the conflict the message names."""
    deliveries = message.delivery_count or 1
    await bootstrap.engine().conflict(message.get_body(), deliveries, message.message_id)
