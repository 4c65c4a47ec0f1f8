"""Configuration of a line: the address of a TCP endpoint, or a serial port with its framing."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from kgce.collectors.place import Strict


class LineConfig(Strict):
    """Either `host` with `port`, or `serial`; every driver that asks devices on a line uses these keys."""

    host: str | None = None
    port: Annotated[int, Field(gt=0, le=65_535)] | None = None
    serial: str | None = None  # such as /dev/ttyUSB0, or /dev/serial/by-id/... which survives a restart
    baudrate: Annotated[int, Field(ge=300, le=1_000_000)] = 9600
    parity: Literal["N", "E", "O"] = "N"
    stopbits: Literal[1, 2] = 1
    bytesize: Literal[7, 8] = 8

    @property
    def address(self) -> str:
        """What the line is called in logs and counters; two links with one address would be two queues on one line."""
        return self.serial if self.serial is not None else f"{self.host}:{self.port}"

    @model_validator(mode="after")
    def _is_one_place(self) -> Self:
        if (self.host is None) == (self.serial is None):
            raise ValueError("say where the line is: host and port of a TCP endpoint, or serial, and not both")
        if self.serial is not None and self.port is not None:
            raise ValueError("port belongs to host; a serial line has none")
        if self.host is not None and self.port is None:
            raise ValueError("host needs a port")
        return self
