"""Evidence of plain units: a year without a fault, to be broken where a test wants it."""

from typing import Any

import numpy as np

from kgce.analytics.leaders.gates import DEFAULT_RULES, Evidence, Gated, GateRules, gate


def evidence(value: list[float], **other: Any) -> Evidence:
    """Units that use these values per m2 of 100 m2, everything else as it should be; columns can be given."""
    n = len(value)
    columns = {
        "total": np.array(value, np.float64) * 100,
        "divisor": np.full(n, 100.0),
        "months": np.full(n, 12),
        "coverage": np.ones(n),
        "has_factor": np.ones(n, bool),
        "has_attributes": np.ones(n, bool),
        "quota": np.full(n, np.nan),
        "target": np.full(n, np.nan),
    }
    return Evidence(**columns | {name: np.array(column) for name, column in other.items()})


def one_group(value: list[float], rules: GateRules = DEFAULT_RULES, **other: Any) -> Gated:
    """Those units through the gates, as one group."""
    return gate(evidence(value, **other), np.zeros(len(value), np.intp), groups=1, rules=rules)
