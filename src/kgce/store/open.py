"""Opens the store or the registry behind a folder or a URL: the one visible choice between them."""

import os
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from kgce.domain.errors import ConfigError
from kgce.domain.ports import ReadingStore, Registry
from kgce.store.found import FoundStore, Target

READINGS_FILE: Final = "readings.duckdb"
REGISTRY_FILE: Final = "registry.sqlite"


def open_store(target: str | Path, *, read_only: bool = False, is_shared: bool = False) -> ReadingStore:
    """The store in a folder (`readings.duckdb`), or behind `http(s)://HOST:PORT/DATABASE`.

    The kind of the server, InfluxDB of any generation or VictoriaMetrics, is found out at the first use. `is_shared`:
    other processes write the same series there.

    Credentials of a server come from KGCE_INFLUX_USERNAME and KGCE_INFLUX_PASSWORD, or KGCE_INFLUX_TOKEN (and
    KGCE_INFLUX_ORG).

    Raises:
        ConfigError: the target is neither a folder nor the URL of a database.
        StoreUnavailable: another process holds the file.
    """
    if isinstance(target, str) and "://" in target:
        return _open_server(target, is_shared=is_shared)
    from kgce.store.duckdb.store import DuckDbStore  # noqa: PLC0415 - only the chosen engine is loaded

    return DuckDbStore(_folder(target) / READINGS_FILE, read_only=read_only)


def open_registry(folder: str | Path) -> Registry:
    """The registry in a folder (`registry.sqlite`), or behind a database URL such as `postgresql+psycopg://HOST/DB`.

    Raises:
        ConfigError: the target is neither a folder nor a database URL.
    """
    from kgce.store.registry.sql import SqlRegistry  # noqa: PLC0415 - SQLAlchemy takes a while to load

    if isinstance(folder, str) and "://" in folder:
        return SqlRegistry(folder)
    return SqlRegistry(_folder(folder) / REGISTRY_FILE)


def _folder(target: str | Path) -> Path:
    folder = Path(target)
    if not str(target).strip() or folder.is_file():
        raise ConfigError(f"{str(target)!r} is not a folder: give the folder that holds {READINGS_FILE}")
    return folder


def _open_server(target: str, *, is_shared: bool) -> ReadingStore:
    wanted = "write http://HOST:PORT/DATABASE"
    try:
        parts = urlsplit(target)
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError:
        raise ConfigError(f"{target!r} is not a URL: {wanted}") from None
    database = unquote(parts.path.strip("/"))
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ConfigError(f"{target!r} is not the URL of a database: {wanted}")
    if parts.username is not None or parts.password is not None:
        raise ConfigError("a URL is no place for a password: set KGCE_INFLUX_USERNAME and KGCE_INFLUX_PASSWORD")
    if not database or "/" in database:
        raise ConfigError(f"{target!r} names no database: {wanted}")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return FoundStore(
        Target(
            f"{parts.scheme}://{host}{port}",
            database,
            username=os.environ.get("KGCE_INFLUX_USERNAME", ""),
            password=os.environ.get("KGCE_INFLUX_PASSWORD", ""),
            token=os.environ.get("KGCE_INFLUX_TOKEN", ""),
            org=os.environ.get("KGCE_INFLUX_ORG", ""),
            is_shared=is_shared,
        )
    )
