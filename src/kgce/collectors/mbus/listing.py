"""A telegram as lines for a person: who sent it, and each value with its unit and what qualifies it."""

import math
from collections.abc import Iterator

from kgce.collectors.mbus.frame import parse
from kgce.collectors.mbus.records import Function, Record, Value
from kgce.collectors.mbus.rules import MEDIUM_NAMES
from kgce.collectors.mbus.telegram import Header, Telegram
from kgce.collectors.mbus.values import MeterTime


def listing(data: bytes) -> list[str]:
    """One line for the meter, then one for each value, in the telegram's order.

    Raises:
        FrameError: the bytes are no whole answer of a meter, or one that cannot be read.
    """
    return list(_lines(parse(data)))


def _lines(telegram: Telegram) -> Iterator[str]:
    yield _meter(telegram.address, telegram.header)
    for record in telegram.records:
        yield _record(record)
    for value in telegram.fixed:
        when = "at the due date" if value.is_stored else "now"
        yield f"{value.unit.quantity}: {_shown(value.value)} {value.unit.unit} ({when})"
    if telegram.manufacturer_data:
        yield f"manufacturer's own data: {telegram.manufacturer_data.hex(' ')}"
    if telegram.more_follows:
        yield "another telegram follows"


def _meter(address: int, header: Header | None) -> str:
    if header is None:
        return f"address {address}, no header"
    medium = MEDIUM_NAMES.get(header.medium, f"medium {header.medium:02x}")
    maker = f" {header.manufacturer} version {header.version}" if header.manufacturer else ""
    state = f", status {header.status:02x}" if header.status else ""
    return f"address {address}, meter {header.identification}{maker}, {medium}{state}"


def _record(record: Record) -> str:
    qualities = [
        text
        for text, is_said in (
            (record.function.name.lower().replace("_", " "), record.function is not Function.INSTANTANEOUS),
            (f"storage {record.storage}", record.storage),
            (f"tariff {record.tariff}", record.tariff),
            (f"subunit {record.subunit}", record.subunit),
            (f"VIFE {record.vifes.hex(' ')}", record.vifes),
        )
        if is_said
    ]
    unit = f" {record.meaning.unit}" if record.meaning.unit else ""
    return f"{record.meaning.quantity}: {_shown(record.value)}{unit}" + (
        f" ({', '.join(qualities)})" if qualities else ""
    )


def _shown(value: Value) -> str:
    if value is None:
        return "no data"
    if isinstance(value, float):
        return "not available" if math.isnan(value) else f"{value:.12g}"
    if isinstance(value, bytes):
        return value.hex(" ")
    return _moment(value) if isinstance(value, MeterTime) else repr(value.strip())


def _moment(time: MeterTime) -> str:
    if not time.is_valid:
        return "not a valid time"
    day = f"{time.year:04d}-{time.month:02d}-{time.day:02d}"
    return f"{day} {time.hour:02d}:{time.minute:02d}:{time.second:02d}" if time.has_time else day
