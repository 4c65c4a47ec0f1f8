"""`kgce decode`: raw registers in, values with unit out."""

from typing import Annotated

import typer

from kgce.cli.database import JsonOption
from kgce.cli.terminal import print_json, print_table


def decode(
    registers: Annotated[str, typer.Argument(help="Hex bytes as on the wire, such as 43661999.", show_default=False)],
    type_: Annotated[str | None, typer.Option("--type", help="int16, uint32, float32, float64, bcd, ascii, ...")] = None,
    order: Annotated[str, typer.Option("--order", help="Byte order: ABCD, CDAB, BADC, DCBA, or big, little.")] = "big",
    scale: Annotated[float, typer.Option("--scale", help="value = raw x scale")] = 1.0,
    unit: Annotated[str, typer.Option("--unit", help="Unit of the value.")] = "",
    profile: Annotated[str | None, typer.Option("--profile", help="Device profile: decode all its points.")] = None,
    address: Annotated[int, typer.Option("--address", help="Wire address of the first register, with --profile.")] = 0,
    table: Annotated[str, typer.Option("--table", help="input or holding, with --profile.")] = "input",
    json: JsonOption = False,
) -> None:
    """Decode raw registers by type, or by a device profile.

    Examples: kgce decode 4366199a --type float32 --unit V;
    kgce decode 4366199a43676666 --profile eastron-sdm630 --address 0
    """
    raise NotImplementedError
