"""Rows of a register list become device profiles, without code."""
