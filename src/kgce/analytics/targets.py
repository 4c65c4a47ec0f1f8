"""Progress on the way from a baseline to a target."""


def achieved_drop(*, baseline: float, value: float) -> float:
    """Share by which the value lies below the baseline; negative when it rose."""
    return 1.0 - value / baseline


def progress(*, achieved: float, targeted: float) -> float:
    """Achieved drop / targeted drop, the official convention; above 1 the target is surpassed.

    Source: energy_domain.md section 0 (S-NECC): a drop of 6.98 % of a targeted 10.99 % is 63.5 %.
    """
    return achieved / targeted
