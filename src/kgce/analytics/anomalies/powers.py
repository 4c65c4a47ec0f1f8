"""Powers of ten: figures that are a thousand or ten thousand times too large or too small, so in another unit."""

from typing import Final

import numpy as np

from kgce.domain.batch import FloatArray, Int64Array

# kWh/MWh, L/m3, kg/t and yuan/thousand yuan slip by 10^3; yuan/wan yuan (10 000) and kWh/wan kWh by 10^4.
POWERS: Final = (-4, -3, 3, 4)
TOLERANCE: Final = 0.35  # of log10: units of one class differ by a factor 2.2 without any slip


def slipped_power(figure: FloatArray, usual: FloatArray, *, tolerance: float = TOLERANCE) -> Int64Array:
    """Power of ten by which figures lie away from what is usual.

    Args:
        figure: (n,) NaN or not positive = unknown.
        usual: (n,) what such a figure should be near, same unit; NaN or not positive = unknown.
        tolerance: how far log10(figure / usual) may lie from the power; below 0.5 the powers stay apart.

    Returns:
        (n,) -4, -3, 3 or 4; 0 where there is no slip or nothing to compare.
    Source: energy_domain.md section 2, suggested audit rules: x 10 000 unit slips (yuan/wan yuan); house rule V2.
    """
    known = (figure > 0) & (usual > 0) & np.isfinite(figure) & np.isfinite(usual)
    residual = np.full(len(figure), np.nan)
    residual[known] = np.log10(figure[known]) - np.log10(usual[known])
    found = np.zeros(len(figure), np.int64)
    for power in POWERS:
        found[np.abs(residual - power) <= tolerance] = power
    return found
