"""Meters on a line that speak DL/T 645, CJ/T 188 or M-Bus: who answers to the questions made for finding them."""

from collections.abc import AsyncIterator

from kgce.collectors.cjt188.exchange import DiOrder
from kgce.collectors.cjt188.layouts import kind_of, meter_types
from kgce.collectors.cjt188.probe import read_addresses
from kgce.collectors.dlt645.identifiers import Edition
from kgce.collectors.dlt645.probe import read_address, search
from kgce.collectors.line.config import LineConfig
from kgce.collectors.line.line import Line
from kgce.collectors.mbus.rules import MEDIUM_NAMES
from kgce.collectors.mbus.search import search_primary
from kgce.collectors.scan.found import Found
from kgce.collectors.scan.modbus import Advance


async def scan_dlt645(config: LineConfig, timeout_s: float, advance: Advance) -> AsyncIterator[Found]:
    """One meter by "read address"; several by narrowing down who answers to their total.

    Raises:
        LineDown: no connection.
    """
    line, seen = Line(config, timeout_s=timeout_s), set[str]()
    try:
        advance(f"{config.address} read address")
        for address in await read_address(line, for_s=timeout_s):
            seen.add(address)
            yield Found("dlt645", config.address, address, "DL/T 645-2007")
        for edition in Edition:
            async for step in search(line, edition, for_s=timeout_s):
                advance(f"{config.address} meters {step.pattern}")
                for address in step.found:
                    if address not in seen:
                        seen.add(address)
                        yield Found("dlt645", config.address, address, f"DL/T 645-{edition}")
    finally:
        line.close()


async def scan_cjt188(config: LineConfig, timeout_s: float, advance: Advance) -> AsyncIterator[Found]:
    """Meters that answer to the wildcard, type by type; a crowd destroys its own answers and is told.

    Raises:
        LineDown: no connection.
    """
    line, seen = Line(config, timeout_s=timeout_s), set[tuple[int, str]]()
    try:
        for meter_type in meter_types():
            for order in DiOrder:
                advance(f"{config.address} type {meter_type:02X}")
                found = await read_addresses(line, order, for_s=timeout_s, meter_type=meter_type)
                for meter in found.meters:
                    if meter not in seen:
                        seen.add(meter)
                        kind = kind_of(meter[0])
                        name = f"type {meter[0]:02X} {kind.title if kind else 'unknown'}"
                        yield Found("cjt188", config.address, meter[1], name)
                if found.is_crowd and not found.meters:
                    note = "several answer at once: connect one after the other"
                    yield Found("cjt188", config.address, "?", f"type {meter_type:02X}", note=note)
    finally:
        line.close()


async def scan_mbus(config: LineConfig, addresses: range, advance: Advance) -> AsyncIterator[Found]:
    """Everybody at these bus addresses.

    Raises:
        LineDown: no connection.
    """
    for one in await search_primary(config, addresses=addresses, progress=lambda _, text: advance(text)):
        header = one.header
        name = ""
        if header is not None:
            medium = MEDIUM_NAMES.get(header.medium, f"medium {header.medium:02X}")
            name = f"{header.manufacturer} {header.identification} {medium}"
        yield Found("mbus", config.address, str(one.target.address), name, note=one.note)
