"""A stand-in for Azure Service Bus: AMQP 1.0 on loopback, in memory, one process, for development only.

It serves the unmodified ``azure-servicebus`` SDK with a connection string that says
``UseDevelopmentEmulator=true`` and reads the official emulator's ``Config.json``, so that either can take the
other's place. It offers what the product calls and nothing else: no sessions, topics, transactions or rights.
"""
