"""Speed as ratios to a peer or a bare library in the same run."""
