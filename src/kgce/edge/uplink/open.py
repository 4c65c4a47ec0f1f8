"""Opens the sink a configuration names: the one visible choice between them."""

import time
from collections.abc import Callable, Collection

from kgce.edge.uplink.config import DuckDbSink, InfluxSink, MqttSink
from kgce.edge.uplink.mqtt_sink import Heard, MqttParcelSink
from kgce.edge.uplink.ports import ParcelSink, StoreSink


def open_sink(
    table: DuckDbSink | InfluxSink | MqttSink,
    gateway: str,
    *,
    boot: Callable[[], str] = str,
    past_boots: Callable[[], Collection[str]] = frozenset,
    heard: Heard = lambda _utc_s, _took_s: None,
    clock: Callable[[], float] = time.time,
) -> ParcelSink:
    """The sink behind the `[sink]` table; the caller closes it. The others: see MqttParcelSink.

    Raises:
        ConfigError: the path, URL or certificates cannot be used.
        StoreUnavailable: another process holds the file.
    """
    match table:
        case DuckDbSink():
            from kgce.store.open import open_store  # noqa: PLC0415 - only the chosen sink is loaded

            table.path.mkdir(parents=True, exist_ok=True)
            return StoreSink(open_store(table.path), kind=table.kind, target=table.target)
        case InfluxSink():
            from kgce.store.found import FoundStore, Target  # noqa: PLC0415 - only the chosen sink is loaded

            store = FoundStore(
                Target(
                    table.url.rstrip("/"),
                    table.database,
                    username=table.username,
                    password=table.password(),
                    token=table.token(),
                    org=table.org,
                    timeout_s=table.timeout_s,
                )
            )
            return StoreSink(store, kind=table.kind, target=table.target)
        case MqttSink():
            return MqttParcelSink(table, gateway, boot=boot, past_boots=past_boots, heard=heard, clock=clock)
