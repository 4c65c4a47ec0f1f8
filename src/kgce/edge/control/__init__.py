"""Control: a site's current shared among its chargers, and alarms about boilers; off unless a file asks for it."""
