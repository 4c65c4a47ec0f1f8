"""State of one device: online since when, how often it failed; logged once per change."""

import logging

from kgce.domain.ports import DeviceStatus

LOG = logging.getLogger(__name__)


class DeviceState:
    """Counts polls and failures, and tells the log when a device goes and when it returns."""

    def __init__(self, institution: str, device: str) -> None:
        """Unknown until the first poll."""
        self.institution, self.device = institution, device
        self.polls = self.failures = self.missed_ticks = 0
        self._online: bool | None = None
        self._since_ms = 0
        self._last_error = ""

    def answered(self, now_ms: int) -> None:
        """The device gave a whole answer."""
        self.polls += 1
        if self._online is not True:
            if self._online is False:
                LOG.warning("%s %s is back", self.institution, self.device)
            self._online, self._since_ms, self._last_error = True, now_ms, ""

    def failed(self, error: str, now_ms: int) -> None:
        """The device did not answer."""
        self.polls += 1
        self.failures += 1
        self._last_error = error
        if self._online is not False:
            LOG.warning("%s %s is silent: %s", self.institution, self.device, error)
            self._online, self._since_ms = False, now_ms

    def status(self) -> DeviceStatus:
        """What others may know."""
        return DeviceStatus(
            device=self.device,
            institution=self.institution,
            online=self._online is True,
            since_ms=self._since_ms,
            polls=self.polls,
            failures=self.failures,
            missed_ticks=self.missed_ticks,
            last_error=self._last_error,
        )
