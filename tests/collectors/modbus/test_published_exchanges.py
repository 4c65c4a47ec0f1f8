"""Modbus TCP answers other people captured or published, replayed byte by byte to our link."""

import asyncio
import json
import struct
from pathlib import Path

import pytest

from kgce.collectors.modbus.link import DeviceRefused, ModbusLink
from kgce.collectors.modbus.plan import Read
from kgce.domain.errors import DeviceUnreachable
from tests.collectors.modbus.meter import line
from tests.collectors.modbus.responder import Request, responder

SHARED = Path(__file__).resolve().parents[4] / "shared" / "facts" / "protocol_vectors.json"
TABLE = {3: "holding", 4: "input"}


def vectors() -> list:
    """Exchanges that are reads; none where shared/ is absent (a test below says so loudly)."""
    if not SHARED.exists():
        return []
    found = json.loads(SHARED.read_text(encoding="utf-8"))["vectors"]
    reads = [entry for entry in found if entry["protocol"] == "modbus-tcp" and "request_hex" in entry]
    return [pytest.param(entry, id=entry["id"]) for entry in reads if bytes.fromhex(entry["request_hex"])[7] in TABLE]


def test_the_published_exchanges_are_there(shared_facts: Path) -> None:
    assert len(vectors()) == 18


async def exchange(answer: bytes, asked: bytes) -> list[int]:
    """What our link makes of the answer; the answer's distance in transaction numbers from its request is kept."""
    unit, function, address, count = struct.unpack(">BBHH", asked[6:12])
    distance = int.from_bytes(answer[:2], "big") - int.from_bytes(asked[:2], "big")

    async def reply(request: Request) -> bytes:
        assert (request.unit, request.function, request.address, request.count) == (unit, function, address, count)
        return ((request.tid + distance) % 0x1_0000).to_bytes(2, "big") + answer[2:]

    async with responder(reply) as at:
        link = ModbusLink(line(at.port, timeout_s=0.2))
        try:
            return list(await link.read(unit, Read(TABLE[function], address, count, ())))
        finally:
            link.close()


@pytest.mark.parametrize("vector", vectors())
async def test_a_published_answer_gives_its_published_registers(vector: dict) -> None:
    answer, asked = bytes.fromhex(vector["response_hex"]), bytes.fromhex(vector["request_hex"])
    expected = vector["expect"]
    if "exception_code" in expected:
        with pytest.raises(DeviceRefused) as refusal:
            await exchange(answer, asked)
        assert refusal.value.code == expected["exception_code"]
    elif not expected["valid"] or "quirk" in vector:  # a late answer, or one longer than asked for: never data
        with pytest.raises(DeviceUnreachable):
            await exchange(answer, asked)
    else:
        whole = list(struct.unpack(f">{answer[8] // 2}H", answer[9:]))
        assert await exchange(answer, asked) == expected.get("registers", whole)


async def test_an_answer_in_three_pieces_is_one_answer(shared_facts: Path) -> None:
    """mb-tcp-split: frames end where the header says, never where recv ends."""
    found = json.loads((shared_facts / "protocol_vectors.json").read_text(encoding="utf-8"))["vectors"]
    vector = next(entry for entry in found if entry["id"] == "mb-tcp-split")
    whole = bytes.fromhex("".join(vector["chunks_hex"]))
    cuts = [len(bytes.fromhex(chunk)) for chunk in vector["chunks_hex"]]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readexactly(12)
        answer, at = asked[:2] + whole[2:], 0
        for cut in cuts:
            writer.write(answer[at : at + cut])
            await writer.drain()
            await asyncio.sleep(0.02)  # so that the pieces are sent apart
            at += cut
        await reader.read()
        writer.close()
        await writer.wait_closed()
        served.set()

    served = asyncio.Event()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    link = ModbusLink(line(server.sockets[0].getsockname()[1]))
    registers = list(await link.read(0x11, Read("holding", 0x7C, 2, ())))
    link.close()
    await served.wait()
    server.close()
    assert registers == vector["expect"]["registers"]
