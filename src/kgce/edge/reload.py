"""Reloader: a running gateway follows a new configuration: whole, or not at all.

new --compare--> needs a restart? refused.  new sources built --> checks, rates, fleet.run_only
A link that did not change keeps its source, its connection and its schedule: no poll is lost.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from kgce.collectors.drivers import Link, build_source, links
from kgce.domain.errors import ConfigError
from kgce.domain.events import Event, RecordEvent, Severity
from kgce.domain.ports import Source
from kgce.edge.checks.checks import Checks
from kgce.edge.checks.config import ChecksTable
from kgce.edge.config import GatewayConfig
from kgce.edge.gateway import Gateway
from kgce.edge.remote.change import Change, compare

log: Final = logging.getLogger(__name__)


class Reloader:
    """What runs, and how it changes."""

    def __init__(
        self,
        config: GatewayConfig,
        gateway: Gateway,
        sources: Sequence[tuple[Link, Source]],
        *,
        make_checks: Callable[[ChecksTable], Checks],
        record: RecordEvent,
        clock: Callable[[], float] = time.time,
        origin: str = "file",
    ) -> None:
        self._config, self._gateway, self._sources = config, gateway, list(sources)
        self._make_checks, self._record, self._clock = make_checks, record, clock
        self._origin, self._since_ms = origin, int(clock() * 1000)
        self._refused: dict[str, Any] | None = None
        self.on_sources: Callable[[Sequence[Source]], object] = lambda _sources: None

    @property
    def config(self) -> GatewayConfig:
        """What runs now."""
        return self._config

    async def change_to(self, new: GatewayConfig, *, origin: str = "file") -> Change:
        """Follow it; what differs.

        Raises:
            ConfigError: it needs a restart, or a source cannot be built; everything runs on as it was.
        """
        change = compare(self._config, new)
        try:
            _require_reload(change)
            if change.kind == "reload":
                await self._follow(new)
        except ConfigError as error:
            self.refuse(str(error))
            raise
        self._config, self._origin, self._refused = new, origin, None
        self._since_ms = int(self._clock() * 1000)
        if change.what:
            text = f"the gateway follows a new configuration: {', '.join(change.what)}"
            self._tell("config.changed", Severity.INFO, text, what=list(change.what), origin=origin)
        return change

    def refuse(self, reason: str) -> None:
        """A configuration was not even fit to be compared."""
        self._refused = {"at_ms": int(self._clock() * 1000), "reason": reason}
        text = f"a new configuration is refused, the old one goes on: {reason}"
        self._tell("config.refused", Severity.WARNING, text, reason=reason)

    def status(self) -> dict[str, Any]:
        """Where the running configuration is from, since when, and what was refused last."""
        return {"version": 0, "origin": self._origin, "since_ms": self._since_ms, "refused": self._refused}

    async def _follow(self, new: GatewayConfig) -> None:
        free = list(self._sources)
        sources: list[tuple[Link, Source]] = []
        for link in links(new.collectors):
            known = next((one for one in free if one[0] == link), None)
            if known is not None:
                free.remove(known)
            sources.append(known or (link, build_source(link, wall_clock=self._clock)))
        if new.checks != self._config.checks:
            self._gateway.replace_checks(self._make_checks(new.checks))
        if new.uplink != self._config.uplink:
            self._gateway.retune(new.uplink)
        self._sources = sources
        running = [source for _, source in sources]
        await self._gateway.fleet.run_only(running)
        self.on_sources(running)

    def _tell(self, event_id: str, severity: Severity, text: str, **evidence: Any) -> None:
        self._record(Event(event_id, int(self._clock() * 1000), "gateway", severity, text, evidence))


def _require_reload(change: Change) -> None:
    if change.kind == "restart":
        raise ConfigError(f"{', '.join(change.needing_restart)}: takes a restart of the gateway; nothing was changed")
