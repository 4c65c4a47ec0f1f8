"""Station: a whole gateway built from its configuration, with everything that runs beside the readings.

config --> clock, buffer, journal, checks, sources, sink --> Gateway
       --> companions: clock keeper, vigil (events), checks' memory, local page
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from kgce.collectors.drivers import build_links
from kgce.domain.control import CurrentLimiter
from kgce.domain.errors import ConfigError
from kgce.domain.ports import Sink, Source
from kgce.edge import process
from kgce.edge.checks.checks import Checks
from kgce.edge.checks.config import ChecksTable
from kgce.edge.checks.memory import CheckMemory, restore
from kgce.edge.clock.clock import GatewayClock
from kgce.edge.clock.keeper import ClockKeeper
from kgce.edge.clock.memory import ClockMemory
from kgce.edge.config import GatewayConfig, load_config
from kgce.edge.control.control import Control
from kgce.edge.ending import finished
from kgce.edge.gateway import Gateway
from kgce.edge.journal import Journal
from kgce.edge.local.run_file import RunFile
from kgce.edge.local.server import LocalServer
from kgce.edge.local.snapshot import Snapshot
from kgce.edge.reload import Reloader
from kgce.edge.uplink.backoff import Backoff
from kgce.edge.uplink.open import open_sink
from kgce.edge.uplink.ports import ParcelSink
from kgce.edge.vigil import Vigil
from kgce.edge.watchdog import Watchdog, summary, what_hangs

if TYPE_CHECKING:
    from kgce.edge.remote.remote import RemoteConfig

log: Final = logging.getLogger(__name__)

_HOUR_S: Final = 3600.0


class Station:
    """One gateway with its companions; close it after `gateway.run` has ended."""

    def __init__(
        self, config: GatewayConfig, *, file: Path | None = None, sink: Sink | ParcelSink | None = None
    ) -> None:
        """Open everything but the devices; a `sink` given here stays the caller's.

        `file` is where the configuration was read from: what `reload` reads again, and beside which versions are kept.

        Raises:
            ConfigError: another gateway holds the folder, or the sink cannot be used.
            StoreUnavailable: another process holds the store.
        """
        folder = config.gateway.folder
        folder.mkdir(parents=True, exist_ok=True)
        self.clock = _clock(config, folder)
        self.snapshot = Snapshot()
        self._buffer = config.make_buffer(self.clock.now)
        self._journal = Journal(self._buffer)
        self._own_sink: ParcelSink | None = None
        try:
            if sink is None:
                sink = self._own_sink = self._open_sink(config)
            checks = self._make_checks(config.checks)
            restore(folder, checks.restore)
            links = build_links(config.collectors, wall_clock=self.clock.now)
            self.gateway = Gateway(
                config.gateway.id,
                [source for _, source in links],
                sink,
                self._buffer,
                clock=self.clock.now,
                checks=checks,
                uplink=config.uplink,
                journal=self._journal,
                stamp=self.clock.stamp,
                make_backoff=lambda: Backoff(limit_s=config.uplink.longest_wait_s),
                observers=(self.snapshot.saw,),
            )
        except BaseException:
            self._buffer.close()
            if self._own_sink is not None:
                self._own_sink.close()
            raise
        self.reloader = Reloader(
            config,
            self.gateway,
            links,
            make_checks=self._make_checks,
            record=self._journal.record,
            clock=self.clock.now,
        )
        self._file = file
        self._remote = self._make_remote(config, file)
        self._memory = CheckMemory(folder, self.gateway)
        self._accompany(config, folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def sources(self) -> Sequence[Source]:
        """What is read now."""
        return self.gateway.fleet.sources()

    def on_sources(self, tell: Callable[[Sequence[Source]], object]) -> None:
        """Call this whenever a new configuration has changed what is read."""
        self.reloader.on_sources = tell

    async def reload(self) -> None:
        """Follow the file, whole or not at all; what is wrong with it is told, and the gateway goes on."""
        if self._file is None:
            return
        self.watchdog.reloading()
        try:
            if self._remote is not None:
                await self._remote.reload_local()
            else:
                await self.reloader.change_to(await asyncio.to_thread(self._read, self._file))
        except ConfigError as error:
            log.debug("not reloaded: %s", error)  # the reloader has told
        finally:
            self.watchdog.reloaded()

    def close(self) -> None:
        """Remember what must be remembered, then release the buffer and the sink."""
        self._memory.save()
        self.clock.close()
        self.gateway.close()
        if self._own_sink is not None:
            finished(self._own_sink.close, "sink")

    def _read(self, file: Path) -> GatewayConfig:
        try:
            return load_config(file)
        except ConfigError as error:
            self.reloader.refuse(str(error))
            raise

    def _make_remote(self, config: GatewayConfig, file: Path | None) -> "RemoteConfig | None":
        if config.remote is None or file is None:
            return None
        from kgce.edge.remote.health import health_of  # noqa: PLC0415 - 10 MB, for those who want it only
        from kgce.edge.remote.remote import RemoteConfig  # noqa: PLC0415
        from kgce.edge.remote.versions import Versions  # noqa: PLC0415

        async def apply(new: GatewayConfig) -> None:
            await self.reloader.change_to(new, origin="remote")

        return RemoteConfig(
            config.remote,
            config.gateway.id,
            Versions(config.gateway.folder, file),
            running=lambda: self.reloader.config,
            apply=apply,
            health=lambda: health_of(self.gateway.status()),
            record=self._journal.record,
            clock=self.clock.now,
        )

    def _limiters(self) -> list[CurrentLimiter]:
        return [source for source in self.sources() if isinstance(source, CurrentLimiter)]

    def _open_sink(self, config: GatewayConfig) -> ParcelSink:
        if config.sink is None:
            raise ConfigError('no [sink]; add kind = "mqtt" with host, "influxdb" with url, or "duckdb" with path')
        clock, buffer = self.clock, self._buffer
        return open_sink(
            config.sink,
            config.gateway.id,
            boot=lambda: buffer.boot,
            past_boots=lambda: buffer.past_boots,
            heard=clock.heard,
            clock=clock.now,
        )

    def _make_checks(self, table: ChecksTable) -> Checks:
        return table.make(clock=self.clock.now, is_clock_sure=lambda: self.clock.is_sure, record=self._journal.record)

    def _accompany(self, config: GatewayConfig, folder: Path) -> None:
        gateway, journal = self.gateway, self._journal
        gateway.report("clock", self.clock.status)
        gateway.report("config", self.reloader.status if self._remote is None else self._remote.status)
        if self._remote is not None:
            gateway.accompany("remote configuration", self._remote)
        self.watchdog = Watchdog(lambda: what_hangs(gateway.status()), lambda: summary(gateway.status()))
        gateway.accompany("watchdog", self.watchdog)
        gateway.report("process", process.status)
        gateway.accompany("clock", ClockKeeper(self.clock, self._buffer, journal.record, folder))
        gateway.accompany("vigil", Vigil(gateway.status, journal.record, self.clock.now))
        gateway.accompany("checks' memory", self._memory)
        if config.control is not None:
            control = Control(
                config.control,
                self.snapshot.newest,
                self._limiters,
                journal.record,
                clock=self.clock.now,
                folder=folder,
            )
            gateway.report("control", control.status)
            gateway.accompany("control", control)
        if config.local.enabled:
            run_file = RunFile(folder, int(self.clock.now() * 1000))
            page = LocalServer(config.local, gateway.status, self.snapshot, run_file, clock=self.clock.now)
            gateway.accompany("local page", page)


def _clock(config: GatewayConfig, folder: Path) -> GatewayClock:
    table = config.clock
    return GatewayClock(
        ClockMemory(folder),
        jump_limit_s=table.jump_limit_s,
        max_hold_s=table.max_hold_h * _HOUR_S,
        needs_kernel=table.trust == "kernel",
    )
