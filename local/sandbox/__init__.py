"""The platforms, played on this machine: one loopback port that is Airbnb, Booking.com, Greengo and a few hosts
that speak nothing but iCal.

    truth, calendar, stays      what is really sold and closed, pure; the only place that decides
    desk                        what guests and hosts do, with everything the platform then does about it
    airbnb, webhooks            the partner API; what Airbnb calls on our side
    booking, booking_*, tokens  Connectivity: reservation queues, availability, read-back
    feeds, feed_routes, ics     calendar exports with their quirks
    imports                     the platforms reading our calendars
    faults, calls               what goes wrong on demand; what was called
    control, machine, bodies    the JSON under /sandbox
    app, server, __main__       the port
    guests                      life

Nothing a user runs on real accounts depends on it. What it plays is tagged VERIFIED, REPORTED or INFERRED where it
stands: a green test against it proves no more than that.
"""
