"""`kgce ingest`: a worker of the centre: what gateways send goes into the store, and they get their receipts."""

import asyncio
import sys
import threading
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kgce.cli.broker import broker_address
from kgce.cli.database import DEFAULT_DB
from kgce.cli.logs import LogStyle, set_up
from kgce.cli.terminal import print_json, say
from kgce.cli.until_stopped import run, until_stopped

if TYPE_CHECKING:
    from kgce.collectors.ingest.worker import Worker
    from kgce.collectors.mqtt.broker_config import SecureBrokerConfig

_SWITCH_S = 0.0005  # reading and storing take turns; the usual 5 ms are an age between two small steps

BrokerOption = Annotated[str, typer.Option("--broker", help="HOST:PORT of the MQTT 5 broker.")]
UsernameOption = Annotated[
    str | None, typer.Option("--username", help="At the broker; the password is in KGCE_BROKER_PASSWORD.")
]
TlsOption = Annotated[
    bool | None, typer.Option("--tls/--no-tls", help="Encrypted.", show_default="yes, but on this machine")
]
CaOption = Annotated[Path | None, typer.Option("--ca-file", help="Who vouches for the broker.")]


def ingest(
    broker: BrokerOption = "127.0.0.1:1883",
    store: Annotated[
        str, typer.Option("--store", envvar="KGCE_STORE", help="Folder, or http://HOST:PORT/DATABASE.")
    ] = str(DEFAULT_DB),
    worker: Annotated[str, typer.Option("--worker", help="Name of this worker; each beside it needs its own.")] = "1",
    username: UsernameOption = None,
    tls: TlsOption = None,
    ca_file: CaOption = None,
    cert_file: Annotated[Path | None, typer.Option("--cert-file", help="This worker's own certificate.")] = None,
    key_file: Annotated[Path | None, typer.Option("--key-file", help="And its key.")] = None,
    letters: Annotated[
        Path, typer.Option("--letters", help="Folder for what can never be taken; see kgce letters.")
    ] = Path("kgce-letters"),
    metrics: Annotated[
        str | None, typer.Option("--metrics", help="HOST:PORT to serve /metrics on, for Prometheus.")
    ] = None,
    limit_s: Annotated[
        float | None, typer.Option("--for", min=0.1, help="Stop by itself after so many seconds.")
    ] = None,
    log: Annotated[LogStyle, typer.Option("--log", help="Log lines: text, or a JSON object each.")] = LogStyle.AUTO,
    json: Annotated[bool, typer.Option("--json", help="Final counts as JSON on standard output.")] = False,
) -> None:
    """Take what gateways send into the store, until Ctrl-C; several workers on one broker share the work.

    Example: kgce ingest --broker 127.0.0.1:1883 --store http://127.0.0.1:8086/kgce --worker 2
    """
    import time

    from kgce.collectors.ingest.letters import DeadLetters
    from kgce.collectors.ingest.worker import Worker
    from kgce.store.open import open_store

    set_up(log)
    config = broker_config(broker, username=username, tls=tls, ca_file=ca_file, cert_file=cert_file, key_file=key_file)
    at = open_store(store if "://" in store else Path(store), is_shared=True)
    try:
        dead = DeadLetters(letters, clock=time.time)
        ours = Worker(config, at, worker=worker, letters=dead)
        with ExitStack() as stack:
            if metrics is not None:
                _expose(stack, ours, worker, metrics)
            run(work(ours, limit_s))
    finally:
        at.close()
    heard = ours.heard
    if json:
        print_json(asdict(heard))
    else:
        say(
            f"{heard.rows:,} readings in {heard.messages:,} messages = {heard.stored:,} stored + "
            f"{heard.duplicate:,} duplicate + {heard.refused:,} refused; {heard.events:,} events"
        )
        if heard.malformed:
            say(f"{heard.malformed:,} messages could not be taken: kgce letters show --folder {letters}")


def broker_config(broker: str, *, username: str | None, tls: bool | None, **files: Path | None) -> "SecureBrokerConfig":
    """The broker as the options say.

    Raises:
        ConfigError: they do not fit together.
    """
    from pydantic import ValidationError

    from kgce.collectors.mqtt.broker_config import SecureBrokerConfig
    from kgce.domain.errors import ConfigError

    host, port = broker_address(broker)
    named = {name: str(path) for name, path in files.items() if path is not None}
    keys: dict[str, Any] = {"host": host, "port": port, **named}
    if tls is not None or "ca_file" in named:
        keys["tls"] = tls is not False
    if username is not None:
        keys |= {"username": username, "password_env": "KGCE_BROKER_PASSWORD"}
    try:
        return SecureBrokerConfig(**keys)
    except ValidationError as error:
        raise ConfigError(f"broker: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from error


def _expose(stack: ExitStack, ours: "Worker", worker: str, address: str) -> None:
    from kgce.collectors.ingest.metrics import HeardCollector, exposed

    host, port = broker_address(address)
    found = stack.enter_context(exposed(HeardCollector(ours.heard, worker, lambda: ours.is_listening), host, port))
    say(f"metrics on http://{host}:{found}/metrics")


async def work(worker: "Worker", limit_s: float | None) -> None:
    """Run the worker in a thread until Ctrl-C, SIGTERM or the time limit."""
    sys.setswitchinterval(_SWITCH_S)
    stopping = threading.Event()
    job = asyncio.create_task(asyncio.to_thread(worker.run, stopping), name="worker")
    stop = asyncio.create_task(until_stopped(limit_s), name="stop")
    try:
        await asyncio.wait({job, stop}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.set()
        stop.cancel()
        await job
