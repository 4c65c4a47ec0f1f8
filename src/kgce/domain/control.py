"""Control: what the gateway may tell a device to do, and nothing beyond it."""

from typing import Protocol, runtime_checkable


@runtime_checkable
class CurrentLimiter(Protocol):
    """A source whose chargers can be told how much current they may draw."""

    def limited_devices(self) -> frozenset[str]:
        """Devices behind it that can be told."""
        ...

    async def limit_current(self, device: str, amperes: float, *, valid_s: float) -> None:
        """Let it draw at most so much for so long; then, and whenever nobody speaks to it, its fallback holds.

        Raises:
            DeviceUnreachable: it is not connected, or refused.
        """
        ...

    async def set_fallback(self, device: str, amperes: float) -> None:
        """Tell it what it may draw while nobody tells it anything.

        Raises:
            DeviceUnreachable: it is not connected, or refused.
        """
        ...
