from tests.connectors.contract import ConnectorContract


class TestAirbnb(ConnectorContract):
    platform = "airbnb"
    title = "Airbnb"
    unit = "9876543"
    writes = "calendar_write"
    write_path = "/v2/calendar_operations_requests/"
    refusal = "airbnb/partial_refusal.json"
