"""pymodbus' clients with a framer that takes nothing for an answer but the answer.

pymodbus builds the requests, holds the socket or serial port and keeps the deadline. What it lets pass is decided by
`Expected` instead: it takes transaction 0 for any, does not compare functions or byte counts, and gives up on what
stands behind a damaged RTU frame.
"""

import socket
from collections.abc import Callable
from typing import Final

from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.client.base import ModbusBaseClient
from pymodbus.exceptions import ConnectionException
from pymodbus.framer import FramerBase, FramerType
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest

from kgce.collectors.modbus.config import MODBUS_PORT, ModbusLineConfig
from kgce.collectors.modbus.expected import Expected
from kgce.collectors.modbus.pdu import FrameError

REQUESTS: Final[dict[int, type[ModbusPDU]]] = {
    1: ReadCoilsRequest,
    2: ReadDiscreteInputsRequest,
    3: ReadHoldingRegistersRequest,
    4: ReadInputRegistersRequest,
}
FRAMERS: Final = {
    "tcp": FramerType.SOCKET,
    "rtu": FramerType.RTU,
    "rtu-over-tcp": FramerType.RTU,
    "ascii": FramerType.ASCII,
}
BUFFER: Final = 4096  # bytes kept while an answer is looked for among others
DIRECT_UNITS: Final = (0, 255)
NEVER: Final = 1 << 30
KEEPALIVE_IDLE_S: Final = 30
KEEPALIVE_PROBE_S: Final = 10
KEEPALIVE_PROBES: Final = 3
UNACKNOWLEDGED_MS: Final = 15_000  # devices.md hazard 15


class ConnectionLost(ConnectionException):
    """The other side closed the connection while its answer was waited for."""

    def __init__(self) -> None:
        """Say so in one line."""
        super().__init__("the connection was closed before the answer")


class Answer(ModbusPDU):
    """Function code and data of a whole, fitting answer; or why there will be none."""

    def __init__(self, unit: int, tid: int, pdu: bytes, fault: str = "") -> None:
        """No fields of its own are decoded: the link does that once."""
        self.dev_id, self.transaction_id = unit, tid
        self.pdu, self.fault = pdu, fault
        self.retries = 0


class CheckedFramer(FramerBase):
    """Builds frames with pymodbus' framer and takes only the answer that is expected."""

    def __init__(self, inner: FramerBase, line: ModbusLineConfig) -> None:
        """Nothing is expected yet."""
        super().__init__(DecodePDU(False))
        self._inner, self._mode = inner, line.mode
        self._any_tid, self._echo = not line.echo_transaction, line.echo
        self._direct_units = DIRECT_UNITS if line.accept_unit == "direct" else ()
        self.byte_count = 0  # of the next answer; set before its request is built
        self.expected: Expected | None = None
        self.is_waiting = False

    def buildFrame(self, message: ModbusPDU) -> bytes:  # noqa: N802 - pymodbus' name
        """The request's frame; from here on its answer is expected."""
        frame = self._inner.buildFrame(message)
        self.expected = Expected(
            self._mode,
            frame,
            message.dev_id,
            message.function_code,
            self.byte_count,
            message.transaction_id,
            self._any_tid,
            self._direct_units,
            self._echo,
        )
        self.is_waiting = True
        return frame

    def handleFrame(  # noqa: N802 - pymodbus' name
        self, data: bytes, exp_devid: int, exp_tid: int
    ) -> tuple[int, ModbusPDU | None]:
        """Used bytes and the answer, once it is whole."""
        expected = self.expected
        if expected is None or not self.is_waiting:
            return len(data), None  # nobody asked
        try:
            used, pdu = expected.take(data)
        except FrameError as error:
            self.is_waiting = False
            return len(data), Answer(exp_devid, exp_tid, b"", str(error))
        if pdu is None:
            return used, None
        self.is_waiting = False
        return used, Answer(exp_devid, exp_tid, pdu)


