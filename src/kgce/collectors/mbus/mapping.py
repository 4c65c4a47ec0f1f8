"""Records of an answer to named values in canonical units; what cannot be told apart is left out and told.

Telegram --rules--> candidates for each point --agreement--> Reading
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from kgce.collectors.mbus.fixed import FixedValue
from kgce.collectors.mbus.records import Function, Record
from kgce.collectors.mbus.rules import RecordRule
from kgce.collectors.mbus.telegram import Telegram
from kgce.collectors.mbus.values import MeterTime
from kgce.collectors.mbus.vif import Meaning
from kgce.domain.errors import UnknownUnit
from kgce.domain.quantities import quantity_of
from kgce.domain.units import conversion

STATUS_POINT: Final = "error_code_status"  # the status byte of the header
_DOMAIN_UNITS: Final = {"K": "ΔK"}  # the records' kelvins are differences


@dataclass(slots=True)
class Mapped:
    """Values by point name (NaN = the meter says "not available"), the meter's own time, and what was left out."""

    values: dict[str, float] = field(default_factory=dict)
    meter_time: MeterTime | None = None
    told: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Candidate:
    value: float
    step: float  # smallest difference the meter can show
    is_error: bool


def map_telegrams(telegrams: Sequence[Telegram], rules: Iterable[RecordRule], *, storage: int = 0) -> Mapped:
    """Points of one readout, which may be several telegrams."""
    records = [record for telegram in telegrams for record in _all_records(telegram)]
    mapped = Mapped(meter_time=_meter_time(records, storage))
    if telegrams and telegrams[0].header is not None:
        mapped.values[STATUS_POINT] = float(telegrams[0].header.status)
    for name, candidates in _candidates(records, rules, storage).items():
        _choose(mapped, name, candidates)
    return mapped


def _all_records(telegram: Telegram) -> Iterator[Record]:
    yield from telegram.records
    for value in telegram.fixed:
        yield _as_record(value)


def _as_record(value: FixedValue) -> Record:
    """A counter of the fixed structure as the record it would be in the variable one."""
    meaning = Meaning(value.unit.quantity, value.unit.unit, value.unit.exponent)
    storage = 1 if value.is_stored else 0
    return Record(Function.INSTANTANEOUS, storage, 0, 0, False, meaning, b"", value.value, b"")


def _candidates(records: Sequence[Record], rules: Iterable[RecordRule], storage: int) -> dict[str, list[_Candidate]]:
    """A rule comes before those after it: a record it takes is not theirs any more."""
    found: dict[str, list[_Candidate]] = defaultdict(list)
    left = list(records)
    for rule in rules:
        fitting = [(record, name) for record in left if (name := rule.name_for(record, storage=storage))]
        if rule.occurrence is not None:
            fitting = fitting[rule.occurrence : rule.occurrence + 1]
        for record, name in fitting:
            candidate = _candidate(record, name)
            if candidate is not None:
                found[name].append(candidate)
        if rule.occurrence is None:
            taken = {id(record) for record, _ in fitting}
            left = [record for record in left if id(record) not in taken]
    return found


def _candidate(record: Record, name: str) -> _Candidate | None:
    if not isinstance(record.value, float):
        return None
    unit = _DOMAIN_UNITS.get(record.meaning.unit, record.meaning.unit)
    try:
        scale, offset = conversion(unit, quantity_of(name).unit)
    except UnknownUnit:
        return None
    step = record.meaning.factor * 10.0**record.meaning.exponent * scale
    is_error = record.function is Function.ERROR_STATE
    return _Candidate(math.nan if is_error else record.value * scale + offset, step, is_error)


def _choose(mapped: Mapped, name: str, candidates: Sequence[_Candidate]) -> None:
    """Values that agree are one, the finest of them; values that differ are none."""
    known = [one for one in candidates if not math.isnan(one.value)]
    if not known:
        mapped.values[name] = math.nan
        return
    best = min(known, key=lambda one: one.step)
    if any(abs(one.value - best.value) > max(one.step, best.step) for one in known):
        mapped.told.append(f"{len(known)} records may be {name} and differ: say which with `records` of the device")
        return
    if len(known) > 1:
        mapped.told.append(f"{len(known)} records are {name} and agree: the finest is taken")
    mapped.values[name] = best.value


def _meter_time(records: Sequence[Record], storage: int) -> MeterTime | None:
    """When the meter says it measured; a future date or another storage's time is not that."""
    for record in records:
        is_plain = record.function is Function.INSTANTANEOUS and record.storage == storage and not record.vifes
        if is_plain and record.meaning.quantity == "time" and isinstance(record.value, MeterTime):
            return record.value if record.value.is_valid else None
    return None
