"""What the gateway's process uses of the machine."""

import os
import time
from pathlib import Path
from typing import Any

_STARTED_S = time.monotonic()


def status() -> dict[str, Any]:
    """Process id, resident bytes and open files (None where the system does not say), seconds since the start."""
    return {
        "pid": os.getpid(),
        "rss_bytes": _rss_bytes(),
        "open_files": _open_files(),
        "uptime_s": round(time.monotonic() - _STARTED_S, 1),
    }


def _rss_bytes() -> int | None:
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def _open_files() -> int | None:
    try:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - Path.iterdir would open more
    except OSError:
        return None
