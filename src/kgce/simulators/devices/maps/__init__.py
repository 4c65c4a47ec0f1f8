"""Register maps of simulated devices: one TOML file each, straight from published tables."""
