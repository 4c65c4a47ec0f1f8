"""The kgce command: the only place that builds everything."""
