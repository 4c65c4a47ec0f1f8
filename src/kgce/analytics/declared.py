"""What people declare, held against what the meters say, before it is kept."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kgce.analytics.ledger.readings import FAR_MS
from kgce.analytics.ledger.virtual import parse_expression
from kgce.domain.batch import UNUSABLE
from kgce.domain.changes import ChangeKind, MeterChange
from kgce.domain.errors import InputError
from kgce.domain.metering import VirtualMeter
from kgce.domain.ports import ReadingStore
from kgce.domain.roles import Role
from kgce.domain.tree import Point


def contradictions(store: ReadingStore, change: MeterChange) -> list[str]:
    """Why the readings around a replacement cannot be as declared, a sentence each; none = they can.

    Raises:
        StoreUnavailable: no answer.
    """
    if change.kind is not ChangeKind.REPLACED or change.old_last is None or change.new_first is None:
        return []
    near = store.read([change.key], start_ms=change.at_ms - FAR_MS, end_ms=change.at_ms + FAR_MS)
    good = ((near.quality & np.uint8(UNUSABLE)) == 0) & np.isfinite(near.value)
    before, after = (near.value[good & side] for side in (near.time_ms < change.at_ms, near.time_ms >= change.at_ms))
    found = []
    if len(before) and before[-1] > change.old_last:
        found.append(f"the last reading before it is {before[-1]:g}, above the old meter's last {change.old_last:g}")
    if len(after) and after[0] < change.new_first:
        found.append(f"the first reading after it is {after[0]:g}, below the new meter's first {change.new_first:g}")
    return found


def checked_virtual(meter: VirtualMeter, points: Sequence[Point]) -> VirtualMeter:
    """The virtual meter with every name written out as `device.quantity`.

    Raises:
        InputError: no expression, an unknown or ambiguous point, a point of another carrier, a name already a point's.
    """
    expression = parse_expression(meter.expression)
    Role(item=meter.item)  # raises for an unknown item
    if any(meter.name in {point.id, point.series.point_id} for point in points):
        raise InputError(f"{meter.institution} has a point {meter.name!r} already: give the virtual meter another name")
    for name in expression.factors:
        found = [point for point in points if name in {point.id, point.series.point_id}]
        if len(found) != 1:
            known = ", ".join(sorted(point.series.point_id for point in points)) or "none yet"
            what = "has several points" if found else "has no point"
            raise InputError(f"{meter.institution} {what} {name!r}; known: {known}")
        if found[0].carrier != meter.carrier:
            raise InputError(f"{name} measures {found[0].carrier}, the virtual meter {meter.carrier}")
    return replace(meter, expression=" ".join(meter.expression.split()))
