"""Who answers on a line, what it says it is, and which profile fits: for commissioning, reading only."""
