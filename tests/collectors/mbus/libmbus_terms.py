"""Our decoding in the words of the published vectors, which print what libmbus prints (SI units, six decimals)."""

import math
from typing import Any

from kgce.collectors.mbus import link
from kgce.collectors.mbus.fixed import FixedValue
from kgce.collectors.mbus.frame import parse
from kgce.collectors.mbus.link import FrameError, LongFrame
from kgce.collectors.mbus.records import Function, Record
from kgce.collectors.mbus.telegram import Header
from kgce.collectors.mbus.values import MeterTime

FUNCTIONS = {
    Function.INSTANTANEOUS: "Instantaneous value",
    Function.MAXIMUM: "Maximum value",
    Function.MINIMUM: "Minimum value",
    Function.ERROR_STATE: "Value during error state",
}
UNITS = {
    "m3": "m^3",
    "m3/h": "m^3/h",
    "degC": "°C",
    "degF": "°F",
    "HCA units": "Units for H.C.A.",
    "currency": "Currency units",
}
QUANTITIES = {
    "energy": "Energy", "volume": "Volume", "mass": "Mass", "on_time": "On time", "operating_time": "Operating time",
    "power": "Power", "volume_flow": "Volume flow", "mass_flow": "Mass flow", "supply_temperature": "Flow temperature",
    "return_temperature": "Return temperature", "temperature_difference": "Temperature difference",
    "external_temperature": "External temperature", "pressure": "Pressure", "date": "Time point (date)",
    "time": "Time point (date & time)", "heat_cost": "H.C.A.", "averaging_duration": "Averaging Duration",
    "actuality_duration": "Actuality Duration", "fabrication_number": "Fabrication No",
    "identification": "(Enhanced) Identification", "bus_address": "Bus Address", "credit": "Credit", "debit": "Debit",
    "access_number": "Access Number (transmission count)", "medium": "Medium", "manufacturer": "Manufacturer",
    "parameter_set": "Parameter set identification", "model_version": "Model / Version",
    "hardware_version": "Hardware version", "firmware_version": "Firmware version",
    "software_version": "Software version", "customer_location": "Customer location", "customer": "Customer",
    "error_flags": "Error flags", "error_mask": "Error mask", "digital_output": "Digital Output",
    "digital_input": "Digital Input", "baud_rate": "Baudrate", "dimensionless": "Dimensionless", "voltage": "Voltage",
    "current": "Current", "reset_counter": "Reset counter", "cumulation_counter": "Cumulation counter",
    "control_signal": "Control signal", "day_of_week": "Day of week", "week_number": "Week number",
    "day_change": "Time point of day change", "parameter_activation": "State of parameter activation",
    "supplier_information": "Special supplier information", "manufacturer_specific": "Manufacturer specific",
}  # fmt: skip
MEDIUMS = {
    0x00: "Other", 0x01: "Oil", 0x02: "Electricity", 0x03: "Gas", 0x04: "Heat: Outlet", 0x05: "Steam",
    0x06: "Warm water (30-90°C)", 0x07: "Water", 0x08: "Heat Cost Allocator", 0x09: "Compressed Air",
    0x0A: "Cooling load meter: Outlet", 0x0B: "Cooling load meter: Inlet", 0x0C: "Heat: Inlet",
    0x0D: "Heat / Cooling load meter", 0x0E: "Bus/System", 0x0F: "Unknown Medium", 0x15: "Hot water (>=90°C)",
    0x16: "Cold water", 0x17: "Dual water", 0x18: "Pressure", 0x19: "A/D Converter",
}  # fmt: skip
FIXED_MEDIUMS = ("Other", "Oil", "Electricity", "Gas", "Heat", "Steam", "Hot water", "Water", "H.C.A.")


def answer(kind: str, data: bytes) -> Any:
    """What a vector of this kind expects, said by our decoder and spelled as in the file of vectors.

    The file took the UTF-8 of libmbus's output for ISO 8859-1, so its degree signs are two characters.
    """
    return _respelled(_answer(kind, data))


def _respelled(said: Any) -> Any:
    if isinstance(said, dict):
        return {key: _respelled(value) for key, value in said.items()}
    if isinstance(said, list):
        return [_respelled(value) for value in said]
    return said.replace("°", "\u00c2\u00b0") if isinstance(said, str) else said


def _answer(kind: str, data: bytes) -> dict[str, Any]:
    if kind == "long_frame":
        try:
            return long_frame(data)
        except FrameError as error:
            return {"valid": False, "error": str(error)}
    if kind == "error_frame":
        return {"link_layer_valid": _is_frame(data), "records": records_or_none(data)}
    if kind == "invalid":
        return {"valid": records_or_none(data) is not None}
    return command(data)


