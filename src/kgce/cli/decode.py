"""`kgce decode`: raw registers, frames or messages in; what they say, with units, out."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from kgce.cli.database import JsonOption
from kgce.cli.terminal import print_json, print_table, say
from kgce.domain.errors import InputError


def decode(
    text: Annotated[
        str, typer.Argument(help="Hex, a frame or a message; @FILE or - for standard input.", show_default=False)
    ],
    as_: Annotated[
        str | None, typer.Option("--as", help="auto, modbus-tcp, modbus-rtu, modbus-ascii, dlt645, cjt188, mbus, ...")
    ] = None,
    type_: Annotated[
        str | None, typer.Option("--type", help="int16, uint32, float32, float64, bcd32, ascii, ...")
    ] = None,
    order: Annotated[str, typer.Option("--order", help="Byte order: ABCD, CDAB, BADC, DCBA, or big, little.")] = "big",
    scale: Annotated[float, typer.Option("--scale", help="value = raw x scale")] = 1.0,
    unit: Annotated[str, typer.Option("--unit", help="Unit of the value.")] = "",
    quantity: Annotated[
        str, typer.Option("--quantity", help="What it measures, such as voltage: tells odd orders.")
    ] = "",
    profile: Annotated[
        str | None, typer.Option("--profile", help="Device profile: decode all points it has here.")
    ] = None,
    address: Annotated[int, typer.Option("--address", min=0, help="Wire address of the first register.")] = 0,
    table: Annotated[str | None, typer.Option("--table", help="input or holding, where a profile has both.")] = None,
    request: Annotated[str | None, typer.Option("--request", help="The request's frame, to check an answer.")] = None,
    topic: Annotated[str, typer.Option("--topic", help="Topic of an MQTT message.")] = "",
    json: JsonOption = False,
) -> None:
    """Decode raw registers by type or device profile, or a whole frame or message of any protocol.

    Exit code 2 when a frame does not verify, with the reason.

    Example: kgce decode 4366199a --type float32 --unit V

    Example: kgce decode 6861010000000068910833333433593333338a16 --as auto
    """
    pasted = _pasted(text)
    if as_ is not None:
        rows, hint = _frame(pasted, as_, request, topic, profile, json=json)
    else:
        rows, hint = _registers(pasted, type_, profile, order, scale, unit, quantity, address, table)
    if hint:
        say(f"hint: {hint}")
    if json:
        if as_ is None:
            print_json(rows)
        return
    columns = ("name", "value", "unit", "note")
    title = profile or type_ or "readings"
    if rows:
        print_table(title, columns, [tuple(_shown(row[name]) for name in columns) for row in rows], right=("value",))


def _pasted(text: str) -> str:
    if text == "-":
        return sys.stdin.read()
    if text.startswith("@"):
        try:
            return Path(text[1:]).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{text[1:]}: {error}") from None
    return text


def _registers(
    text: str,
    type_: str | None,
    profile: str | None,
    order: str,
    scale: float,
    unit: str,
    quantity: str,
    address: int,
    table: str | None,
) -> tuple[list[dict[str, Any]], str]:
    from kgce.collectors.decode_text import decode_registers, registers_from, wire_bytes
    from kgce.collectors.modbus.plausibility import guesses

    if (type_ is None) == (profile is None):
        raise InputError("say how to decode: either --type or --profile, or --as auto for a whole frame")
    if profile is not None:
        return _by_profile(profile, registers_from(text, address), table)
    value = decode_registers(text, type_ or "", order, scale, unit)
    hint = ""
    if quantity:
        found = guesses(wire_bytes(text), type_ or "", quantity, scale=scale, unit=unit or None)
        plausible = [one for one in found if one.is_plausible]
        if plausible and not any(one.is_plausible and one.value == value for one in found):
            hint = " or ".join(f"order {one.order} would be {one.value:.6g} {one.unit}" for one in plausible)
    return [_row(quantity, value, unit)], hint


def _by_profile(profile: str, registers: dict[int, int], table: str | None) -> tuple[list[dict[str, Any]], str]:
    from kgce.collectors.decode_text import decode_with_profile
    from kgce.collectors.modbus.plausibility import word_order_slip
    from kgce.collectors.profile import load_profile

    known = load_profile(profile)
    unverified = {point.name for point in known.point if point.unverified or known.device.unverified}
    found = decode_with_profile(known, registers, table)
    rows = [_row(one.name, one.value, one.unit, "unverified" if one.name in unverified else "") for one in found]
    slip = word_order_slip(known, registers, table)
    return rows, str(slip) if slip is not None else ""


def _frame(
    text: str, protocol: str, request: str | None, topic: str, profile: str | None, *, json: bool
) -> tuple[list[dict[str, Any]], str]:
    from kgce.collectors.explain import explain, raw_bytes

    asked = raw_bytes(request) if request is not None else None
    found = explain(protocol, raw_bytes(text), request=asked, topic=topic)
    rows, hint = found.readings, ""
    if profile is not None and found.registers is not None:
        if found.address is None:
            raise InputError("an answer does not say its address: give its request with --request")
        registers = {found.address + at: register for at, register in enumerate(found.registers)}
        rows, hint = _by_profile(profile, registers, found.table)
    if json:
        print_json({"protocol": found.protocol, "fields": found.fields, "readings": rows})
    else:
        fields = [(name, _shown(value)) for name, value in found.fields.items() if value is not None]
        print_table(found.protocol, ("field", "value"), fields, wrap=("value",))
    return rows, hint


def _shown(value: object) -> str:
    return "–" if value is None else str(value)


def _row(name: str, value: object, unit: str, note: str = "") -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "note": "not available" if value is None else note}
