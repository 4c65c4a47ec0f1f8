"""What the machine says of time, on the machine that runs the tests."""

import ctypes
import time

from kgce.edge.clock import machine


class _Timex(ctypes.Structure):
    """As adjtimex(2) gives it, by name instead of by place."""

    _fields_ = (
        ("modes", ctypes.c_uint), ("offset", ctypes.c_long), ("freq", ctypes.c_long), ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long), ("status", ctypes.c_int), ("rest", ctypes.c_char * 256),
    )  # fmt: skip


def test_the_clock_since_boot_goes_on() -> None:
    first = machine.since_boot()
    time.sleep(0.01)
    assert machine.since_boot() > first


def test_the_boot_has_a_name_that_stays() -> None:
    assert machine.boot_id() == machine.boot_id()


def test_the_kernels_word_is_read_from_the_right_place() -> None:
    timex = _Timex()
    state = ctypes.CDLL(None).adjtimex(ctypes.byref(timex))
    assert _Timex.status.offset == machine._STATUS_WORD * 4
    assert machine.kernel_is_synchronised() == (0 <= state != 5 and not timex.status & 0x40)
