"""The quantity a number without a unit is: codes, states, counts, identities."""

from typing import Final

from kgce.collectors.profile_import.given import Given
from kgce.domain.quantities import QUANTITIES

_CODES: Final = (  # (quantity, words that show it, words it stands for); the first that fits
    ("power_factor", {"pf", "cos", "cosphi"}, {"pf", "cos", "cosphi", "phi"}),
    ("startups", {"starts", "startups", "cycles", "ignitions"}, {"starts", "startups", "cycles", "ignitions"}),
    ("error_code", {"error", "errors", "fault", "faults", "lockout", "alarm", "alarms", "warning", "info"},
     {"error", "errors", "code"}),
    ("heartbeat", {"heartbeat", "lifebit", "alive", "watchdog"}, {"heartbeat"}),
    ("serial_number", {"serial", "id", "meterid"}, {"serial", "number", "id"}),
    ("firmware_version", {"firmware", "software", "version", "hardware"}, {"firmware", "version"}),
    ("user_id", {"rfid", "user", "evid", "tag", "uid"}, {"user", "id"}),
    ("device_model", {"model", "product", "brand", "type", "identification", "manufacturer", "vendor", "name",
                      "device"},
     {"model", "device"}),
    ("device_time", {"timestamp", "date", "clock", "stamp"}, {"timestamp", "time", "stamp"}),
    ("cable_state", {"cable", "plug"}, {"cable", "state"}),
    ("burner_state", {"burner"}, {"burner", "state"}),
    ("signal_quality", {"quality", "rssi"}, {"signal", "quality"}),
    ("phase_count", {"phases"}, {"number", "phases"}),
    ("other_count", {"counter", "count", "pulses", "pulse"}, {"count", "counter"}),
    ("state", {"state", "status", "mode", "flags", "bits", "source", "enable", "presence", "cause", "lock", "switch",
               "control", "layout", "demand", "relay", "input", "output", "contact", "position", "trigger"}, {"state"}),
)  # fmt: skip
_UNIT_CODES: Final = {"energy": "energy_unit", "power": "power_unit", "volume": "volume_unit", "flow": "flow_unit",
                      "temperature": "temperature_unit", "pressure": "pressure_unit"}  # fmt: skip


def quantity_without_unit(given: Given) -> tuple[str, set[str]]:
    """(quantity, the words it stands for) of a number without a unit."""
    if given.has("unit", "units"):
        for word, quantity in _UNIT_CODES.items():
            if word in given.words:
                return quantity, {"unit", "units", "enum", word}
        return "state", set()
    if given.words[-2:] == ("meter", "number"):
        return "serial_number", {"meter", "number"}
    if given.has("application", "setting", "parameter", "ratio"):
        return "device_setting", {"setting", "parameter"}
    for quantity, shown, used in _CODES:
        if shown & set(given.words):
            return quantity, used
    return "other_value", set()


def quantity_of_text(given: Given) -> tuple[str, set[str]]:
    """(quantity, the words it stands for) of a text."""
    for quantity, shown, used in _CODES:
        if shown & set(given.words) and QUANTITIES[quantity].kind == "state":
            return quantity, used | {"text"}
    return "state", {"text"}
