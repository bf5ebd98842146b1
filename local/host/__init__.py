"""The local host: drives the very ``FunctionApp`` that Azure would, without Core Tools.

HTTP over ASGI, timers by their NCRONTAB, Service Bus through the bus port; inputs are built by the converters the
Python worker uses. It offers nothing that Azure does not, and refuses at start what Azure would refuse or what it
cannot play. Not played: authorization keys, ``functionTimeout``, the blob lease and memory of timers, scaling out.
"""
