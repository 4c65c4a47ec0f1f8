"""Simulated Sparkplug B edge nodes: births, data, history and deaths, with faults on demand."""
