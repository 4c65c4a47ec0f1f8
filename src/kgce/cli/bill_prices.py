"""Prices of bills: each bill's cost for a unit beside the usual prices of its carrier."""

from collections.abc import Sequence

import numpy as np

from kgce.analytics.anomalies.unit_price import unit_prices
from kgce.collectors.files.bills import Bill
from kgce.domain.findings import Finding


def price_findings(bills: Sequence[Bill]) -> list[Finding]:
    """`bill.unit_price` and `bill.ten_thousand`, on the bills' institutions."""
    found = []
    for carrier in sorted({bill.carrier for bill in bills}):
        own = [bill for bill in bills if bill.carrier == carrier]
        found += unit_prices(
            [bill.series.institution for bill in own],
            carrier,
            cost_yuan=np.array([bill.cost_yuan for bill in own], np.float64),
            amount=np.array([bill.amount for bill in own], np.float64),
        )
    return found
