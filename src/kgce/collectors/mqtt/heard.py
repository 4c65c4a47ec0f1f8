"""What was heard from one device over MQTT: how often, when last, why not."""

from kgce.domain.ports import DeviceStatus


class Heard:
    """A device speaks when it likes: it is offline when the broker is, or when it was silent for too long."""

    def __init__(self, institution: str, device: str, silent_after_s: float) -> None:
        """Nothing was heard yet."""
        self.institution, self.device = institution, device
        self._silent_after_ms = round(silent_after_s * 1000)
        self._messages = self._refused = 0
        self._first_ms = self._last_ms = 0  # of the present spell without silence
        self._last_error = ""
        self._left_ms: int | None = None  # when it, or its will, said that it is away

    def message(self, now_ms: int, *, refused: tuple[str, ...], has_rows: bool) -> None:
        """One message came; rows of one that was not kept prove that the device lives (devices.md hazard 44)."""
        self._messages += 1
        if refused:
            self._refused += 1
            self._last_error = refused[0]
        if has_rows:
            self._alive(now_ms)

    def said(self, *, online: bool, now_ms: int) -> None:
        """The device's own status topic: a birth, a leave, or its will."""
        if online:
            self._alive(now_ms)
        elif self._left_ms is None:
            self._left_ms = now_ms

    def _alive(self, now_ms: int) -> None:
        if self._left_ms is not None or now_ms - self._last_ms > self._silent_after_ms:
            self._first_ms = now_ms
        self._last_ms, self._left_ms = now_ms, None

    def not_subscribed(self, error: str) -> None:
        """The broker refuses the topic."""
        self._last_error = error

    def status(self, now_ms: int, *, broker_since_ms: int, broker_error: str) -> DeviceStatus:
        """State now; failures are messages of which something was refused."""
        silent = now_ms - self._last_ms > self._silent_after_ms
        online = not silent and not broker_error and self._left_ms is None
        if online:
            since_ms = max(self._first_ms, broker_since_ms)
        elif self._left_ms is not None and not broker_error:
            since_ms = self._left_ms
        elif silent and self._last_ms:
            since_ms = self._last_ms + self._silent_after_ms
        else:
            since_ms = broker_since_ms
        return DeviceStatus(
            device=self.device,
            institution=self.institution,
            online=online,
            since_ms=since_ms,
            polls=self._messages,
            failures=self._refused,
            last_error=broker_error or self._last_error,
        )
