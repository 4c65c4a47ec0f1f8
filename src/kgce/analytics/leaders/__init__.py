"""Leaders: who uses least among its peers, who may be named, how sure that is."""
