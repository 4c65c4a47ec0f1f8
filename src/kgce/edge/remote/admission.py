"""Admission: whether a signed version may run here; every refusal says in one line why and what to do."""

from kgce.domain.errors import ConfigError, InputError
from kgce.edge.config import GatewayConfig
from kgce.edge.remote.change import beyond_remote, compare
from kgce.edge.remote.envelope import Payload
from kgce.edge.remote.versions import Versions


def check_address(payload: Payload, *, gateway: str, highest: int, now_ms: int) -> None:
    """For this gateway, newer than anything accepted, not too late.

    Raises:
        InputError: it is not.
    """
    if payload.gateway != gateway:
        raise InputError(f"it is for gateway {payload.gateway!r}, this is {gateway!r}")
    if payload.version <= highest:
        raise InputError(
            f"version {payload.version} is not above {highest}, the highest accepted so far; sign it as {highest + 1}"
        )
    if payload.valid_from_ms > payload.not_after_ms:
        raise InputError(f"version {payload.version} is valid at no time: it begins after its end")
    if now_ms > payload.not_after_ms:
        late_s = (now_ms - payload.not_after_ms) / 1000
        raise InputError(f"version {payload.version} expired {late_s:,.0f} s ago; sign it again")


def admitted(payload: Payload, running: GatewayConfig, versions: Versions, *, allow_control: bool) -> GatewayConfig:
    """The configuration, right as a whole and within what may come from afar.

    Raises:
        InputError: wrong, out of bounds, or not possible without a restart.
    """
    origin = f"version {payload.version}"
    try:
        config = versions.parse(payload.toml, origin=origin)
    except ConfigError as error:
        raise InputError(str(error)) from error
    beyond = beyond_remote(running, config, allow_control=allow_control)
    if beyond:
        raise InputError(f"{origin} changes what only the local file may: {', '.join(beyond)}")
    change = compare(running, config)
    if change.kind == "restart":
        names = ", ".join(change.needing_restart)
        raise InputError(f"{origin} changes what needs a restart: {names}; change the local file and restart")
    return config
