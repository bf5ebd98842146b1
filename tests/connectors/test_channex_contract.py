from tests.connectors.contract import ConnectorContract


class TestChannex(ConnectorContract):
    platform = "channex"
    title = "Channex"
    unit = "00000000-0000-4000-8000-000000000101:00000000-0000-4000-8000-000000000201"
    writes = "availability"
    write_path = "/api/v1/availability"
    refusal = "channex/partial_refusal.json"
