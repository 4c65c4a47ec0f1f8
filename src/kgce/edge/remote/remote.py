"""RemoteConfig: takes signed versions from the broker, applies them on trial, undoes what makes the gateway worse.

broker --desired--> unseal --> check_address --> admitted --> keep on disk --> apply --> Trial --> kept
                      |refused     |refused         |refused      (a reload)      `--> worse: the one before is applied
                      `------------`----------------`--> report (retained), event

A power cut at any moment leaves a record from which `start_version` knows what may run.
"""

import asyncio
import logging
import math
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final

from kgce.domain.errors import ConfigError, InputError
from kgce.domain.events import RecordEvent
from kgce.edge.config import GatewayConfig
from kgce.edge.remote.admission import admitted, check_address
from kgce.edge.remote.change import Change, compare
from kgce.edge.remote.config import RemoteTable
from kgce.edge.remote.envelope import Signed, unseal
from kgce.edge.remote.health import Health
from kgce.edge.remote.line import Line
from kgce.edge.remote.news import News, report, summary
from kgce.edge.remote.record import LOCAL, Record, Refused
from kgce.edge.remote.trial import Outcome, Proven, Trial
from kgce.edge.remote.versions import Versions, rolled_back

log: Final = logging.getLogger(__name__)

Apply = Callable[[GatewayConfig], Awaitable[None]]

