"""Questions to one meter and what counts as their answer; a late, foreign or broken frame never does.

Line.ask(question, finder) --> Answer | Refusal --> payload
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from kgce.collectors.dlt645.frame import FUNCTION_MASK, PREAMBLE, Frame, encode, is_meant, parse
from kgce.collectors.dlt645.identifiers import Edition
from kgce.collectors.line.line import Line
from kgce.domain.errors import DeviceUnreachable, TryAgain

MOST_FOLLOWING: Final = 32  # frames of one answer; the longest load record of the standard needs fewer
REASONS: Final = {  # bits of the error byte; source: shared/facts/devices.md, section 3.1
    0x01: "other error",
    0x02: "no such data",
    0x04: "password or rights",
    0x08: "baud rate cannot change",
    0x10: "too many year zones",
    0x20: "too many day periods",
    0x40: "too many tariffs",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """Data a meter gave."""

    address: str
    payload: bytes  # without identifier and sequence number
    has_more: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """A meter said no."""

    address: str
    bits: int

    @property
    def reason(self) -> str:
        """The bits in words."""
        said = [word for bit, word in REASONS.items() if self.bits & bit]
        return " and ".join(said) or "no reason given"


class MeterRefused(TryAgain):
    """The meter is there and does not give this identifier."""

    def __init__(self, di: str, refusal: Refusal) -> None:
        """Say what was asked and what the meter said."""
        super().__init__(f"meter {refusal.address} refuses {di}: {refusal.reason}")
        self.refusal = refusal


def question(address: str, edition: Edition, di: str) -> bytes:
    """A request to read one identifier."""
    return PREAMBLE + encode(Frame(address, edition.read, _wire_di(di)))


def question_for_more(address: str, edition: Edition, di: str, sequence: int) -> bytes:
    """A request for the next part of an answer; the 1997 edition has no sequence number."""
    number = bytes((sequence,)) if edition is Edition.Y2007 else b""
    return PREAMBLE + encode(Frame(address, edition.read_more, _wire_di(di) + number))


def finder(
    address: str, edition: Edition, di: str, *, sequence: int | None = None
) -> Callable[[bytes], Answer | Refusal | None]:
    """Finds the answer to `question`, or with a sequence number to `question_for_more`."""
    control = edition.read if sequence is None else edition.read_more
    tail = bytes((sequence,)) if sequence is not None and edition is Edition.Y2007 else b""
    head = _wire_di(di)

    def find(heard: bytes) -> Answer | Refusal | None:
        for frame in parse(heard):
            if not frame.is_answer or frame.function != control & FUNCTION_MASK or not is_meant(address, frame.address):
                continue
            if frame.is_refusal:
                return Refusal(frame.address, frame.data[0] if frame.data else 0)
            body = frame.data
            if len(body) >= len(head) + len(tail) and body.startswith(head) and body.endswith(tail):
                return Answer(frame.address, body[len(head) : len(body) - len(tail)], frame.has_more)
        return None

    return find


async def read(line: Line, address: str, edition: Edition, di: str) -> bytes:
    """The payload of one identifier, all of its frames joined.

    Raises:
        DeviceUnreachable: no whole answer in time.
        MeterRefused: the meter says no.
    """
    answer = _given(di, await line.ask(question(address, edition, di), finder(address, edition, di)))
    payload, sequence = answer.payload, 0
    while answer.has_more:
        sequence += 1
        if sequence > MOST_FOLLOWING:
            raise DeviceUnreachable(f"meter {answer.address} never ends its answer to {di}")
        ask_more = question_for_more(address, edition, di, sequence)
        answer = _given(di, await line.ask(ask_more, finder(address, edition, di, sequence=sequence)))
        payload += answer.payload
    return payload


def _given(di: str, answer: Answer | Refusal) -> Answer:
    if isinstance(answer, Refusal):
        raise MeterRefused(di, answer)
    return answer


def _wire_di(di: str) -> bytes:
    return bytes.fromhex(di)[::-1]
