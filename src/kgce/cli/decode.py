"""`kgce decode`: raw registers in, values with unit out."""

from typing import Annotated, Any

import typer

from kgce.cli.database import JsonOption
from kgce.cli.terminal import print_json, print_table, say
from kgce.domain.errors import InputError


def decode(
    registers: Annotated[str, typer.Argument(help="Hex bytes as on the wire, such as 4366199a.", show_default=False)],
    type_: Annotated[
        str | None, typer.Option("--type", help="int16, uint32, float32, float64, bcd32, ascii, ...")
    ] = None,
    order: Annotated[str, typer.Option("--order", help="Byte order: ABCD, CDAB, BADC, DCBA, or big, little.")] = "big",
    scale: Annotated[float, typer.Option("--scale", help="value = raw x scale")] = 1.0,
    unit: Annotated[str, typer.Option("--unit", help="Unit of the value.")] = "",
    profile: Annotated[
        str | None, typer.Option("--profile", help="Device profile: decode all points it has here.")
    ] = None,
    address: Annotated[int, typer.Option("--address", min=0, help="Wire address of the first register.")] = 0,
    table: Annotated[str, typer.Option("--table", help="input or holding, with --profile.")] = "input",
    json: JsonOption = False,
) -> None:
    """Decode raw registers by type, or by a device profile.

    Example: kgce decode 4366199a --type float32 --unit V

    Example: kgce decode 4366199a43676666 --profile eastron-sdm630 --address 0
    """
    wire = _bytes(registers)
    if (type_ is None) == (profile is None):
        raise InputError("say how to decode: either --type or --profile")
    rows = _by_profile(wire, profile, address, table) if profile else [_by_type(wire, type_ or "", order, scale, unit)]
    if json:
        print_json(rows)
        return
    cells = [tuple(str(row[name]) for name in ("address", "name", "value", "unit", "note")) for row in rows]
    print_table(profile or type_ or "", ("address", "name", "value", "unit", "note"), cells, right=("value",))
    if not rows:
        say(f"profile {profile} has no {table} point wholly inside registers {address}..{address + len(wire) // 2 - 1}")


def _bytes(text: str) -> bytes:
    try:
        wire = bytes.fromhex(text.replace("0x", "").replace(",", " "))
    except ValueError:
        raise InputError(f"{text!r} is not hex; write the bytes as they come, such as 4366199a") from None
    if not wire or len(wire) % 2:
        raise InputError(f"{len(wire)} bytes are not whole 16-bit registers")
    return wire


def _by_type(wire: bytes, type_name: str, order: str, scale: float, unit: str) -> dict[str, Any]:
    from kgce.collectors.modbus.decode import decoder, register_type

    length = register_type(type_name).length
    if length and length != len(wire):
        raise InputError(f"{type_name} takes {length} bytes, got {len(wire)}")
    return _row("", "", decoder(type_name, order, scale=scale)(wire), unit)


def _by_profile(wire: bytes, name: str, address: int, table: str) -> list[dict[str, Any]]:
    from kgce.collectors.profile import load_profile

    known = load_profile(name)
    rows = []
    for point in known.point:
        place = point.register_
        start = 2 * (place.address - address)
        if place.table == table and start >= 0 and start + 2 * place.words <= len(wire):
            value = known.decoder(point)(wire[start : start + 2 * place.words])
            note = "unverified" if point.unverified else ""
            rows.append(_row(str(place.address), point.name, value, point.unit, note))
    return rows


def _row(address: str, name: str, value: object, unit: str, note: str = "") -> dict[str, Any]:
    absent = "not available" if value is None else note
    return {"address": address, "name": name, "value": value, "unit": unit, "note": absent}
