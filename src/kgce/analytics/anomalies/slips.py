"""Slips: amounts per area or person that are a thousand or ten thousand times those of peers or of own years."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from kgce.analytics.anomalies.powers import TOLERANCE, slipped_power
from kgce.analytics.anomalies.robust import group_medians
from kgce.domain.batch import FloatArray
from kgce.domain.findings import Finding

MIN_PEERS: Final = 5  # fewer have no middle worth the name
OWN, PEERS = "own history", "peers"


def slipped_figures(
    subjects: Sequence[str],
    intensity: FloatArray,
    *,
    group: npt.NDArray[np.intp],
    unit: str,
    history: FloatArray | None = None,
    tolerance: float = TOLERANCE,
) -> list[Finding]:
    """`figure.ten_thousand` for figures about 10^3 or 10^4 times, or parts of, what is usual.

    The unit's own earlier years are asked first: they know best. A unit that has always stated the wrong unit is found
    by its peers.

    Args:
        subjects: n institutions.
        intensity: (n,) amount per m2 or per person; NaN, zero or less = unknown, no finding.
        group: (n,) 0-based peer group; with fewer than five known figures it has no median.
        unit: of the intensity, e.g. kWh/m2.
        history: (n, years) the same figure of earlier years, NaN = unknown; None = no earlier years.
        tolerance: how far log10(figure / usual) may lie from the power and still be called a slip.

    Source: energy_domain.md section 2, suggested audit rules (house rule V2).
    """
    peers = group_medians(group, np.where(intensity > 0, intensity, np.nan), min_known=MIN_PEERS)[group]
    own = np.full(len(intensity), np.nan)
    if history is not None:
        rows, years = np.nonzero(history > 0)
        found = group_medians(rows, history[rows, years], min_known=1)
        own[: len(found)] = found
    by_own = slipped_power(intensity, own, tolerance=tolerance)
    by_peers = slipped_power(intensity, peers, tolerance=tolerance)
    findings = []
    for place in np.flatnonzero((by_own != 0) | (by_peers != 0)).tolist():
        basis, power, usual = (OWN, by_own, own) if by_own[place] else (PEERS, by_peers, peers)
        evidence = {
            "figure": float(intensity[place]),
            "usual": float(usual[place]),
            "unit": unit,
            "power_of_ten": int(power[place]),
            "basis": basis,
        }
        message = (
            f"{intensity[place]:.4g} {unit} is about 10^{power[place]} times the median of {basis}, "
            f"{usual[place]:.4g} {unit}: check the unit of the amount and the stated area or people"
        )
        findings.append(Finding("figure.ten_thousand", subjects[place], message, evidence))
    return findings
