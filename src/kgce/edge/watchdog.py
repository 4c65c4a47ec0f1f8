"""Watchdog: tells systemd that the gateway runs, and stops telling when it hangs, so that it is started again.

gateway --READY, STATUS, WATCHDOG--> $NOTIFY_SOCKET      (sd_notify(3), sd_watchdog_enabled(3); nothing without systemd)
"""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

_WITHOUT_WATCHDOG_S: Final = 10.0  # how often the status line is new when systemd keeps no watch
_HOPELESS: Final = 100  # restarts without success
_MICRO: Final = 1_000_000


class Notifier:
    """The way to the service manager; does nothing where there is none."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address  # @: an abstract socket
        is_meant = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        usec = environ.get("WATCHDOG_USEC", "") if is_meant else ""
        self.watchdog_s = int(usec) / _MICRO if usec.isdigit() and int(usec) > 0 else None

    def tell(self, **fields: str | int) -> None:
        """Send `NAME=value` lines; a manager that does not listen is no fault of the gateway."""
        if not self._address:
            return
        message = "\n".join(f"{name}={str(value).replace(chr(10), ' ')}" for name, value in fields.items())
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.setblocking(False)
            line.sendto(message.encode(), self._address)


class Watchdog:
    """A companion of the gateway: pings at half the time allowed, for as long as `what_hangs` says nothing."""

    def __init__(
        self, what_hangs: Callable[[], str], summary: Callable[[], str], notifier: Notifier | None = None
    ) -> None:
        """`what_hangs` gives the reason why the gateway must be started again, or nothing; both may touch the disk."""
        self._what_hangs, self._summary = what_hangs, summary
        self._notifier = notifier or Notifier()

    async def run(self) -> None:
        """Ready, then ping until cancelled."""
        notifier = self._notifier
        notifier.tell(READY=1)
        try:
            while True:
                hangs = await asyncio.to_thread(self._what_hangs)
                summary = await asyncio.to_thread(self._summary)
                if hangs:
                    notifier.tell(STATUS=f"hangs: {hangs}")
                else:
                    notifier.tell(STATUS=summary, **({"WATCHDOG": 1} if notifier.watchdog_s else {}))
                await asyncio.sleep((notifier.watchdog_s or 2 * _WITHOUT_WATCHDOG_S) / 2)
        finally:
            notifier.tell(STOPPING=1)

    def reloading(self) -> None:
        """A new configuration is being read."""
        self._notifier.tell(RELOADING=1, MONOTONIC_USEC=time.monotonic_ns() // 1000)

    def reloaded(self) -> None:
        """It has been taken, or refused."""
        self._notifier.tell(READY=1)


def what_hangs(status: Mapping[str, Any]) -> str:
    """Why the gateway must be started again: every source dies again and again, and none has come back for long."""
    sources = status.get("sources", ())
    hopeless = [one["name"] for one in sources if one["failing"] and one["restarts"] > _HOPELESS]
    return (
        f"no source can be kept alive, {hopeless[0]} among them" if hopeless and len(hopeless) == len(sources) else ""
    )


def summary(status: Mapping[str, Any]) -> str:
    """One line for `systemctl status`."""
    devices, waiting = status["devices"], status["counters"]["waiting"]
    online = sum(one["online"] for one in devices)
    return f"{online} of {len(devices)} devices online, uplink {status['uplink']['state']}, {waiting} readings wait"
