"""Local life: what a technician sees beside the gateway, with no uplink and no internet."""
