"""Modbus TCP other people captured on real networks, frame by frame; read in place, never copied."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import dpkt
import pytest

from kgce.collectors.modbus.frames import Message, parse_answer, parse_frame, split_frames
from kgce.collectors.modbus.pdu import FrameError

PORT = 502


def segments(path: Path) -> Iterator[tuple[bool, bytes]]:
    """(is a request, payload) of every TCP segment from or to port 502."""
    with path.open("rb") as file:
        for _, packet in dpkt.pcap.Reader(file):
            ip = dpkt.ethernet.Ethernet(packet).data
            tcp = ip.data if isinstance(ip, dpkt.ip.IP) else None
            if isinstance(tcp, dpkt.tcp.TCP) and tcp.data and PORT in {tcp.sport, tcp.dport}:
                yield tcp.dport == PORT, bytes(tcp.data)


def messages(path: Path) -> Iterator[tuple[bool, bytes, Message | FrameError]]:
    for is_request, payload in segments(path):
        for frame in split_frames("tcp", payload).frames:
            try:
                yield is_request, frame, parse_frame("tcp", frame, "request" if is_request else "answer")
            except FrameError as error:
                yield is_request, frame, error


@pytest.fixture
def captures(shared_data: Path) -> Path:
    return shared_data / "captures" / "modbus"


@pytest.mark.hazard(1)
def test_a_capture_full_of_time_outs_is_read_whole_and_each_answer_fits_its_request(captures: Path) -> None:
    """shared/data/README.md, trap 11: 3 264 requests with function 4, 1 551 answers, units 1, 2, 3 and 7."""
    asked: dict[tuple[int | None, int | None], bytes] = {}
    counts: Counter[tuple[bool, int]] = Counter()
    units, fitting = set(), 0
    for is_request, frame, found in messages(captures / "modbus_test_2.pcap"):
        assert isinstance(found, Message), found
        counts[is_request, found.pdu.function] += 1
        units.add(found.unit)
        if is_request:
            asked[found.tid, found.unit] = frame
        elif (found.tid, found.unit) in asked:
            fitting += parse_answer("tcp", frame, asked[found.tid, found.unit]).pdu == found.pdu
    assert (counts[True, 4], counts[False, 4]) == (3264, 1551)
    assert fitting == 1551 + 43 - 1, "the request of one answer was sent before the capture began"
    assert units >= {1, 2, 3, 7}


def test_the_exceptions_of_a_capture_are_the_published_ones(captures: Path) -> None:
    """shared/data/README.md, trap 11: exceptions 1, 2, 3, 5, 6 and 11; odd lengths are refused, not misread."""
    codes = set()
    for part in (1, 2):
        for is_request, frame, found in messages(captures / f"modbus_test_data_part{part}.pcap"):
            if isinstance(found, Message):
                codes.add(found.pdu.exception_code)
            elif not is_request and frame[7] & 0x80:
                assert "exception answer of" in str(found)
                codes.add(frame[8])
    assert codes - {None} == {1, 2, 3, 5, 6, 11}


def test_every_read_of_an_example_capture_is_answered_as_asked(captures: Path) -> None:
    read, asked = Counter(), {}
    for path in ("icsnpp_modbus_example.pcap", "modbusSmall.pcap"):
        for is_request, frame, found in messages(captures / path):
            if isinstance(found, Message) and is_request:
                asked[found.tid] = frame
            elif isinstance(found, Message):
                pdu = parse_answer("tcp", frame, asked[found.tid]).pdu
                read[pdu.function] += 1
    assert read[1] >= 8
    assert set(read) >= {1, 2, 3, 4, 5, 6, 7, 15, 16, 23, 43}
