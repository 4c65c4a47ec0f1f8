"""From counters to interval amounts that add up."""
