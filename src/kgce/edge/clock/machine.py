"""What the machine knows of time: a clock nobody can set, which boot this is, whether the kernel is synchronised."""

import ctypes
import time
from pathlib import Path
from typing import Final

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_STATUS_WORD: Final = 10  # of struct timex on 64 bits: modes, pad, offset(2), freq(2), maxerror(2), esterror(2), status
_TIMEX_WORDS: Final = 52  # 208 bytes
_STA_UNSYNC: Final = 0x0040  # adjtimex(2)
_TIME_ERROR: Final = 5


def since_boot() -> float:
    """Seconds since the machine started, sleep included; no setting of the clock moves it."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)


def boot_id() -> str:
    """Names this start of the machine; empty where the system does not say."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()[:8]
    except OSError:
        return ""


def kernel_is_synchronised() -> bool:
    """Whether the kernel says that a time service keeps its clock (adjtimex); asking changes nothing."""
    words = (ctypes.c_int * _TIMEX_WORDS)()
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(words))
    except (AttributeError, OSError):
        return False
    return 0 <= state != _TIME_ERROR and not words[_STATUS_WORD] & _STA_UNSYNC
