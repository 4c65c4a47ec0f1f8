"""Kernels: from counters to amounts, indicators and ranks; arrays in, arrays out."""
