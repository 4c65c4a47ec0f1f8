"""`kgce scan`: who answers on a line or an address range, what it says it is, and which profile fits."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from kgce.cli.terminal import print_json, print_table, progress, say
from kgce.domain.errors import DeviceUnreachable, InputError


class Protocol(StrEnum):
    """What may be spoken on the line."""

    MODBUS = "modbus"
    DLT645 = "dlt645"
    CJT188 = "cjt188"
    MBUS = "mbus"
    AUTO = "auto"


class Mode(StrEnum):
    """How Modbus is framed."""

    TCP = "tcp"
    RTU = "rtu"
    RTU_OVER_TCP = "rtu-over-tcp"
    ASCII = "ascii"


_METER_LINE = {"baudrate": 2400, "parity": "E"}  # what DL/T 645, CJ/T 188 and M-Bus lines usually are
_MODBUS_PORT = 502


def scan(
    where: Annotated[
        str, typer.Argument(help="HOST[:PORT], 10.0.0.10-40, 10.0.0.0/28, or a serial port.", show_default=False)
    ],
    protocol: Annotated[Protocol, typer.Option("--protocol", help="What to speak; auto tries all.")] = Protocol.MODBUS,
    mode: Annotated[
        Mode | None, typer.Option("--mode", help="Modbus framing.", show_default="tcp; rtu if serial")
    ] = None,
    units: Annotated[str, typer.Option("--units", help="Modbus units or M-Bus addresses, such as 1-32,100.")] = "1-247",
    timeout_s: Annotated[
        float, typer.Option("--timeout", min=0.05, max=30, help="Seconds to wait for an answer.")
    ] = 0.5,
    baudrate: Annotated[
        int | None, typer.Option("--baudrate", help="Serial speed.", show_default="9600; meters 2400")
    ] = None,
    parity: Annotated[str | None, typer.Option("--parity", help="N, E or O.", show_default="N; meters E")] = None,
    shallow: Annotated[bool, typer.Option("--shallow", help="Only who answers, not what it is.")] = False,
    write_gateway: Annotated[
        Path | None, typer.Option("--write-gateway", help="Write a gateway file with what was found.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Machine-readable output on standard output.")] = False,
) -> None:
    """Find devices: one request at a time, reading only. Ctrl-C shows what was found until then.

    Exit code 0: somebody was found; 1: nobody answered.

    Example: kgce scan 127.0.0.1:5020 --units 1-32

    Example: kgce scan /dev/ttyUSB0 --protocol auto
    """
    from kgce.collectors.scan.places import places, units_of

    lines = [_with_serial(line, baudrate, parity) for line in places(where, _MODBUS_PORT)]
    asked = units_of(units)
    found: list[Any] = []
    try:
        asyncio.run(_scan_all(lines, protocol, mode, asked, timeout_s, found, is_deep=not shallow, quiet=json))
    except KeyboardInterrupt:
        say("stopped; this was found until then")
    _tell(found, as_json=json)
    if write_gateway is not None and found:
        _write(write_gateway, found, {**lines[0]}, mode)
    if not found:
        say(f"nobody answered at {where}")
        raise typer.Exit(1)


def _with_serial(line: dict[str, Any], baudrate: int | None, parity: str | None) -> dict[str, Any]:
    if parity is not None and parity not in {"N", "E", "O"}:
        raise InputError(f"parity {parity!r}: N, E or O")
    given = {"baudrate": baudrate, "parity": parity}
    return line | {name: value for name, value in given.items() if value is not None}


async def _scan_all(
    lines: Sequence[dict[str, Any]],
    protocol: Protocol,
    mode: Mode | None,
    units: Sequence[int],
    timeout_s: float,
    found: list[Any],
    *,
    is_deep: bool,
    quiet: bool,
) -> None:
    wanted = [one for one in Protocol if one is not Protocol.AUTO] if protocol is Protocol.AUTO else [protocol]
    total, done = len(lines) * len(wanted) * len(units), 0
    with progress("scanning", quiet=quiet) as advance:

        def told(_: str) -> None:
            nonlocal done
            done += 1
            advance(done, max(total, done))

        for line in lines:
            for one in wanted:
                try:
                    async for somebody in _scan_one(one, line, mode, units, timeout_s, told, is_deep=is_deep):
                        found.append(somebody)  # noqa: PERF401 - kept one by one, so that Ctrl-C loses none
                except DeviceUnreachable as error:
                    if len(lines) == 1:
                        say(str(error))
                    break  # nobody is at home here, whatever is spoken


async def _scan_one(
    protocol: Protocol,
    line: dict[str, Any],
    mode: Mode | None,
    units: Sequence[int],
    timeout_s: float,
    told: Any,
    *,
    is_deep: bool,
) -> AsyncIterator[Any]:
    from kgce.collectors.line.config import LineConfig
    from kgce.collectors.modbus.config import ModbusLineConfig
    from kgce.collectors.scan.meters import scan_cjt188, scan_dlt645, scan_mbus
    from kgce.collectors.scan.modbus import scan_modbus

    if protocol is Protocol.MODBUS:
        framing = {"mode": mode.value} if mode is not None else {}
        modbus = ModbusLineConfig.model_validate({**line, "timeout_s": timeout_s, **framing})
        async for one in scan_modbus(modbus, units, told, is_deep=is_deep):
            yield one
        return
    meters = LineConfig.model_validate({**_METER_LINE, **line})
    if protocol is Protocol.DLT645:
        source = scan_dlt645(meters, timeout_s, told)
    elif protocol is Protocol.CJT188:
        source = scan_cjt188(meters, timeout_s, told)
    else:
        addresses = range(max(min(units), 1), min(max(units), 250) + 1)
        source = scan_mbus(meters, addresses, told)
    async for one in source:
        yield one


def _tell(found: Sequence[Any], *, as_json: bool) -> None:
    if as_json:
        print_json([asdict(one) for one in found])
        return
    if not found:
        return
    rows = []
    for one in found:
        best = one.guesses[0] if one.guesses else None
        others = ", ".join(f"{guess.profile} {guess.score:.2f}" for guess in one.guesses[1:])
        idea = f"{best.profile} {best.score:.2f}" if best else "no idea" if one.protocol == "modbus" else ""
        why = "; ".join(filter(None, (best.why if best else one.note, f"or {others}" if others else "")))
        rows.append((one.line, one.address, one.protocol, one.identification, idea, why, one.sample))
    columns = ("line", "address", "protocol", "identification", "probable profile", "why", "values")
    print_table(f"{len(found)} found", columns, rows, wrap=("identification", "why", "values"))


def _write(path: Path, found: Sequence[Any], line: dict[str, Any], mode: Mode | None) -> None:
    """A gateway file to go on from: names and institution are for a person to change."""
    from kgce.cli.gateway_file import gateway_toml

    tables: dict[str, list[dict[str, Any]]] = {}
    links: dict[tuple[str, str], dict[str, Any]] = {}
    for one in found:
        device = _device(one)
        if device is None:
            continue
        key = (one.protocol, one.line)
        if key not in links:
            host, _, port = one.line.rpartition(":")
            place = {"serial": one.line} if one.line.startswith("/") else {"host": host, "port": int(port)}
            serial = {name: line[name] for name in ("baudrate", "parity") if name in line}
            framing = {"mode": mode.value} if mode is not None and one.protocol == "modbus" else {}
            links[key] = place | serial | framing | {"devices": []}
            tables.setdefault(one.protocol, []).append(links[key])
        links[key]["devices"].append(device)
    path.write_text(gateway_toml(tables), encoding="utf-8")
    say(f"wrote {path}: give the devices their names and institution, then kgce edge check {path} --connect")


def _device(one: Any) -> dict[str, Any] | None:
    place = {"institution": "change-me", "device": f"{one.protocol}-{one.address}"}
    if one.protocol == "modbus":
        return place | {"unit": int(one.address), "profile": one.guesses[0].profile} if one.guesses else None
    if one.protocol == "dlt645":
        return place | {"address": one.address}
    if one.protocol == "cjt188":
        kind = one.identification.removeprefix("type ")[:2]
        return place | {"address": one.address, "meter_type": kind} if one.address != "?" else None
    return place | {"address": int(one.address), "medium": "heat"}
