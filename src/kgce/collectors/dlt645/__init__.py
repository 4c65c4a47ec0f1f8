"""DL/T 645-2007 and -1997: the electricity meters of China, on a serial line or behind a converter."""
