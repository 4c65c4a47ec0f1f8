"""A gateway reduced to what remote configuration touches, and a centre that signs and publishes."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kgce.collectors.mqtt.broker_config import SecureBrokerConfig
from kgce.collectors.uplink.connection import Connection
from kgce.domain.events import Event
from kgce.edge.config import GatewayConfig, load_config
from kgce.edge.remote.config import RemoteTable
from kgce.edge.remote.envelope import Payload, seal
from kgce.edge.remote.health import Health
from kgce.edge.remote.key_pair import public_text
from kgce.edge.remote.remote import RemoteConfig
from kgce.edge.remote.versions import Versions, start_version
from tests.edge.fakes import NOW_MS, clock, until

GATEWAY = "hall-1"
DAY_MS = 86_400_000
METER = ("office-1", "main")
TOML = """
[gateway]
id = "hall-1"
folder = "buffer"

[checks]
future_limit_s = {future_limit_s}

[[modbus]]
host = "127.0.0.1"
port = 1502
devices = [{{ device = "main", unit = 1, profile = "eastron-sdm630", interval_s = 10, institution = "office-1" }}]
"""
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def toml(future_limit_s: float = 300.0) -> str:
    return TOML.format(future_limit_s=future_limit_s)


def envelope(
    version: int, text: str | None = None, *, key: Ed25519PrivateKey = KEY, name: str = "ops", **other
) -> bytes:
    """Signed for the station's gateway; valid for a day unless told otherwise."""
    fields: dict[str, Any] = {
        "gateway": GATEWAY,
        "version": version,
        "valid_from_ms": NOW_MS - 1000,
        "not_after_ms": NOW_MS + DAY_MS,
        "toml": toml(version) if text is None else text,
    }
    return seal(Payload(**fields | other), key, name)


class Station:
    """Applies what it is told and remembers it; `health` is what the test says."""

    def __init__(self, folder: Path, port: int, **table: Any) -> None:
        self.file = folder / "gateway.toml"
        if not self.file.exists():
            self.file.write_text(toml())
        self.start()
        keys = {"ops": public_text(KEY)}
        self.table = RemoteTable(**{"host": "127.0.0.1", "port": port, "keys": keys, "probation_s": 600, **table})
        self.now_s = clock()
        self.health = Health({METER: True}, "up")
        self.applied: list[float] = []  # future_limit_s of each configuration that was applied
        self.events: list[Event] = []
        self.apply_error: Exception | None = None
        self.remote = self._remote()

    def start(self) -> None:
        """As the process starts."""
        local = load_config(self.file)
        self.started = start_version(self.file, local, clock=clock)
        self.running: GatewayConfig = self.started.config
        self.versions = Versions(local.gateway.folder, self.file)

    def _remote(self) -> RemoteConfig:
        return RemoteConfig(
            self.table,
            GATEWAY,
            self.versions,
            running=lambda: self.running,
            apply=self.apply,
            health=lambda: self.health,
            record=self.events.append,
            clock=lambda: self.now_s,
        )

    def reconnect(self) -> None:
        """A new connection, and a new mind: only the disk remembers."""
        self.remote = self._remote()

    async def apply(self, config: GatewayConfig) -> None:
        if self.apply_error is not None:
            raise self.apply_error
        self.running = config
        self.applied.append(config.checks.future_limit_s)

    @property
    def status(self) -> dict[str, Any]:
        return self.remote.status()

    @property
    def refusal(self) -> str:
        refused = self.status["refused"]
        return refused["reason"] if refused else ""

    def told(self, name: str) -> list[Event]:
        return [event for event in self.events if event.id == name]

    @contextlib.asynccontextmanager
    async def running_remote(self) -> AsyncIterator["Station"]:
        job = asyncio.create_task(self.remote.run())
        try:
            await until(lambda: self.status["connected"])
            yield self
        finally:
            job.cancel()
            await asyncio.gather(job, return_exceptions=True)


class Centre:
    """Publishes desired configurations and sees the reports."""

    def __init__(self, port: int, gateway: str = GATEWAY) -> None:
        self.gateway = gateway
        self.reports: list[dict[str, Any]] = []
        self.acknowledged = threading.Semaphore(0)
        self.connection = Connection(
            SecureBrokerConfig(host="127.0.0.1", port=port),
            "centre",
            session_expiry_s=0,
            on_message=lambda found: self.reports.append(orjson.loads(found.payload)),
            on_acknowledged=lambda _mid, _why_not: self.acknowledged.release(),
        )
        self.connection.open()
        self.connection.subscribe(f"kgce/v1/{gateway}/config/reported")

    def send(self, payload: bytes) -> None:
        self.connection.publish(f"kgce/v1/{self.gateway}/config/desired", payload, retain=True)
        assert self.acknowledged.acquire(timeout=10)

    def last(self) -> dict[str, Any]:
        return self.reports[-1] if self.reports else {}


@contextlib.contextmanager
def centre_at(port: int):
    centre = Centre(port)
    try:
        yield centre
    finally:
        centre.connection.close()
