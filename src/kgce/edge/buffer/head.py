"""Head: a copy of the file's first page, without which nothing of the rest can be found.

buffer.sqlite page 1 (header, where each table begins) --at each start--> buffer.sqlite.head

The page does not change once the tables exist, but for counters that SQLite does not need for reading.
"""

import contextlib
import os
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_HEADER: Final = 100  # bytes; sqlite.org/fileformat2.html, section 1.3
_MAGIC: Final = b"SQLite format 3\0"
_PAGE_SIZE_AT: Final = 16
_PAGES_AT: Final = 28
_LARGEST_PAGE: Final = 65_536


def save(path: Path) -> None:
    """Copy the first page of the open database beside it; a disk that takes nothing costs only the copy."""
    with contextlib.suppress(OSError):
        page = _first_page(path)
        if not page.startswith(_MAGIC):
            return
        fresh = _beside(path).with_suffix(".new")
        with fresh.open("wb") as copy:
            copy.write(page)
            copy.flush()
            os.fsync(copy.fileno())
        fresh.replace(_beside(path))


@contextlib.contextmanager
def with_saved(damaged: Path, original: Path) -> Iterator[Path | None]:
    """A copy of the damaged file with the saved first page in its place; None when none was saved."""
    patched = damaged.with_name(f"{damaged.name}.patched")
    try:
        page = bytearray(_beside(original).read_bytes())
        shutil.copyfile(damaged, patched)
        log = damaged.with_name(f"{damaged.name}-wal")
        if log.exists():
            shutil.copyfile(log, patched.with_name(f"{patched.name}-wal"))
        pages = damaged.stat().st_size // len(page)
        page[_PAGES_AT : _PAGES_AT + 4] = struct.pack(">I", pages)
        with patched.open("r+b") as file:
            file.write(page)
        yield patched
    except OSError:
        yield None
    finally:
        for suffix in ("", "-wal", "-shm"):
            patched.with_name(patched.name + suffix).unlink(missing_ok=True)


def _first_page(path: Path) -> bytes:
    """Read through the descriptor that SQLite itself has open.

    Opening and closing the file once more would let go of every lock this process holds on it: POSIX has it so
    (sqlite.org/howtocorrupt.html, section 2.2).
    """
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # the descriptor of this very listing is gone by now
            if link.readlink() == path.resolve():
                header = os.pread(int(link.name), _HEADER, 0)
                return os.pread(int(link.name), _page_bytes(header), 0)
    return b""


def _page_bytes(header: bytes) -> int:
    if len(header) < _HEADER:
        return _HEADER
    (size,) = struct.unpack_from(">H", header, _PAGE_SIZE_AT)
    return _LARGEST_PAGE if size == 1 else int(size)


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.head")
