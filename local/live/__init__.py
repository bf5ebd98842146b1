"""``make live``: the connectors against real platforms, writing only where the reader's own file says so."""
