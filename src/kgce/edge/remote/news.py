"""News: what remote configuration did, as events and as the report at the broker."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from kgce import __version__
from kgce.domain.events import Event, RecordEvent, Severity
from kgce.edge.remote.record import LOCAL, Record, Refused


class News:
    """Makes events of one gateway's configuration."""

    def __init__(self, record: RecordEvent, clock: Callable[[], float]) -> None:
        self._record = record
        self._clock = clock

    def applied(self, version: int, what: tuple[str, ...], *, key: str, on_trial_s: float) -> None:
        """A signed version runs, on trial."""
        text = f"configuration version {version} runs on trial for {on_trial_s:g} s"
        self._tell("config.applied", Severity.INFO, text, version=version, changed=list(what), key=key)

    def kept(self, version: int) -> None:
        """It did no harm."""
        self._tell("config.kept", Severity.INFO, f"configuration version {version} stays", version=version)

    def refused(self, refused: Refused) -> None:
        """It does not run, and the one before goes on."""
        text = f"a configuration was refused: {refused.reason}"
        self._tell("config.refused", Severity.WARNING, text, version=refused.version, reason=refused.reason)

    def rolled_back(self, refused: Refused, to: int) -> None:
        """It ran and was taken back."""
        text = f"configuration version {refused.version} was taken back, {_name(to)} runs again: {refused.reason}"
        self._tell(
            "config.rolled_back", Severity.ALARM, text, version=refused.version, running=to, reason=refused.reason
        )

    def stuck(self, to: int, error: str) -> None:
        """Taking it back did not work."""
        text = f"{_name(to)} could not be brought back ({error}): restart the gateway, it starts with it"
        self._tell("config.stuck", Severity.ALARM, text, running=to, error=error)

    def local(self, version: int) -> None:
        """Somebody beside the gateway chose."""
        text = f"the local operator chose {_name(version)}"
        self._tell("config.local", Severity.INFO, text, version=version)

    def _tell(self, name: str, severity: Severity, text: str, **evidence: Any) -> None:
        self._record(Event(name, int(self._clock() * 1000), "gateway", severity, text, evidence))


def report(gateway: str, record: Record, now_ms: int, waiting: Mapping[str, int] | None) -> bytes:
    """What stands, retained, at the broker for the centre to see."""
    return orjson.dumps({"gateway": gateway, "at_ms": now_ms, "software": __version__, **summary(record, waiting)})


def summary(record: Record, waiting: Mapping[str, int] | None = None) -> dict[str, Any]:
    """What runs, since when, and what was refused, fit for JSON."""
    refused = record.refused
    return {
        "version": record.running,
        "origin": "file" if record.running == LOCAL else "remote",
        "since_ms": record.since_ms,
        "on_trial": record.on_trial,
        "highest": record.highest,
        "waiting": dict(waiting) if waiting else None,
        "refused": {"at_ms": refused.at_ms, "reason": refused.reason, "version": refused.version} if refused else None,
    }


def _name(version: int) -> str:
    return "the local file" if version == LOCAL else f"configuration version {version}"
