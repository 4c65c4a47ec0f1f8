"""RemoteConfig: takes signed versions from the broker, applies them on trial, undoes what makes the gateway worse.

broker --desired--> unseal --> check_address --> admitted --> keep on disk --> apply --> Trial --> kept
                      |refused     |refused         |refused      (a reload)      `--> worse: the one before is applied
                      `------------`----------------`--> report (retained), event

A power cut at any moment leaves a record from which `start_version` knows what may run.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final

from kgce.domain.errors import ConfigError, InputError, NeverWorks
from kgce.domain.events import RecordEvent
from kgce.edge.config import GatewayConfig
from kgce.edge.remote.admission import admitted, check_address
from kgce.edge.remote.change import Change, compare
from kgce.edge.remote.config import RemoteTable
from kgce.edge.remote.envelope import Signed, unseal
from kgce.edge.remote.health import Health
from kgce.edge.remote.line import Line
from kgce.edge.remote.news import News
from kgce.edge.remote.record import LOCAL, Refused
from kgce.edge.remote.standing import Standing
from kgce.edge.remote.trial import Outcome, Proven, Trial
from kgce.edge.remote.versions import Versions, rolled_back

log: Final = logging.getLogger(__name__)

Apply = Callable[[GatewayConfig], Awaitable[None]]

_LOOKS: Final = 20  # at the health, per probation, and at least one a second
_MOST_WAITING: Final = 16  # messages; the desired state is one, more is noise


class RemoteConfig:
    """The gateway's side of remote configuration; its `run` is a companion of the gateway."""

    def __init__(
        self,
        table: RemoteTable,
        gateway_id: str,
        versions: Versions,
        *,
        running: Callable[[], GatewayConfig],
        apply: Apply,
        health: Callable[[], Health],
        record: RecordEvent,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`apply` changes the running gateway wholly, or raises and has changed nothing."""
        self._table = table
        self._keys = table.public_keys
        self._gateway_id = gateway_id
        self._versions = versions
        self._running = running
        self._apply = apply
        self._health = health
        self._trial: Trial | None = None
        self._inbox: deque[bytes] = deque(maxlen=_MOST_WAITING)
        self._one_at_a_time = asyncio.Lock()
        self._line = Line(table, gateway_id, self._inbox.append)
        self._news = News(record, clock)
        self._standing = Standing(gateway_id, versions, self._news, publish=self._line.report, clock=clock)

    def status(self) -> dict[str, Any]:
        """What runs, what was refused, and whether the broker is there."""
        return {**self._standing.status(), "connected": self._line.is_open, "last_error": self._line.last_error}

    async def run(self) -> None:
        """Listen, try, keep or undo, until cancelled."""
        await self._standing.tell_of_the_start()
        stopping = threading.Event()
        line = asyncio.create_task(asyncio.to_thread(self._line.run, stopping), name="remote line")
        work = asyncio.create_task(self._work(), name="remote work")
        try:
            done, _ = await asyncio.wait({line, work}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            stopping.set()
            work.cancel()
            await asyncio.gather(line, work, return_exceptions=True)

    async def reload_local(self) -> Change:
        """The local operator wants the local file: it runs from here on, without a trial.

        Raises:
            ConfigError: it is wrong, or changes what needs a restart; everything stays as it was.
        """
        async with self._one_at_a_time:
            return await self._choose(LOCAL)

    async def _work(self) -> None:
        look_s = min(1.0, self._table.probation_s / _LOOKS)
        while True:
            async with self._one_at_a_time:
                while self._inbox:
                    await self._desired(self._inbox.popleft())
                await self._due()
                await self._wanted()
                await self._look()
            await asyncio.sleep(look_s)

    async def _desired(self, envelope: bytes) -> None:
        """One message of the broker; what was decided on before is not decided on again."""
        try:
            signed = unseal(envelope, self._keys, max_bytes=self._table.max_kb * 1024)
        except InputError as error:
            self._standing.refuse_stranger(str(error))
            return
        if not self._standing.is_decided(signed):
            await self._take(signed)

    async def _due(self) -> None:
        signed = self._standing.waiting
        if signed is not None and self._standing.now_ms() >= signed.payload.valid_from_ms:
            self._standing.waiting = None
            await self._take(signed)

    async def _take(self, signed: Signed) -> None:
        payload, now_ms = signed.payload, self._standing.now_ms()
        try:
            check_address(payload, gateway=self._gateway_id, highest=self._standing.record.highest, now_ms=now_ms)
            if now_ms < payload.valid_from_ms:
                self._standing.waiting = signed
                self._standing.report()
                return
            allow_control = self._table.allow_control
            config = await asyncio.to_thread(
                admitted, payload, self._running(), self._versions, allow_control=allow_control
            )
            await self._try(signed, config)
        except InputError as error:
            await self._standing.refuse(Refused(str(error), self._standing.now_ms(), payload.version, signed.digest))

    async def _try(self, signed: Signed, config: GatewayConfig) -> None:
        """On disk first, then in force: whatever happens in between, the next start knows what to do.

        Raises:
            InputError: it could not be kept or applied; what ran before runs.
        """
        version, before = signed.payload.version, self._standing.record
        what = compare(self._running(), config).what
        proven = self._trial.proven if self._trial else await self._proven()
        seen = replace(before, highest=version, highest_digest=signed.digest)
        on_trial = replace(
            seen, running=version, previous=proven.version, on_trial=True, since_ms=self._standing.now_ms()
        )
        try:
            await asyncio.to_thread(self._versions.keep, version, signed.payload.toml)
            await asyncio.to_thread(self._versions.save, on_trial)
        except OSError as error:
            raise InputError(f"version {version} cannot be kept on disk: {error}") from error
        try:
            await self._follow(config, f"version {version}")
        except InputError:
            await self._standing.keep(seen)
            raise
        self._standing.record, self._standing.waiting = on_trial, None
        self._trial = Trial(proven, began_s=time.monotonic(), lasts_s=self._table.probation_s)
        self._news.applied(version, what, key=signed.key, on_trial_s=self._table.probation_s)
        self._standing.report()

    async def _follow(self, config: GatewayConfig, name: str) -> None:
        """Apply it.

        Raises:
            InputError: it could not be, for whatever reason; what ran before runs.
        """
        try:
            await self._apply(config)
        except Exception as error:
            if not isinstance(error, ConfigError):
                log.exception("%s could not be applied", name)
            raise InputError(f"{name} could not be applied: {str(error) or repr(error)}") from error

    async def _proven(self) -> Proven:
        return Proven(self._standing.record.running, self._running(), await asyncio.to_thread(self._health))

    async def _look(self) -> None:
        """Whether the version on trial does harm."""
        if self._trial is None:
            return
        outcome = self._trial.look(await asyncio.to_thread(self._health), time.monotonic())
        if outcome is Outcome.FAILED:
            await self._roll_back(self._trial.proven, self._trial.worse)
        elif outcome is Outcome.PASSED:
            self._trial = None
            await self._standing.keep(replace(self._standing.record, on_trial=False))
            self._news.kept(self._standing.record.running)
            self._standing.report()
            await asyncio.to_thread(self._versions.forget_old, self._standing.record)

    async def _roll_back(self, proven: Proven, reason: str) -> None:
        record = rolled_back(self._standing.record, reason, self._standing.now_ms())
        self._trial = None
        await self._standing.keep(record)
        try:
            await self._follow(proven.config, "what ran before")
        except InputError as error:
            self._news.stuck(proven.version, str(error))
        if record.refused is not None:
            self._news.rolled_back(record.refused, proven.version)
        self._standing.report()

    async def _wanted(self) -> None:
        """What `kgce edge config rollback` left for us."""
        version = await asyncio.to_thread(self._versions.wanted)
        if version is None:
            return
        with contextlib.suppress(ConfigError):  # told already
            await self._choose(version)
        await asyncio.to_thread(self._versions.forget_wanted)

    async def _choose(self, version: int) -> Change:
        """The local operator's choice, from now on.

        Raises:
            ConfigError: it cannot run; it is told, and everything stays as it was.
        """
        try:
            config = await asyncio.to_thread(self._versions.config, version)
            change = compare(self._running(), config)
            if change.kind == "restart":
                names = ", ".join(change.needing_restart)
                raise ConfigError(f"{self._versions.path(version)}: {names}: needs a restart of the gateway")
            if change.kind == "reload":
                await self._follow(config, str(self._versions.path(version)))
        except NeverWorks as error:
            await self._standing.refuse(Refused(str(error), self._standing.now_ms(), version))
            raise ConfigError(str(error)) from error
        previous = self._trial.proven.version if self._trial else self._standing.record.running
        self._trial = self._standing.waiting = None
        chosen = replace(self._standing.record, running=version, previous=previous, on_trial=False)
        digest = await asyncio.to_thread(self._versions.local_digest)
        await self._standing.keep(replace(chosen, since_ms=self._standing.now_ms(), local_digest=digest))
        self._news.local(version)
        self._standing.report()
        return change
