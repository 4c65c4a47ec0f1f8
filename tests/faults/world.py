"""A whole installation in real processes, and the one question asked after every fault: is every reading accounted for?

meter (Modbus TCP) --\\                       uplink broker --> kgce ingest --> InfluxDB 1.6.7
water (MQTT) -> site broker --> kgce edge run --/     (or straight into InfluxDB)
"""

import contextlib
import sys
from pathlib import Path
from typing import Any, Self

import httpx
import orjson

from tests import servers
from tests.faults.processes import Broker, Influx, Process, eventually, kgce
from tests.faults.publisher import TOPIC, Publisher, commission

METER, WATER = "main-meter", "water-main"


class Meter(Process):
    """The meter's process, and its list."""

    def __init__(self, folder: Path, host: str = "127.0.0.1") -> None:
        self.list, self.port, self.host = folder / "served.txt", servers.free_port(), host
        command = [sys.executable, "-m", "tests.faults.meter", f"{host}:{self.port}", str(self.list)]
        super().__init__(command, folder / "meter.log")

    def served(self) -> list[float]:
        return [float(line.split()[1]) for line in self.list.read_text().splitlines()] if self.list.exists() else []


class Gateway(Process):
    """`kgce edge run`, its file and its page."""

    def __init__(self, folder: Path, toml: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file, self.folder = folder / "gateway.toml", folder / "gw"
        self.file.write_text(toml)
        super().__init__(kgce("edge", "run", str(self.file), "--json"), folder / "gateway.log")

    def start_crashing(self, point: str, when: str, count: int) -> None:
        """Start it so that it kills itself at the n-th call of a function."""
        runner = [sys.executable, "-m", "tests.faults.crashing", point, when, str(count)]
        self.start([*runner, *self.command[3:]])

    def status(self) -> dict[str, Any]:
        """What its page says; empty while it has none."""
        with contextlib.suppress(OSError, orjson.JSONDecodeError, httpx.HTTPError):
            url = orjson.loads((self.folder / "local.json").read_bytes())["url"]
            return httpx.get(f"{url}/status.json", timeout=10, trust_env=False).json()
        return {}

    def waiting(self) -> int | None:
        status = self.status()
        return status["counters"]["waiting"] if status else None

    def final(self) -> dict[str, Any]:
        """Stop it in order; its last status."""
        assert self.stop() == 0, self.said()
        return orjson.loads(self.log.with_suffix(".out").read_bytes())


class World:
    """Everything, on one machine; `sink`: how the gateway hands over."""

    def __init__(self, folder: Path, *, sink: str = "mqtt", persistence: bool = True) -> None:
        self.folder, self.sink = folder, sink
        self.influx = Influx(folder / "influx")
        self.site = Broker(folder / "site")
        self.broker = Broker(folder / "broker", persistence=persistence)
        self.meter = Meter(folder)
        command = kgce(
            "ingest", "--broker", f"127.0.0.1:{self.broker.port}", "--store", f"{self.influx.url}/kgce", "--json"
        )
        self.ingest = Process(command, folder / "ingest.log")
        self.gateway = Gateway(folder / "one", self.toml("gw-1", self.meter))
        self.kills = 0
        self.events: list[dict[str, Any]] = []
        self.publisher: Publisher | None = None

    def __enter__(self) -> Self:
        self.influx.start()
        self.influx.query("CREATE DATABASE kgce", method="POST")
        self.site.start()
        self.meter.start()
        servers.wait_for_port(self.meter.port)
        if self.sink == "mqtt":
            self.broker.start()
            self.ingest.start()
        commission(self.site.port, "gw-1")
        self.publisher = Publisher(self.site.port)
        return self

    def __exit__(self, *exc: object) -> None:
        if self.publisher is not None:
            self.publisher.close()
        for one in (self.gateway, self.ingest, self.meter, self.broker, self.site, self.influx):
            one.end()

    def toml(self, name: str, meter: Meter, *, buffer: str = "", uplink: str = "", sink: str = "") -> str:
        """A gateway's file, impatient on purpose."""
        return (
            f'[gateway]\nid = "{name}"\nfolder = "gw"\n\n[local]\nlisten = "127.0.0.1:0"\n\n'
            f"[buffer]\nmin_free_mb = 0\nmin_free_percent = 0\n{buffer}\n\n"
            f"[uplink]\nflush_interval_s = 0.1\nlongest_wait_s = 2\n{uplink}\n\n[sink]\n{sink or self.sink_table()}\n\n"
            f'[[modbus]]\nhost = "{meter.host}"\nport = {meter.port}\ntimeout_s = 0.25\n'
            f'devices = [{{ device = "{METER}", unit = 1, profile = "eastron-sdm630", interval_s = 0.3,'
            f' institution = "{name}" }}]\n\n'
            f'[[mqtt]]\nhost = "127.0.0.1"\nport = {self.site.port}\nclient_id = "{name}"\n\n'
            f'[[mqtt.subscriptions]]\ntopic = "{TOPIC}"\nmeasurement = "water"\ninstitution = "{name}"\n'
            f'device = "{WATER}"\ntime = {{ path = "t", format = "unix_ms" }}\n'
            f'fields.water_volume = {{ path = "v", unit = "m3" }}\n'
        )

    def sink_table(self) -> str:
        if self.sink == "influxdb":
            return f'kind = "influxdb"\nurl = "{self.influx.url}"\ndatabase = "kgce"'
        return f'kind = "mqtt"\nhost = "127.0.0.1"\nport = {self.broker.port}\nreceipt_timeout_s = 3'

    def run_a_while(self, rows: int = 15, *, publish: bool = True) -> None:
        """Until the meter was read so many times more, with the gateway running."""
        begin = len(self.meter.served())
        if publish:
            self.publisher.start()
        eventually(
            lambda: len(self.meter.served()) >= begin + rows or not self.gateway.is_alive,
            f"{rows} more reads of the meter",
        )
        assert self.gateway.is_alive, self.gateway.said()

    def crash(self, process: Process) -> None:
        """Wait until it has killed itself."""
        assert process.died() == -9, process.said()
        self.kills += 1

    def in_store(self, device: str) -> list[tuple[int, float]]:
        measurement, field = ("water", "water_volume") if device == WATER else ("electricity", "active_energy_import")
        return self.influx.rows(measurement, device, field)

    def settle(self) -> dict[str, Any]:
        """Let the devices fall silent, everything be handed over, and the gateway end; its last status."""
        self.publisher.stop()
        eventually(
            lambda: set(self.publisher.acknowledged) <= {at for at, _ in self.in_store(WATER)}, "all water stored"
        )
        self.meter.kill()
        eventually(lambda: self.gateway.waiting() == 0, "nothing waits")
        return self.gateway.final()

    def assert_whole(self, *, lost_reads: int | None = None) -> dict[str, Any]:
        """Nothing is lost, nothing doubled, everything counted; `lost_reads`: of the meter, at most."""
        status = self.settle()
        counts, reasons = status["counters"], status["reasons"]
        parts = ("stored", "duplicate", "refused", "dropped", "waiting")
        assert counts["polled"] == sum(counts[part] for part in parts), counts
        assert status["equation_holds"]
        in_store = counts["stored"] + reasons.get("duplicate", {}).get("stored before", 0)
        found = self.influx.count()
        assert counts["stored"] <= found <= in_store, "the store holds what the gateway says it does"
        assert self.kills or found == in_store, (
            "without a kill nothing comes twice"
        )  # the site broker repeats after one
        assert dict(self.in_store(WATER)) == self.publisher.acknowledged, "what the broker took is stored once"
        served, stored = self.meter.served(), [value for _, value in self.in_store(METER)]
        assert len(stored) == len(set(stored)), "no reading is doubled"
        assert set(stored) <= set(served), "no reading is invented"
        allowed = self.kills + 1 if lost_reads is None else lost_reads  # one under way at a kill, one at the end
        assert len(served) - len(stored) <= allowed, f"{len(served) - len(stored)} reads are lost, {allowed} may be"
        return status
