"""kgce's gateway as a process, publishing to a broker: `python -m benchmarks.kgce_gateway FILE PORT`.

The sink is the benchmark's own; everything before it is the gateway as it ships.
"""

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

import orjson
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from kgce.collectors.drivers import build_sources
from kgce.domain.batch import Batch
from kgce.domain.errors import StoreUnavailable
from kgce.domain.ports import AppendResult
from kgce.edge.config import parse_config
from kgce.edge.gateway import Gateway


class BrokerSink:
    """Publishes each batch as columns, and counts it as stored once the broker has acknowledged it."""

    def __init__(self, port: int) -> None:
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="kgce-bench")
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def append(self, batch: Batch) -> AppendResult:
        """Publish with QoS 1 and wait for the acknowledgement."""
        columns = {
            "series": [series.key for series in batch.series],
            "s": batch.index,
            "t": batch.time_ms,
            "v": batch.value,
            "q": batch.quality,
        }
        payload = orjson.dumps(columns, option=orjson.OPT_SERIALIZE_NUMPY)
        message = self._client.publish("kgce/v1/bench/batch", payload, qos=1)
        message.wait_for_publish(10)
        if not message.is_published():
            raise StoreUnavailable("the broker did not acknowledge")
        return AppendResult(stored=len(batch))


async def run(tables: dict[str, Any], port: int) -> None:
    """Run until killed."""
    config = parse_config(tables)
    checks = config.checks.make(clock=time.time)
    sources = build_sources(config.collectors)
    gateway = Gateway(config.gateway.id, sources, BrokerSink(port), config.make_buffer(time.time), checks=checks)
    await gateway.run()


if __name__ == "__main__":
    asyncio.run(run(orjson.loads(Path(sys.argv[1]).read_bytes()), int(sys.argv[2])))