_LOOKS: Final = 20  # at the health, per probation, and at least one a second
_MOST_WAITING: Final = 16  # messages; the desired state is one, more is noise
_STRANGER_S: Final = 60.0  # between two events about envelopes nobody we know has signed


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
        self._clock = clock
        self._news = News(record, clock)
        self._record: Record = versions.load()
        self._trial: Trial | None = None
        self._waiting: Signed | None = None  # good, but valid later
        self._inbox: deque[bytes] = deque(maxlen=_MOST_WAITING)
        self._one_at_a_time = asyncio.Lock()
        self._stranger: Refused | None = None  # the last envelope that nobody we know has signed
        self._stranger_s = -math.inf
        self._line = Line(table, gateway_id, self._inbox.append)

    def status(self) -> dict[str, Any]:
        """What runs, what was refused, and whether the broker is there."""
        return {
            **summary(self._shown(), self._waits()),
            "connected": self._line.is_open,
            "last_error": self._line.last_error,
        }

    async def run(self) -> None:
        """Listen, try, keep or undo, until cancelled."""
        await self._tell_of_the_start()
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
            self._refuse_stranger(str(error))
            return
        if not self._is_decided(signed):
            await self._take(signed)

    async def _due(self) -> None:
        if self._waiting is not None and self._now_ms() >= self._waiting.payload.valid_from_ms:
            signed, self._waiting = self._waiting, None
            await self._take(signed)

    async def _take(self, signed: Signed) -> None:
        payload = signed.payload
        try:
            check_address(payload, gateway=self._gateway_id, highest=self._record.highest, now_ms=self._now_ms())
            if self._now_ms() < payload.valid_from_ms:
                self._waiting = signed
                self._report()
                return
            allow_control = self._table.allow_control
            config = await asyncio.to_thread(
                admitted, payload, self._running(), self._versions, allow_control=allow_control
            )
            await self._try(signed, config)
        except InputError as error:
            refused = Refused(str(error), self._now_ms(), payload.version, signed.digest)
            await self._save(replace(self._record, refused=refused))
            self._news.refused(refused)
            self._report()

    async def _try(self, signed: Signed, config: GatewayConfig) -> None:
        """On disk first, then in force: whatever happens in between, the next start knows what to do.

        Raises:
            InputError: it could not be kept or applied; what ran before runs.
        """
        version, before = signed.payload.version, self._record
        what = compare(self._running(), config).what
        proven = self._trial.proven if self._trial else await self._proven()
        seen = replace(before, highest=version, highest_digest=signed.digest)
        on_trial = replace(seen, running=version, previous=proven.version, on_trial=True, since_ms=self._now_ms())
        try:
            await asyncio.to_thread(self._versions.keep, version, signed.payload.toml)
            await asyncio.to_thread(self._versions.save, on_trial)
        except OSError as error:
            raise InputError(f"version {version} cannot be kept on disk: {error}") from error
        try:
            await self._apply(config)
        except Exception as error:
            await self._save(seen)
            if not isinstance(error, ConfigError):
                log.exception("version %d could not be applied", version)
            raise InputError(f"version {version} could not be applied: {str(error) or repr(error)}") from error
        self._record, self._waiting = on_trial, None
        self._trial = Trial(proven, began_s=time.monotonic(), lasts_s=self._table.probation_s)
        self._news.applied(version, what, key=signed.key, on_trial_s=self._table.probation_s)
        self._report()

    async def _proven(self) -> Proven:
        return Proven(self._record.running, self._running(), await asyncio.to_thread(self._health))

    async def _look(self) -> None:
        """Whether the version on trial does harm."""
        if self._trial is None:
            return
        outcome = self._trial.look(await asyncio.to_thread(self._health), time.monotonic())
        if outcome is Outcome.FAILED:
            await self._roll_back(self._trial.proven, self._trial.worse)
        elif outcome is Outcome.PASSED:
            self._trial = None
            await self._save(replace(self._record, on_trial=False))
            await asyncio.to_thread(self._versions.forget_old, self._record)
            self._news.kept(self._record.running)
            self._report()

    async def _roll_back(self, proven: Proven, reason: str) -> None:
        record = rolled_back(self._record, reason, self._now_ms())
        self._trial = None
        await self._save(record)
        try:
            await self._apply(proven.config)
        except Exception as error:
            log.exception("the version before could not be applied")
            self._news.stuck(proven.version, str(error) or repr(error))
        if record.refused is not None:
            self._news.rolled_back(record.refused, proven.version)
        self._report()

    async def _wanted(self) -> None:
        """What `kgce edge config rollback` left for us."""
        version = await asyncio.to_thread(self._versions.wanted)
        if version is None:
            return
        try:
            await self._choose(version)
        except ConfigError as error:
            refused = Refused(str(error), self._now_ms(), version)
            await self._save(replace(self._record, refused=refused))
            self._news.refused(refused)
            self._report()
        await asyncio.to_thread(self._versions.forget_wanted)

    async def _choose(self, version: int) -> Change:
        config = await asyncio.to_thread(self._versions.config, version)
        change = compare(self._running(), config)
        if change.kind == "restart":
            names = ", ".join(change.needing_restart)
            raise ConfigError(
                f"{self._versions.path(version)}: needs a restart of the gateway: {names}; nothing changed"
            )
        if change.kind == "reload":
            await self._apply(config)
        previous = self._trial.proven.version if self._trial else self._record.running
        self._trial = self._waiting = None
        chosen = replace(self._record, running=version, previous=previous, on_trial=False)
        digest = await asyncio.to_thread(self._versions.local_digest)
        await self._save(replace(chosen, since_ms=self._now_ms(), local_digest=digest))
        self._news.local(version)
        self._report()
        return change

    def _is_decided(self, signed: Signed) -> bool:
        """The broker retains what it was sent: after each reconnect the same comes again."""
        refused, digest = self._record.refused, signed.digest
        waiting = self._waiting.digest if self._waiting else ""
        return digest in {self._record.highest_digest, refused.digest if refused else "", waiting}

    def _refuse_stranger(self, reason: str) -> None:
        """Nobody we know: it costs neither the disk nor the list of events anything."""
        self._stranger = Refused(reason, self._now_ms())
        self._report()
        if time.monotonic() - self._stranger_s >= _STRANGER_S:
            self._stranger_s = time.monotonic()
            self._news.refused(self._stranger)

    async def _tell_of_the_start(self) -> None:
        """What `start_version` decided before anybody could be told."""
        record = self._record
        if record.untold == "rolled back" and record.refused is not None:
            self._news.rolled_back(record.refused, record.running)
        elif record.untold == "local":
            self._news.local(record.running)
        if record.untold:
            await self._save(replace(record, untold=""))
        self._report()

    async def _save(self, record: Record) -> None:
        """Remember; a disk that takes nothing costs the memory after the next start, not the present."""
        self._record = record
        try:
            await asyncio.to_thread(self._versions.save, record)
        except OSError as error:
            log.warning("the record of versions cannot be saved: %s", error)

    def _report(self) -> None:
        self._line.report(report(self._gateway_id, self._shown(), self._now_ms(), self._waits()))

    def _shown(self) -> Record:
        stranger, refused = self._stranger, self._record.refused
        if stranger is None or (refused is not None and refused.at_ms >= stranger.at_ms):
            return self._record
        return replace(self._record, refused=stranger)

    def _waits(self) -> dict[str, int] | None:
        if self._waiting is None:
            return None
        payload = self._waiting.payload
        return {"version": payload.version, "valid_from_ms": payload.valid_from_ms}

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)
