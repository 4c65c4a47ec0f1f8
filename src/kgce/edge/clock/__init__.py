"""The gateway's clock: what time readings are stamped with, and whether it can be trusted."""
