"""Whether the device is the one its profile describes, by registers and not by its label (devices.md 1.6)."""

from collections.abc import Sequence
from typing import Final

from kgce.collectors.modbus.decode import Value, decoder
from kgce.collectors.modbus.plan import Read
from kgce.collectors.profile import Profile
from kgce.collectors.profile_device import Identify

UNREADABLE: Final = "is not there"


def identification_reads(profile: Profile) -> tuple[Read, ...]:
    """One request per rule of the profile, in its order; none where it has no rule."""
    return tuple(
        Read(rule.register_.table, rule.register_.address, rule.register_.words, ()) for rule in profile.identify
    )


def mismatch(profile: Profile, answers: Sequence[Sequence[int] | None]) -> str | None:
    """Why it is not the profile's device, in one line; None = it is, or the profile has no rule.

    `answers` are the registers of each request of `identification_reads`, None where the device refused it.
    """
    for rule, registers in zip(profile.identify, answers, strict=True):
        place = f"{rule.register_.table} register {rule.register_.address}"
        if registers is None or len(registers) != rule.register_.words:
            return _complaint(profile, f"{place} {UNREADABLE}", rule)
        value = identity_value(profile, rule, registers)
        if not rule.accepts(value):
            shown = "is not available" if value is None else f"holds {value!r}"
            return _complaint(profile, f"{place} {shown}", rule)
    return None


def identity_value(profile: Profile, rule: Identify, registers: Sequence[int]) -> Value:
    """What the registers of a rule hold."""
    decode = decoder(rule.register_.type, profile.order(rule), length=rule.register_.length)
    return decode(b"".join(register.to_bytes(2, "big") for register in registers))


def _complaint(profile: Profile, found: str, rule: Identify) -> str:
    hint = f" ({rule.note})" if rule.note else ""
    return f"not a {profile.device.brand} {profile.device.model}: {found}, expected {rule.expected}{hint}"
