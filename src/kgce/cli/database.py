"""Opens what a command works on: the folder with registry and embedded store, or another store's URL."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from kgce.domain.ports import ReadingStore, Registry, Shelf

DEFAULT_DB = Path("kgce-data")

DbOption = Annotated[
    Path, typer.Option("--db", help="Folder of the registry and the embedded store.", show_default="./kgce-data/")
]
StoreOption = Annotated[
    str | None,
    typer.Option("--store", envvar="KGCE_STORE", help="Readings elsewhere: http://HOST:PORT/DATABASE of an InfluxDB."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]


@dataclass(frozen=True, slots=True)
class Database:
    """A store and the registry that explains what is in it."""

    store: ReadingStore
    registry: Registry
    shelf: Shelf


def _shelf_name(store: str | None) -> str:
    """What was worked out belongs to one store."""
    return "shelf" if store is None else f"shelf-{hashlib.blake2b(store.encode(), digest_size=6).hexdigest()}"


@contextmanager
def database(folder: Path, store: str | None = None) -> Iterator[Database]:
    """Open both, close both.

    Raises:
        StoreUnavailable: another process holds the file, or the server does not answer.
    """
    from kgce.store.open import open_registry, open_store
    from kgce.store.shelf import FolderShelf

    folder.mkdir(parents=True, exist_ok=True)
    readings = open_store(store if store is not None else folder)
    try:
        registry = open_registry(folder)
        try:
            yield Database(readings, registry, FolderShelf(folder / _shelf_name(store)))
        finally:
            registry.close()
    finally:
        readings.close()
