"""Questions to one meter and what counts as their answer; a late, foreign or broken frame never does."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from kgce.collectors.cjt188.frame import ANY_TYPE, HEAD, PREAMBLE, Frame, encode, is_meant, parse
from kgce.collectors.line.line import Line
from kgce.domain.errors import TryAgain

READ = 0x01


class DiOrder(StrEnum):
    """Which byte of identifier 901F goes first: the 2004 edition says 90, the 2018 edition and many meters 1F."""

    HIGH_FIRST = "901F"
    LOW_FIRST = "1F90"


_IDENTIFIERS = frozenset(bytes.fromhex(order) for order in DiOrder)


@dataclass(frozen=True, slots=True)
class Answer:
    """Metering data a meter gave."""

    meter_type: int
    address: str
    payload: bytes  # without identifier and serial number


@dataclass(frozen=True, slots=True)
class Refusal:
    """A meter said no; what it gave as reason differs from maker to maker."""

    address: str
    data: bytes


class MeterRefused(TryAgain):
    """The meter is there and does not give this identifier."""

    def __init__(self, refusal: Refusal) -> None:
        """Say what the meter said."""
        super().__init__(f"meter {refusal.address} refuses to be read, with {refusal.data.hex() or 'no reason'}")


def question(meter_type: int, address: str, order: DiOrder, *, serial: int = 0) -> bytes:
    """A request to read the metering data."""
    return PREAMBLE + encode(Frame(meter_type, address, READ, bytes.fromhex(order) + bytes((serial,))))


def finder(meter_type: int, address: str) -> Callable[[bytes], Answer | Refusal | None]:
    """Finds the answer to `question`; either byte order of the identifier will do, whatever was asked."""

    def find(heard: bytes) -> Answer | Refusal | None:
        for frame in parse(heard):
            if not frame.is_answer or frame.function != READ or meter_type not in {ANY_TYPE, frame.meter_type}:
                continue
            if not is_meant(address, frame.address):
                continue
            if frame.is_refusal:
                return Refusal(frame.address, frame.data)
            if len(frame.data) >= HEAD and frame.data[:2] in _IDENTIFIERS:
                return Answer(frame.meter_type, frame.address, frame.data[HEAD:])
        return None

    return find


async def read(line: Line, meter_type: int, address: str, order: DiOrder) -> Answer:
    """The metering data of one meter.

    Raises:
        DeviceUnreachable: no whole answer in time.
        MeterRefused: the meter says no.
    """
    find = finder(meter_type, address)
    answer: Answer | Refusal = await line.ask(question(meter_type, address, order), find)
    if isinstance(answer, Refusal):
        raise MeterRefused(answer)
    return answer
