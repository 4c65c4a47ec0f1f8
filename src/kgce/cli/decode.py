"""`kgce decode`: raw registers in, values with unit out."""

from typing import Annotated, Any

import typer

from kgce.cli.database import JsonOption
from kgce.cli.terminal import print_json, print_table
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
    table: Annotated[str | None, typer.Option("--table", help="input or holding, where a profile has both.")] = None,
    json: JsonOption = False,
) -> None:
    """Decode raw registers by type, or by a device profile into canonical units.

    Example: kgce decode 4366199a --type float32 --unit V

    Example: kgce decode 4366199a43676666 --profile eastron-sdm630 --address 0
    """
    from kgce.collectors.decode_text import decode_registers, decode_with_profile, registers_from
    from kgce.collectors.profile import load_profile

    rows: list[dict[str, Any]]
    if type_ is not None and profile is None:
        rows = [_row("", decode_registers(registers, type_, order, scale, unit), unit)]
    elif profile is not None and type_ is None:
        known = load_profile(profile)
        unverified = {point.name for point in known.point if point.unverified}
        found = decode_with_profile(known, registers_from(registers, address), table)
        rows = [
            _row(point.name, point.value, point.unit, "unverified" if point.name in unverified else "")
            for point in found
        ]
    else:
        raise InputError("say how to decode: either --type or --profile")
    if json:
        print_json(rows)
        return
    columns = ("name", "value", "unit", "note")
    print_table(
        profile or type_ or "", columns, [tuple(str(row[name]) for name in columns) for row in rows], right=("value",)
    )


def _row(name: str, value: object, unit: str, note: str = "") -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "note": "not available" if value is None else note}