def command(data: bytes) -> dict[str, Any]:
    """A short, control or acknowledge frame."""
    try:
        frame = link.decode(data)
    except FrameError as error:
        return {"valid": False, "error": str(error)}
    if isinstance(frame, link.Ack):
        return {"valid": True}
    said = {"valid": True, "control": f"{frame.control:02X}", "address": frame.address}
    return said | ({"ci": f"{frame.ci:02X}"} if isinstance(frame, LongFrame) else {})


def _is_frame(data: bytes) -> bool:
    try:
        link.decode(data)
    except FrameError:
        return False
    return True


def records_or_none(data: bytes) -> list[dict[str, Any]] | None:
    """The records, None where the telegram gives no reading."""
    try:
        return long_frame(data)["records"]
    except FrameError:
        return None


def long_frame(data: bytes) -> dict[str, Any]:
    """A whole answer.

    Raises:
        FrameError: it cannot be read.
    """
    telegram = parse(data)
    said: dict[str, Any] = {"valid": True, "ci": f"{data[6]:02X}"}
    if telegram.header is not None:
        said |= _header(telegram.header, is_fixed=bool(telegram.fixed))
    records = [_record(record) for record in telegram.records] + [_fixed(value) for value in telegram.fixed]
    if telegram.manufacturer_data is not None:
        function = "More records follow" if telegram.more_follows else "Manufacturer specific"
        records.append(
            {
                "function": function,
                "storage": "0",
                "unit": "",
                "quantity": "",
                "value": _hex(telegram.manufacturer_data),
            }
        )
    return said | {"records": records}


def _header(header: Header, *, is_fixed: bool) -> dict[str, Any]:
    medium = FIXED_MEDIUMS[header.medium] if is_fixed else MEDIUMS.get(header.medium, "Reserved")
    said = {"id": header.identification.upper().lstrip("0") or "0", "medium": medium}
    said |= {"access": str(header.access_number), "status": f"{header.status:02X}"}
    if not is_fixed:
        signature = f"{header.configuration:04X}"
        said |= {"manufacturer": header.manufacturer, "version": str(header.version), "signature": signature}
    return said


def _fixed(value: FixedValue) -> dict[str, Any]:
    words = {0x3E: "reserved but historic", 0x3F: "without units", 0x38: "0.001 °C", 0x39: "Units for H.C.A."}
    function = "Stored value" if value.is_stored and value.code != 0x3E else "Actual value"
    return {"function": function, "unit": words.get(value.code) or _fixed_unit(value.code), "value": value.raw}


def _fixed_unit(code: int) -> str:
    """Nine codes for each quantity: three units, each in steps of ten."""
    families = ("Wh kWh MWh", "kJ MJ GJ", "W kW MW", "kJ/h MJ/h GJ/h", "ml l m^3", "ml/h l/h m^3/h")
    family, step = divmod(code - 0x02, 9)
    if not 0 <= family < len(families):
        return "Reserved"
    return ("", "10 ", "100 ")[step % 3] + families[family].split()[step // 3]


def _record(record: Record) -> dict[str, Any]:
    said: dict[str, Any] = {"function": FUNCTIONS[record.function], "storage": str(record.storage)}
    if record.has_dife:
        said |= {"tariff": str(record.tariff), "device": str(record.subunit)}
    meaning = record.meaning
    if meaning.quantity == "text":
        return said | {"unit": "-", "quantity": meaning.unit, "value": _value(record)}
    unit = "-" if isinstance(record.value, MeterTime) else UNITS.get(meaning.unit, meaning.unit)
    return said | {
        "unit": unit,
        "quantity": QUANTITIES.get(meaning.quantity, meaning.quantity),
        "value": _value(record),
    }


def _value(record: Record) -> float | str:
    value = record.value
    if isinstance(value, MeterTime):
        return _time(value)
    if isinstance(value, bytes):
        return _hex(value[::-1])
    if isinstance(value, str):
        return value.strip()
    if value is None:
        return ""
    return round(value, 6) if math.isfinite(value) else "not available"


def _time(time: MeterTime) -> str:
    if time.has_time and time.is_marked_invalid:
        return "1900-01-00T00:00:00Z"  # what libmbus prints then
    day = f"{time.year:04d}-{time.month:02d}-{time.day:02d}"
    return f"{day}T{time.hour:02d}:{time.minute:02d}:{time.second:02d}Z" if time.has_time else day


def _hex(data: bytes) -> str:
    return data.hex(" ").upper()
