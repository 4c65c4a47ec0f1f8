"""The centre under load: workers killed, the store killed or away; nothing is lost, nothing doubled."""

import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import numpy as np
import pytest

from kgce.domain.batch import Batch
from kgce.domain.errors import StoreUnavailable
from kgce.domain.ports import AppendResult
from kgce.domain.tree import Series
from kgce.edge.buffer.parcel import Parcel
from kgce.edge.uplink.config import MqttSink
from kgce.edge.uplink.mqtt_sink import MqttParcelSink
from tests.faults.processes import Broker, Influx, Process, eventually, kgce

pytestmark = pytest.mark.timeout(300)
ROWS = 20


class Gateways:
    """Several gateways that send parcel after parcel, each until its receipt is here, as the real uplink does."""

    def __init__(self, port: int, count: int) -> None:
        self.stopping = threading.Event()
        self.delivered = [0] * count
        self.results = [AppendResult() for _ in range(count)]
        self.threads = [threading.Thread(target=self._send, args=(port, at)) for at in range(count)]

    def _send(self, port: int, at: int) -> None:
        table = MqttSink(kind="mqtt", host="127.0.0.1", port=port, receipt_timeout_s=3.0)
        sink = MqttParcelSink(table, f"g{at}", boot=lambda: "b-1-0")
        series = [Series("school", f"meter-{at}-{number}", "active_power", "electricity") for number in range(ROWS)]
        start_ms, seq = int(time.time() * 1000) - 3_600_000, 0
        while not self.stopping.is_set():
            seq += 1
            times = np.full(ROWS, start_ms + seq * 1000)
            batch = Batch.of(series, np.arange(ROWS), times, np.arange(ROWS) + seq / 8)
            while True:
                try:
                    self.results[at] += sink.deliver(Parcel("b-1-0", seq, seq, batch))
                    break
                except StoreUnavailable:
                    time.sleep(0.05)
            self.delivered[at] = seq
        sink.close()

    def __enter__(self) -> Self:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join(120)
            assert not thread.is_alive()

    @property
    def rows(self) -> int:
        return sum(self.delivered) * ROWS


class Centre:
    """Broker, InfluxDB and workers, each a process that can be killed."""

    def __init__(self, folder: Path, stack: ExitStack, workers: int) -> None:
        self.broker, self.influx = Broker(folder / "broker"), Influx(folder / "influx")
        self.workers = [
            Process(
                kgce(
                    "ingest", "--broker", f"127.0.0.1:{self.broker.port}", "--store", f"{self.influx.url}/kgce",
                    "--worker", str(number), "--letters", str(folder / "letters"), "--json",
                ),
                folder / f"worker-{number}.log",
            )
            for number in range(1, workers + 1)
        ]  # fmt: skip
        for one in (self.broker, self.influx, *self.workers):
            stack.callback(one.end)
            one.start()

    def assert_whole(self, gateways: Gateways) -> None:
        """Every reading a gateway has a receipt for is in the store, once, with its value; and no other."""
        assert self.influx.count() == gateways.rows
        for at, delivered in enumerate(gateways.delivered):
            for number in (0, ROWS - 1):
                found = self.influx.rows("electricity", f"meter-{at}-{number}", "active_power")
                assert [value for _, value in found] == [number + seq / 8 for seq in range(1, delivered + 1)]
            assert gateways.results[at].refused == 0


def test_three_workers_one_killed_and_nothing_lost_or_doubled(tmp_path: Path) -> None:
    with ExitStack() as stack:
        centre = Centre(tmp_path, stack, workers=3)
        with Gateways(centre.broker.port, 6) as gateways:
            eventually(lambda: min(gateways.delivered) >= 20, "all gateways have receipts")
            centre.workers[0].kill()
            killed_at = gateways.rows
            eventually(lambda: gateways.rows > killed_at + 2000, "the others go on")
            centre.workers[0].start()
            eventually(lambda: gateways.rows > killed_at + 4000, "and all three again")
        for worker in centre.workers:
            assert worker.stop() == 0, worker.said()
        centre.assert_whole(gateways)


def test_a_store_killed_amid_batches_and_away_under_load_costs_nothing(tmp_path: Path) -> None:
    """Killed four times with SIGKILL while two workers write; the last time away for half a minute."""
    with ExitStack() as stack:
        centre = Centre(tmp_path, stack, workers=2)
        with Gateways(centre.broker.port, 6) as gateways:
            for away_s in (1, 2, 1, 30):
                before = gateways.rows
                eventually(lambda before=before: gateways.rows > before + 1500, "readings flow")
                centre.influx.kill()
                time.sleep(away_s)
                centre.influx.start()
            before = gateways.rows
            eventually(lambda: gateways.rows > before + 1500, "readings flow again")
        centre.assert_whole(gateways)


def test_a_broker_without_memory_killed_under_load_costs_nothing(tmp_path: Path) -> None:
    with ExitStack() as stack:
        centre = Centre(tmp_path, stack, workers=2)
        with Gateways(centre.broker.port, 4) as gateways:
            for _ in range(3):
                before = gateways.rows
                eventually(lambda before=before: gateways.rows > before + 1000, "readings flow")
                centre.broker.kill()
                time.sleep(1)
                centre.broker.start()
            before = gateways.rows
            eventually(lambda: gateways.rows > before + 1000, "readings flow again")
        centre.assert_whole(gateways)
