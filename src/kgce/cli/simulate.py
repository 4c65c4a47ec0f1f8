"""`kgce simulate`: a whole site of devices in one process, for a gateway to read, with faults on demand."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from kgce.cli.gateway import LimitOption
from kgce.cli.terminal import say
from kgce.cli.until_stopped import run, until_stopped

_SHOWN = 8  # devices named for a link; more are counted


def simulate(
    site: Annotated[str, typer.Argument(help="A shipped site (county, campus) or a site file (TOML).")] = "county",
    broker: Annotated[
        str | None, typer.Option("--broker", help="HOST:PORT of an MQTT broker on loopback; without it one is started.")
    ] = None,
    write_gateway: Annotated[
        Path | None, typer.Option("--write-gateway", help="Write the gateway file that reads this site.")
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option("--fault", help="DEVICE:KIND[:ARG], such as main-meter:busy or boiler:slow:2; may be repeated."),
    ] = None,
    limit_s: LimitOption = None,
    json: Annotated[bool, typer.Option("--json", help="Print the collectors' configuration as JSON.")] = False,
) -> None:
    """Simulate a site: meters, boilers and chargers answer on loopback, publish, and misbehave when told to.

    Faults: silent, busy, exception, gateway-silent, slow, wrong-unit, torn, late, echo, garbage, swapped-words, dip,
    reset, roll-over, sentinel, clock-off, stale, reconnect.

    Example: kgce simulate county --write-gateway gateway.toml, then kgce edge run gateway.toml
    """
    from kgce.simulators.fault_plan import parse_fault
    from kgce.simulators.site import load_site

    faults = [parse_fault(text) for text in fault or ()]
    run(_simulate(load_site(site), broker, write_gateway, faults, limit_s, json=json))


async def _simulate(
    config: Any,
    broker: str | None,
    write_gateway: Path | None,
    faults: Sequence[Any],
    limit_s: float | None,
    *,
    json: bool,
) -> None:
    from contextlib import AsyncExitStack

    from kgce.cli.broker import broker_address, embedded_broker
    from kgce.cli.gateway_file import gateway_toml
    from kgce.cli.terminal import print_json
    from kgce.simulators.site import Site

    async with AsyncExitStack() as stack:
        host, port = (
            broker_address(broker) if broker else ("127.0.0.1", await stack.enter_async_context(embedded_broker()))
        )
        running = await stack.enter_async_context(Site(config, broker_port=port, broker_host=host, faults=faults))
        collectors = running.gateway_config(port, broker_host=host)
        if write_gateway is not None:
            await asyncio.to_thread(write_gateway.write_text, gateway_toml(collectors), encoding="utf-8")
            say(f"wrote {write_gateway}")
        if json:
            print_json(collectors)
        _tell(config.site.name, collectors, f"{host}:{port}")
        await until_stopped(limit_s)


def _tell(name: str, collectors: Mapping[str, Sequence[Mapping[str, Any]]], broker: str) -> None:
    links = [(driver, link) for driver, entries in collectors.items() for link in entries]
    devices = {driver: sum(len(_devices(link)) for link in entries) for driver, entries in collectors.items()}
    counted = ", ".join(f"{count} {driver}" for driver, count in devices.items() if count)
    say(f"{name}: {sum(devices.values())} devices ({counted}), MQTT broker at {broker} (Ctrl-C ends it)")
    for driver, link in links:
        names = [str(device["device"]) for device in _devices(link)]
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        say(f"  {driver} {_place(link)}: {', '.join(names[:_SHOWN])}{more}")


def _devices(link: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Its devices; several topics of one device count once."""
    rows = [*link.get("devices", ()), *link.get("subscriptions", ())]
    return list({(row["institution"], row["device"]): row for row in rows}.values())


def _place(link: Mapping[str, Any]) -> str:
    return str(link["serial"]) if link.get("serial") else f"{link.get('host', link.get('listen'))}:{link['port']}"
