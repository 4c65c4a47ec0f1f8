"""`kgce ingest`: the centre's worker: what gateways send goes into the store, and they get their receipts."""

import asyncio
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from kgce.cli.broker import broker_address
from kgce.cli.database import DEFAULT_DB
from kgce.cli.logs import LogStyle, set_up
from kgce.cli.terminal import print_json, say
from kgce.cli.until_stopped import run, until_stopped


def ingest(
    broker: Annotated[str, typer.Option("--broker", help="HOST:PORT of the MQTT 5 broker.")] = "127.0.0.1:1883",
    store: Annotated[
        str, typer.Option("--store", envvar="KGCE_STORE", help="Folder, or http://HOST:PORT/DATABASE.")
    ] = str(DEFAULT_DB),
    worker: Annotated[str, typer.Option("--worker", help="Name of this worker; each beside it needs its own.")] = "1",
    username: Annotated[
        str | None, typer.Option("--username", help="At the broker; the password is in KGCE_BROKER_PASSWORD.")
    ] = None,
    tls: Annotated[
        bool | None, typer.Option("--tls/--no-tls", help="Encrypted.", show_default="yes, but on this machine")
    ] = None,
    ca_file: Annotated[Path | None, typer.Option("--ca-file", help="Who vouches for the broker.")] = None,
    cert_file: Annotated[Path | None, typer.Option("--cert-file", help="This worker's own certificate.")] = None,
    key_file: Annotated[Path | None, typer.Option("--key-file", help="And its key.")] = None,
    limit_s: Annotated[
        float | None, typer.Option("--for", min=0.1, help="Stop by itself after so many seconds.")
    ] = None,
    log: Annotated[LogStyle, typer.Option("--log", help="Log lines: text, or a JSON object each.")] = LogStyle.AUTO,
    json: Annotated[bool, typer.Option("--json", help="Final counts as JSON on standard output.")] = False,
) -> None:
    """Take what gateways send into the store, until Ctrl-C.

    Example: kgce ingest --broker 127.0.0.1:1883 --store http://127.0.0.1:8086/kgce
    """
    from pydantic import ValidationError

    from kgce.collectors.mqtt.broker_config import SecureBrokerConfig
    from kgce.collectors.uplink.listener import Listener
    from kgce.domain.errors import ConfigError
    from kgce.store.open import open_store

    set_up(log)
    host, port = broker_address(broker)
    files = {"ca_file": ca_file, "cert_file": cert_file, "key_file": key_file}
    keys: dict[str, Any] = {
        "host": host,
        "port": port,
        **{name: str(path) for name, path in files.items() if path is not None},
    }
    if tls is not None or ca_file is not None:
        keys["tls"] = tls is not False
    if username is not None:
        keys |= {"username": username, "password_env": "KGCE_BROKER_PASSWORD"}
    try:
        config = SecureBrokerConfig(**keys)
    except ValidationError as error:
        raise ConfigError(f"broker: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from error
    at = open_store(store if "://" in store else Path(store))
    try:
        listener = Listener(config, at, worker=worker)
        run(_listen(listener, limit_s))
    finally:
        at.close()
    heard = listener.heard
    if json:
        print_json(asdict(heard))
    else:
        say(
            f"{heard.rows:,} readings in {heard.messages:,} messages = {heard.stored:,} stored + "
            f"{heard.duplicate:,} duplicate + {heard.refused:,} refused; {heard.events:,} events"
        )


async def _listen(listener: Any, limit_s: float | None) -> None:
    stopping = threading.Event()
    job = asyncio.create_task(asyncio.to_thread(listener.run, stopping), name="listener")
    stop = asyncio.create_task(until_stopped(limit_s), name="stop")
    try:
        await asyncio.wait({job, stop}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.set()
        stop.cancel()
        await job
