"""M-Bus, wired (EN 13757-2 and -3): heat, water, gas and electricity meters on a two-wire bus."""
