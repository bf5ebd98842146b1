"""What Azure Functions indexes: one app, every folder's blueprint, nothing else.

Programming model v2: there is no function.json anywhere, and this module binds exactly one name to the app
(the worker refuses to guess between two).
"""

import azure.functions as func

from conflict_resolver.blueprint import bp as conflict_resolver
from console.blueprint import bp as console
from console.pages import bp as console_pages
from health_monitor.blueprint import bp as health_monitor
from sync_scheduler.blueprint import bp as sync_scheduler
from sync_worker.blueprint import bp as sync_worker
from webhook_receiver.blueprint import bp as webhook_receiver

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

app.register_functions(sync_scheduler)
app.register_functions(webhook_receiver)
app.register_functions(sync_worker)
app.register_functions(conflict_resolver)
app.register_functions(health_monitor)
app.register_functions(console)
app.register_functions(console_pages)
