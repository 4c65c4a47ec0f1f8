"""Captured Modbus TCP traffic of real plants: time-outs, retries, exceptions, odd lengths (shared/data/captures)."""

import asyncio
import itertools
from collections import Counter
from pathlib import Path

import pytest
from pymodbus.pdu import DecodePDU

from kgce.collectors.modbus.config import ModbusLineConfig
from kgce.collectors.modbus.frames import parse_answer, parse_frame, parse_request_frame, split_frames
from kgce.collectors.modbus.pdu import FrameError
from kgce.collectors.modbus.plan import Read
from kgce.collectors.modbus.probe import Prober
from tests.captures.pcap import conversations, payloads

FILES = (
    "icsnpp_modbus_example.pcap",
    "modbusSmall.pcap",
    "modbus_test_2.pcap",
    "modbus_test_data_part1.pcap",
    "modbus_test_data_part2.pcap",
)
TABLES = {1: "coil", 2: "discrete", 3: "holding", 4: "input"}


@pytest.fixture
def captures(shared_data: Path) -> Path:
    return shared_data / "captures" / "modbus"


def pairs(path: Path) -> list[tuple[bytes, bytes]]:
    """(request, answer) frames of a capture: each answer with the next request of its transaction, unit and function.

    Some clients never count their transactions; the order on the connection tells then.
    """
    found = []
    for one in conversations(path):
        waiting = list(split_frames("tcp", one.requests).frames)
        for answer in split_frames("tcp", one.answers).frames:
            asked = next((frame for frame in waiting if _belong(frame, answer)), None)
            if asked is not None:
                waiting.remove(asked)
                found.append((asked, answer))
    return found


def _belong(request: bytes, answer: bytes) -> bool:
    return (request[:2], request[6], request[7]) == (answer[:2], answer[6], answer[7] & 0x7F)


def test_the_capture_with_time_outs_holds_what_its_publisher_counted(captures: Path) -> None:
    """shared/data/README.md, trap 11: 3 264 FC4 requests, 1 551 answers, unit ids 1, 2, 3, 7."""
    counts: Counter[str] = Counter()
    units = set()
    for to_device, payload in payloads(captures / "modbus_test_2.pcap"):
        message = parse_frame("tcp", payload, "request" if to_device else "answer")
        units.add(message.unit)
        counts[f"{'request' if to_device else 'answer'} {message.pdu.function}"] += 1
    assert counts["request 4"] == 3264
    assert counts["answer 4"] == 1551
    assert units == {1, 2, 3, 7}


def test_every_captured_answer_reads_as_pymodbus_reads_it(captures: Path) -> None:
    compared = 0
    for name, (request, answer) in itertools.chain(*([(n, p) for p in pairs(captures / n)] for n in FILES)):
        try:
            ours = parse_answer("tcp", answer, request).pdu
        except FrameError:
            continue
        theirs = DecodePDU(is_server=False).decode(answer[7:])
        if ours.exception_code is not None:
            assert theirs.exception_code == ours.exception_code, name
        elif ours.function in {3, 4}:
            assert tuple(theirs.registers) == ours.registers, name
        elif ours.function in {1, 2}:
            assert theirs.bits[: len(ours.bits)] == list(ours.bits), name
        else:
            continue
        compared += 1
    assert compared > 1600


def test_an_answer_is_taken_for_its_own_request_only(captures: Path) -> None:
    """In a capture full of retries, each answer is offered to every request of another unit, function or length."""
    found = pairs(captures / "modbus_test_2.pcap")
    requests = {request[6:]: request for request, _ in found}
    offered = 0
    for request, answer in found:
        assert parse_answer("tcp", answer, request).pdu.function == answer[7]
        for other in requests.values():
            if (other[6:8], other[10:12]) != (request[6:8], request[10:12]):
                with pytest.raises(FrameError):
                    parse_answer("tcp", answer, request[:2] + other[2:])
                offered += 1
    assert offered > 10_000


def test_exceptions_are_told_by_their_code_and_those_of_odd_length_are_refused(captures: Path) -> None:
    """shared/data/README.md, trap 11: exceptions 1, 2, 3, 5, 6, 11, diagnostics, odd lengths."""
    codes, odd = set(), set()
    for name in ("modbus_test_data_part1.pcap", "modbus_test_data_part2.pcap"):
        for to_device, payload in payloads(captures / name):
            if to_device or len(payload) < 9 or not payload[7] & 0x80:
                continue
            try:
                codes.add(parse_answer("tcp", payload).pdu.exception_code)
            except FrameError:
                odd.add(payload[8])
    assert {1, 2, 3, 11} <= codes
    assert codes | odd >= {1, 2, 3, 5, 6, 11}


@pytest.mark.parametrize("name", FILES)
def test_hostile_and_broken_traffic_is_refused_in_words(captures: Path, name: str) -> None:
    for _, payload in payloads(captures / name):
        for broken in (payload[:-1], payload[1:], payload + payload):
            with pytest.raises(FrameError, match=r"\w+ "):
                parse_frame("tcp", broken)


async def test_a_live_link_reads_the_captured_answers(captures: Path) -> None:
    """The captured device answers again on a real socket, with the transaction of the request at hand."""
    script = {}
    for name in ("modbus_test_2.pcap", "icsnpp_modbus_example.pcap", "modbus_test_data_part2.pcap"):
        for request, answer in pairs(captures / name):
            if request[7] in TABLES and len(request) == 12:
                script.setdefault(request[6:], answer)

    async def device(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.read(7):
            rest = await reader.readexactly(int.from_bytes(head[4:6], "big") - 1)
            writer.write(head[:2] + script[head[6:7] + rest][2:])
        writer.close()
        await writer.wait_closed()
        left.set()

    left = asyncio.Event()
    server = await asyncio.start_server(device, "127.0.0.1", 0)
    line = ModbusLineConfig.model_validate(
        {"host": "127.0.0.1", "port": server.sockets[0].getsockname()[1], "timeout_s": 0.3}
    )
    good = wrong = 0
    async with Prober(line) as prober:
        for asked, answer in script.items():
            request = b"\0\0\0\0\0\x06" + asked
            try:
                expected = parse_answer("tcp", b"\0\0" + answer[2:], request).pdu
                wanted = parse_request_frame("tcp", request).pdu
            except FrameError:
                continue  # what the link cannot even ask for
            read = Read(TABLES[asked[1]], wanted.address, wanted.count, ())
            found = await prober.ask(asked[0], read)
            if expected.exception_code is not None:
                assert found.exception_code == expected.exception_code or expected.exception_code in {10, 11}
                wrong += 1
            else:
                values = expected.registers or tuple(int(bit) for bit in expected.bits)
                assert found.registers == values
                good += 1
    await left.wait()
    server.close()
    assert good > 10
    assert wrong + good > 15
