"""The line devices hang on: a serial port, or a converter that gives one out over TCP."""
