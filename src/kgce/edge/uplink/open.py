"""Opens the sink a configuration names: the one visible choice between them."""

from kgce.domain.ports import ReadingStore
from kgce.edge.config import DuckDbSink, InfluxSink
from kgce.store.influx_store import InfluxStore
from kgce.store.open import open_store


def open_sink(table: DuckDbSink | InfluxSink) -> ReadingStore:
    """The store behind the `[sink]` table; the caller closes it.

    Raises:
        ConfigError: the path or URL cannot be one.
        StoreUnavailable: another process holds the file.
    """
    match table:
        case DuckDbSink():
            table.path.mkdir(parents=True, exist_ok=True)
            return open_store(table.path)
        case InfluxSink():
            return InfluxStore(
                table.url.rstrip("/"),
                table.database,
                username=table.username,
                password=table.password(),
                token=table.token(),
                org=table.org,
                timeout_s=table.timeout_s,
            )
