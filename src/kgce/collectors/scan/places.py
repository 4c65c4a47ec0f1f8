"""Where to look: a host, a range of hosts, or a serial port, as a person writes it."""

import ipaddress
import re
from typing import Any, Final

from kgce.domain.errors import InputError

MOST_HOSTS: Final = 1024
_RANGE: Final = re.compile(r"^(\d+\.\d+\.\d+\.)(\d+)-(\d+)$")
_UNITS: Final = re.compile(r"^\d+(-\d+)?(,\d+(-\d+)?)*$")


def places(where: str, usual_port: int) -> list[dict[str, Any]]:
    """`{host, port}` or `{serial}` of each line: 10.0.0.5, 10.0.0.5:5020, 10.0.0.10-40, 10.0.0.0/28, /dev/ttyUSB0.

    Raises:
        InputError: it is none of them, or too many hosts.
    """
    if where.startswith(("/", "COM")):
        return [{"serial": where}]
    host, port = where, usual_port
    head, colon, tail = where.rpartition(":")
    if colon:
        if not tail.isdecimal() or not 0 < int(tail) <= 65_535:  # noqa: PLR2004 - the largest port there is
            raise InputError(f"{where}: {tail!r} is no port")
        host, port = head, int(tail)
    return [{"host": one, "port": port} for one in _hosts(host)]


def _hosts(text: str) -> list[str]:
    found = _RANGE.match(text)
    if found is not None:
        first, last = int(found[2]), int(found[3])
        if not 0 <= first <= last <= 255:  # noqa: PLR2004 - a byte
            raise InputError(f"{text}: the range must rise and end at 255 at most")
        return [f"{found[1]}{number}" for number in range(first, last + 1)]
    if "/" in text:
        try:
            hosts = ipaddress.ip_network(text, strict=False)
        except ValueError as error:
            raise InputError(f"{text}: {error}") from None
        if hosts.num_addresses > MOST_HOSTS:
            raise InputError(f"{text}: {hosts.num_addresses} addresses are too many; {MOST_HOSTS} at most")
        return [str(one) for one in hosts.hosts()] or [str(hosts.network_address)]
    if not text:
        raise InputError("say where to look: a host, a range of hosts or a serial port")
    return [text]


def units_of(text: str) -> list[int]:
    """Unit ids written like 1-32,100.

    Raises:
        InputError: no such list, or a number above 255.
    """
    if not _UNITS.match(text):
        raise InputError(f"units {text!r}: write them like 1-32,100")
    units: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        units += range(int(first), int(last or first) + 1)
    if not units or max(units) > 255:  # noqa: PLR2004 - a byte
        raise InputError(f"units {text!r}: rising numbers from 0 to 255")
    return list(dict.fromkeys(units))
