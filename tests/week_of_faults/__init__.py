"""A week in which everything goes wrong once, and the energy is known beforehand."""
