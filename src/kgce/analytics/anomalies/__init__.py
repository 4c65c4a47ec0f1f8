"""Anomalies: what is wrong with figures or with the use behind them, one detector per file, each a pure kernel."""