class Connection:
    """One open connection; asked once at a time."""

    def __init__(self, line: ModbusLineConfig, first_tid: int) -> None:
        """Nothing is opened yet; `first_tid` differs between connections, so that no late answer fits the next one."""
        self._line = line
        self._client = _client(line, self._told)
        self._framer = CheckedFramer(self._client.ctx.framer, line)
        self._client.ctx.framer = self._framer
        self._client.ctx.max_buffer_size = BUFFER
        self._client.set_max_no_responses(NEVER)  # the link decides what a silence means
        self._first_tid = first_tid

    @property
    def expected(self) -> Expected | None:
        """The answer waited for last, with what came instead."""
        return self._framer.expected

    async def open(self) -> bool:
        """Whether somebody is there."""
        if not await self._client.connect():
            return False
        self._client.ctx.next_tid = self._first_tid
        self._client.ctx.comm_params.timeout_connect = self._line.timeout_s
        endpoint = self._client.ctx.transport.get_extra_info("socket")
        if endpoint is not None:
            _watch(endpoint)
        return True

    @property
    def is_open(self) -> bool:
        """Whether it can be asked; False once the other side closed it."""
        return self._client.connected

    async def ask(self, unit: int, function: int, address: int, count: int, byte_count: int) -> Answer:
        """The answer to a read.

        Raises:
            ModbusException: no answer in time, or the connection was lost.
        """
        framer = self._framer
        framer.byte_count = byte_count
        request = REQUESTS[function](address=address, count=count, dev_id=unit)
        if self._line.serial is not None:
            self._prepare_serial(byte_count)
        try:
            answer = await self._client.execute(False, request)
        finally:
            framer.is_waiting = False
        assert isinstance(answer, Answer)
        return answer

    def close(self) -> None:
        """Let it go."""
        self._client.close()

    def _prepare_serial(self, byte_count: int) -> None:
        """Drop what came unasked, and allow the time that both frames take on the wire."""
        transport = self._client.ctx.transport
        port = getattr(transport, "sync_serial", None)
        if port is not None:
            port.reset_input_buffer()
        wire_s = self._line.wire_s(byte_count + 16)  # both envelopes and the request
        self._client.ctx.comm_params.timeout_connect = self._line.timeout_s + wire_s

    def _told(self, connected: bool) -> None:  # noqa: FBT001 - pymodbus' hook
        """A connection lost while somebody waits is told at once, not at the deadline."""
        waiting = self._client.ctx.response_future
        if not connected and self._framer.is_waiting and not waiting.done():
            waiting.set_exception(ConnectionLost())


def _client(line: ModbusLineConfig, told: Callable[[bool], None]) -> ModbusBaseClient:
    framer = FRAMERS[line.mode]
    if line.serial is not None:
        return AsyncModbusSerialClient(
            line.serial,
            framer=framer,
            baudrate=line.baudrate,
            bytesize=line.bytesize,
            parity=line.parity,
            stopbits=line.stopbits,
            name=line.address,
            timeout=line.timeout_s,
            retries=0,
            reconnect_delay=0,
            trace_connect=told,
        )
    return AsyncModbusTcpClient(
        line.host or "",
        framer=framer,
        port=line.port or MODBUS_PORT,
        name=line.address,
        timeout=line.timeout_s,
        retries=0,
        reconnect_delay=0,
        trace_connect=told,
    )


def _watch(endpoint: socket.socket) -> None:
    """Let the system notice a peer that is gone without a word; the deadline of each request does not wait for it."""
    endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (
        ("TCP_KEEPIDLE", KEEPALIVE_IDLE_S),
        ("TCP_KEEPINTVL", KEEPALIVE_PROBE_S),
        ("TCP_KEEPCNT", KEEPALIVE_PROBES),
        ("TCP_USER_TIMEOUT", UNACKNOWLEDGED_MS),
    ):
        if hasattr(socket, option):  # not every system has them
            endpoint.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
