"""The worker of the queue ``work``: a message says where to look, never what is true.

Returning completes the message, raising gives it back; after the queue's maximum of deliveries it is dead-lettered.
The decorator's retry policies do nothing for Service Bus, so there is none.
"""

import azure.functions as func

from shared import bootstrap, edge

bp = func.Blueprint()  # type: ignore[no-untyped-call]  # the SDK leaves it untyped


@bp.function_name("sync_worker")
@bp.service_bus_queue_trigger("message", connection="SERVICEBUS", queue_name="%WORK_QUEUE%")
@edge.queue
async def sync_worker(message: func.ServiceBusMessage) -> None:
    """Ingest what the key names, then reconcile the sites it touches."""
    deliveries = message.delivery_count or 1
    await bootstrap.engine().work(message.get_body(), deliveries, message.message_id)
