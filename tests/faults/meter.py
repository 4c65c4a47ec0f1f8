"""A meter with a list: writes down every value it serves before it answers; shares no code with kgce.

    python -m tests.faults.meter PORT LIST

A Modbus TCP server (Modbus Application Protocol 1.1b3, functions 3 and 4) whose registers 0x48, 0x49 are a float32
counter in kWh (Eastron SDM630, "Total Import kWh") that is 1 more at every read. All other floats are 230.0.
"""

import asyncio
import struct
import sys
import time
from pathlib import Path

COUNTER = 0x48
REGISTERS = 400
HEADER = 7


class Meter:
    def __init__(self, list_file: Path) -> None:
        self.list = list_file.open("a", buffering=1)
        self.value = len(list_file.read_text().splitlines()) + 1000.0

    def registers(self, first: int, count: int) -> bytes:
        words = list(struct.unpack(">HH", struct.pack(">f", 230.0))) * (REGISTERS // 2)
        if first <= COUNTER and first + count >= COUNTER + 2:
            self.value += 1
            self.list.write(f"{time.time():.3f} {self.value}\n")
            words[COUNTER : COUNTER + 2] = struct.unpack(">HH", struct.pack(">f", self.value))
        return struct.pack(f">{count}H", *words[first : first + count])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                header = await reader.readexactly(HEADER)
                transaction, _, length, unit = struct.unpack(">HHHB", header)
                function, first, count = struct.unpack(">BHH", await reader.readexactly(length - 1))
                if function in {3, 4} and first + count <= REGISTERS:
                    body = self.registers(first, count)
                    answer = struct.pack(">BBB", unit, function, len(body)) + body
                else:
                    answer = struct.pack(">BBB", unit, function | 0x80, 2)
                writer.write(struct.pack(">HHH", transaction, 0, len(answer)) + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


async def main(address: str, list_file: Path) -> None:
    host, port = address.rsplit(":", 1)
    list_file.touch()
    server = await asyncio.start_server(Meter(list_file).serve, host, int(port))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
