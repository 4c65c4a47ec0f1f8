"""Line: asks one thing at a time on a serial port or TCP converter.

driver --request--> Line --bytes heard so far--> find() --> answer
"""

import asyncio
import random
import time
from collections.abc import Callable
from typing import Final, TypeVar

from kgce.collectors.line.config import LineConfig
from kgce.collectors.line.wire import Wire, open_wire
from kgce.collectors.turns import LineDown
from kgce.domain.errors import DeviceUnreachable

T = TypeVar("T")

CONNECT_S: Final = 3.0
FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 30.0
SETTLE_S: Final = 0.05  # silence after which nobody is talking any more: many characters even at 1200 baud
SHOWN_BYTES: Final = 24  # of what was heard instead of an answer


class _Lost(Exception):
    """The connection went while an answer was awaited."""


class Line:
    """A line that is opened when needed, kept, and closed when an answer is missing.

    After a missing or cancelled answer a TCP connection is closed and a serial line is listened to until it is
    silent, so that a late answer is not taken for the next one (devices.md hazard 1).
    """

    def __init__(
        self,
        config: LineConfig,
        *,
        timeout_s: float,
        pause_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is opened yet; pause_s is the silence kept between an answer and the next request."""
        self._config, self._timeout_s, self._pause_s, self._clock = config, timeout_s, pause_s, clock
        self._wire: Wire | None = None
        self._is_settled = True
        self._down_until = 0.0
        self._down_s = FIRST_PAUSE_S
        self._one_at_a_time = asyncio.Lock()

    @property
    def address(self) -> str:
        """Where the line is: host:port or the serial port's name."""
        return self._config.address

    async def ask(self, request: bytes, find: Callable[[bytes], T | None], *, timeout_s: float | None = None) -> T:
        """Send a request and give all bytes heard since to `find`, until it returns an answer.

        `find` sees noise and other devices' frames too and answers None to them; what it raises ends the wait.

        Raises:
            LineDown: no connection; the next attempt waits longer and longer, at most 30 s, with jitter.
            DeviceUnreachable: no answer in time.
        """
        async with self._one_at_a_time:
            is_kept = self._wire is not None
            wire = await self._ready()
            try:
                return await self._exchange(wire, request, find, timeout_s or self._timeout_s)
            except _Lost:
                self.close()
                if not is_kept:
                    raise self._is_down(f"{self.address} closes the connection instead of answering") from None
            # it was closed while idle, which is normal: once more on a new connection (hazard 14)
            wire = await self._ready()
            try:
                return await self._exchange(wire, request, find, timeout_s or self._timeout_s)
            except _Lost:
                raise self._is_down(f"{self.address} closes the connection instead of answering") from None

    async def listen(self, request: bytes, *, for_s: float) -> bytes:
        """Send a request and return everything heard in the given time: for a search, where silence is an answer.

        Raises:
            LineDown: no connection.
        """
        heard = b""

        def keep(data: bytes) -> None:
            nonlocal heard
            heard = data

        async with self._one_at_a_time:
            wire = await self._ready()
            try:
                await self._await_answer(wire, request, keep, for_s)
            except TimeoutError:
                self._is_settled = not heard  # somebody may still be talking
                return heard
            except _Lost:
                raise self._is_down(f"{self.address} closes the connection instead of answering") from None
            except asyncio.CancelledError:
                self._unsettle()
                raise
            return heard

    async def send(self, request: bytes) -> None:
        """Send what nobody answers.

        Raises:
            LineDown: no connection.
        """
        async with self._one_at_a_time:
            wire = await self._ready()
            await asyncio.sleep(wire.write(request))

    def close(self) -> None:
        """Let the connection go; the next request opens a new one."""
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    async def _exchange(self, wire: Wire, request: bytes, find: Callable[[bytes], T | None], timeout_s: float) -> T:
        try:
            answer = await self._await_answer(wire, request, find, timeout_s)
        except TimeoutError:
            heard = _without_echo(wire.heard, request)
            self._unsettle()
            raise DeviceUnreachable(f"{self.address}: {_missing(heard)}") from None
        except asyncio.CancelledError:
            self._unsettle()
            raise
        except Exception:
            self._is_settled = False  # the finder gave up early: the rest may still come
            raise
        self._down_s = FIRST_PAUSE_S
        return answer

    async def _await_answer(self, wire: Wire, request: bytes, find: Callable[[bytes], T | None], limit_s: float) -> T:
        takes_s = wire.write(request)
        async with asyncio.timeout(limit_s + takes_s):
            while True:
                await wire.news()
                answer = find(_without_echo(wire.heard, request))
                if answer is not None:
                    return answer
                if wire.is_lost:
                    raise _Lost

    def _unsettle(self) -> None:
        """An answer may still come: on TCP it dies with the connection, on a serial line it is waited out."""
        if self._config.serial is None:
            self.close()
        self._is_settled = False

    async def _ready(self) -> Wire:
        """An open wire on which nobody speaks and nothing is left over."""
        if self._wire is not None and self._wire.is_lost:
            self.close()
        if self._wire is None:
            self._wire = await self._open()
        await self._silence(self._wire)
        return self._wire

    async def _silence(self, wire: Wire) -> None:
        """Wait for the pause between requests; after trouble until nobody talks, a babbling line being given up on."""
        needed_s = self._pause_s
        if not self._is_settled:
            needed_s, wire.busy_until = max(self._pause_s, SETTLE_S), self._clock()
        latest = self._clock() + needed_s + self._timeout_s
        while (wait_s := min(wire.busy_until + needed_s, latest) - self._clock()) > 0:  # noqa: ASYNC110 - time passing is what is waited for
            await asyncio.sleep(wait_s)
        self._is_settled = True

    async def _open(self) -> Wire:
        if self._clock() < self._down_until:
            raise LineDown(f"no connection to {self.address}, next attempt soon")
        try:
            async with asyncio.timeout(CONNECT_S):
                return await open_wire(self._config, self._clock)
        except (OSError, ValueError) as error:  # TimeoutError is an OSError
            raise self._is_down(f"no connection to {self.address}: {_reason(error)}") from error

    def _is_down(self, why: str) -> LineDown:
        """The error to raise; the next attempt waits twice as long as this one did."""
        self.close()
        self._down_until = self._clock() + self._down_s * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret
        self._down_s = min(2 * self._down_s, LONGEST_PAUSE_S)
        return LineDown(why)


def _without_echo(heard: bytearray, request: bytes) -> bytes:
    """What was heard after our own words: a two-wire adapter may repeat them (hazard 9)."""
    if heard.startswith(request):
        return bytes(heard[len(request) :])
    return b"" if request.startswith(heard) else bytes(heard)


def _missing(heard: bytes) -> str:
    if not heard:
        return "no answer in time"
    return f"no whole answer in time, only {len(heard)} bytes: {heard[:SHOWN_BYTES].hex()}"


def _reason(error: Exception) -> str:
    return "no answer in time" if isinstance(error, TimeoutError) else str(error)
