"""What kgce's decoders say to a vector of each protocol, in the vector's own terms.

An answer holds every field that the vector expects; `decision` answers an expected `action` (see meanings.py).
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.vectors.answers import images, mbus, meters, modbus, mqtt, registers, sparkplug

Answer = Callable[[Mapping[str, Any]], dict[str, Any]]

ANSWERS: Final[dict[str, Answer]] = {
    "register-decode": registers.decoded,
    "device-image": images.read,
    "modbus-pdu": modbus.answered,
    "modbus-rtu": modbus.answered,
    "modbus-ascii": modbus.answered,
    "modbus-tcp": modbus.answered,
    "dlt645-2007": meters.dlt,
    "dlt645-1997": meters.dlt,
    "cjt188": meters.cjt,
    "mbus": mbus.answered,
    "sparkplug-b": sparkplug.answered,
    "mqtt-json": mqtt.answered,
}
