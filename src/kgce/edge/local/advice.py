"""Advice: what a technician can do about an error, by the words of it. The first that fits is given."""

from typing import Final

_DEVICE: Final[tuple[tuple[tuple[str, ...], str], ...]] = (
    (("certificate",), "renew the certificate, and check the clocks on both sides"),
    (("another device", "answers instead", "stranger"), "another device has this address: check wiring and address"),
    (
        ("illegal", "exceptions only", "refuses everything"),
        "the profile does not fit this device: run kgce scan on its line",
    ),
    (("refused", "cannot listen"), "the converter or port is closed: check its power, its address and its port"),
    (
        ("no such file", "no such device", "could not open port"),
        "the serial adapter is gone: check the plug and the path",
    ),
    (("permission",), "the gateway may not open the port: add its user to the group dialout"),
    (
        ("nobody answers", "no connection", "unreachable", "no route"),
        "check the network cable and power of the converter, and its address",
    ),
    (
        ("has no unit", "silent", "no answer", "time", "half"),
        "check the device's power, its two bus wires, its address",
    ),
    (("busy",), "the device is busy: another program may be asking it, or ask it less often"),
    (("not authorised", "password", "credential"), "check the user name and the password's environment variable"),
)
_UPLINK: Final[tuple[tuple[tuple[str, ...], str], ...]] = (
    (("certificate", "tls", "ssl"), "renew or install the certificate, and check the clocks on both sides"),
    (("not authori", "password", "credential", "401", "403"), "check the user name and the password of [sink]"),
    (
        ("no receipt", "does not answer in time"),
        "the broker is there but no centre answers: check kgce ingest and its store",
    ),
    (("subscrib",), "no centre listens to this gateway: start kgce ingest at the centre"),
    (("refused", "111"), "the broker or database is not running, or its port is wrong: check [sink]"),
    (
        ("name or service", "resolve", "getaddrinfo"),
        "the name cannot be found: check [sink] host, the DNS and the network",
    ),
    (("locked", "another process"), "another program holds the store's file: stop it"),
    (("disk", "space"), "the store has no space left: free some"),
)


def for_device(error: str) -> str:
    """What to do about a device's error."""
    return _first(_DEVICE, error) or "check its power, its wiring and its address; then: kgce edge check FILE --connect"


def for_uplink(error: str) -> str:
    """What to do about the uplink's error."""
    return (
        _first(_UPLINK, error)
        or "check the network between here and the centre; nothing is lost while the buffer lasts"
    )


def _first(table: tuple[tuple[tuple[str, ...], str], ...], error: str) -> str:
    text = error.lower()
    return next((advice for words, advice in table if any(word in text for word in words)), "")
