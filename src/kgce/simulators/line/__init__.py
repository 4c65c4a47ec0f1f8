"""A serial line with simulated devices on it: given out over TCP as a converter does, or as a pseudo terminal."""
