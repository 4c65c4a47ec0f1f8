"""The one place where DuckDB's errors become ours."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from kgce.domain.errors import ConfigError, KgceError, StoreUnavailable


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Errors of DuckDB and of the file system, in words that say what to do."""
    try:
        yield
    except duckdb.Error as error:
        raise _explained(path, " ".join(str(error).split())) from error
    except OSError as error:
        raise StoreUnavailable(f"{path} cannot be opened: {error.strerror}: check the folder's rights") from error


def _explained(path: Path, text: str) -> KgceError:
    holder = re.search(r"Conflicting lock is held in (.+?) \(PID (\d+)\)", text)
    if holder is not None:
        return StoreUnavailable(
            f"{path} is held by process {holder[2]} ({holder[1]}): stop that process or choose another --db folder"
        )
    if "not a valid DuckDB database" in text or "Is a directory" in text:
        return ConfigError(f"{path} is not a readings file of kgce: choose another --db folder")
    if "database does not exist" in text:
        return ConfigError(f"{path} does not exist: import readings first (kgce import readings FILE)")
    if "No space left" in text or "not enough disk space" in text.lower():
        return StoreUnavailable(f"the disk of {path} is full: make room; nothing of this batch was kept")
    return StoreUnavailable(f"{path}: {text}")


def is_fatal(error: BaseException) -> bool:
    """Whether the open database can no longer be used and must be opened again (a disk that was full, a torn write)."""
    return isinstance(error, duckdb.FatalException | duckdb.InternalException) or "has been invalidated" in str(error)


def is_conflict(error: duckdb.TransactionException) -> bool:
    """Whether another transaction was faster, and not the disk in the way."""
    return not re.search("write file|No space left|disk|Could not", str(error))
