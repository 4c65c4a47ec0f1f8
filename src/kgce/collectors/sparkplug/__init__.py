"""Sparkplug B 3.0 host application: births, data and deaths of edge nodes in, batches out."""
