from tests.connectors.contract import ConnectorContract


class TestBooking(ConnectorContract):
    platform = "booking"
    title = "Booking.com"
    unit = "1234567:123456701"
    writes = "availability"
    write_path = "/hotels/ota/OTA_HotelAvailNotif"
    refusal = "booking/partial_refusal.xml"
