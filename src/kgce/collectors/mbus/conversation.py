"""A readout of one meter: reset or select, then request telegrams until none follows.

Line <--SND_NKE or selection, REQ_UD2 with alternating FCB--> meter --frames--> Telegrams
"""

from dataclasses import dataclass
from typing import Final

from kgce.collectors.line.line import Line
from kgce.collectors.mbus.link import (
    ACK,
    FCB,
    REQ_UD2,
    SELECTED_ADDRESS,
    SND_NKE,
    FrameError,
    LongFrame,
    find_answer,
    short_frame,
)
from kgce.collectors.mbus.secondary import fits, selection
from kgce.collectors.mbus.telegram import Telegram, decode_telegram
from kgce.collectors.mbus.timing import Timing
from kgce.collectors.turns import LineDown
from kgce.domain.errors import DeviceUnreachable

MOST_TELEGRAMS: Final = 16  # one readout; several times what a meter with a year of daily values sends


@dataclass(frozen=True, slots=True)
class Target:
    """Which meter: a bus address, or the full mask of a secondary address."""

    address: int
    mask: str | None = None

    @classmethod
    def of_secondary(cls, mask: str) -> "Target":
        """A meter chosen by its secondary address."""
        return cls(SELECTED_ADDRESS, mask)

    def __str__(self) -> str:
        return f"meter {self.mask}" if self.mask else f"address {self.address}"


@dataclass(frozen=True, slots=True)
class Readout:
    """What one meter said, and what was odd about it."""

    telegrams: tuple[Telegram, ...]
    told: tuple[str, ...] = ()


async def read_out(line: Line, target: Target, timing: Timing, *, tries: int = 2) -> Readout:
    """All telegrams of a meter.

    Raises:
        LineDown: no connection.
        DeviceUnreachable: no whole answer, another meter's answer, or one that cannot be read.
    """
    await _greet(line, target, timing, tries)
    telegrams: list[Telegram] = []
    last, control = b"", REQ_UD2 | FCB  # after a reset the first request carries a set FCB
    while len(telegrams) < MOST_TELEGRAMS:
        frame = await _request(line, target, timing, control, tries)
        telegram = _decoded(frame, target)
        if telegrams and _payload(frame) == last:
            return Readout(tuple(telegrams), ("the meter says that more follows and repeats itself",))
        telegrams.append(telegram)
        if not telegram.more_follows:
            return Readout(tuple(telegrams))
        last, control = _payload(frame), control ^ FCB
    return Readout(tuple(telegrams), (f"more than {MOST_TELEGRAMS} telegrams; the rest was left",))


async def _greet(line: Line, target: Target, timing: Timing, tries: int) -> None:
    greeting = short_frame(SND_NKE, target.address) if target.mask is None else selection(target.mask)
    for attempt in range(1, tries + 1):
        try:
            await line.ask(greeting, _is_acknowledged, timeout_s=timing.acknowledge_s)
        except LineDown:
            raise
        except DeviceUnreachable as error:
            if attempt == tries:
                raise DeviceUnreachable(f"{target}: {error}") from None
        else:
            return


async def _request(line: Line, target: Target, timing: Timing, control: int, tries: int) -> LongFrame:
    """The next telegram; asked again with the same FCB, a meter repeats the one that got lost."""

    def find(heard: bytes) -> LongFrame | None:
        frame = find_answer(heard)
        is_theirs = frame is not None and target.mask is None and frame.address != target.address
        return None if is_theirs else frame

    for attempt in range(1, tries + 1):
        try:
            return await line.ask(short_frame(control, target.address), find, timeout_s=timing.answer_s)
        except LineDown:
            raise
        except DeviceUnreachable as error:
            if attempt == tries:
                raise DeviceUnreachable(f"{target}: {error}") from None
    raise DeviceUnreachable(f"{target}: was not asked")


def _decoded(frame: LongFrame, target: Target) -> Telegram:
    try:
        telegram = decode_telegram(frame)
    except FrameError as error:
        raise DeviceUnreachable(f"{target}: {error}") from error
    header = telegram.header
    if target.mask is not None and (header is None or not fits(target.mask, header)):
        raise DeviceUnreachable(f"{target}: meter {header.identification if header else 'unknown'} answers instead")
    return telegram


def _payload(frame: LongFrame) -> bytes:
    """Without the header, whose access number counts the telegrams."""
    return frame.data[12:]


def _is_acknowledged(heard: bytes) -> bool | None:
    return True if ACK in heard else None
