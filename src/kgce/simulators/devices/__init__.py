"""Simulated devices: what each one measures as a function of time, and how its registers or messages carry it."""
