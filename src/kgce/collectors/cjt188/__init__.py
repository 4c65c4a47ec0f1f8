"""CJ/T 188: the water, heat and gas meters of China, on a serial line or behind a converter."""
