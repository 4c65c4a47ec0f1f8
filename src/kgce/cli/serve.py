"""`kgce serve`: API and console on what is stored, live where a broker tells what is new."""

import logging
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kgce.cli.background import beside
from kgce.cli.database import DEFAULT_DB, DbOption, StoreOption, database
from kgce.cli.ingest import CaOption, TlsOption, UsernameOption, broker_config
from kgce.cli.terminal import say

if TYPE_CHECKING:
    from kgce.api.live import LiveHub
    from kgce.collectors.mqtt.broker_config import SecureBrokerConfig
    from kgce.domain.ports import ReadingStore

HostOption = Annotated[str, typer.Option("--host", help="Address to listen on; loopback only.")]
PortOption = Annotated[int, typer.Option("--port", min=1, max=65535, help="Port to listen on.")]


def serve(
    host: HostOption = "127.0.0.1",
    port: PortOption = 8000,
    db: DbOption = DEFAULT_DB,
    store: StoreOption = None,
    broker: Annotated[
        str | None,
        typer.Option(
            "--broker",
            help="HOST:PORT of the MQTT 5 broker: with the embedded store, take what gateways send (kgce ingest is not "
            "needed then); else hear the newest values from kgce ingest.",
        ),
    ] = None,
    username: UsernameOption = None,
    tls: TlsOption = None,
    ca_file: CaOption = None,
) -> None:
    """Serve the API and the console on what is stored, until Ctrl-C.

    Example: kgce serve --db ./kgce-data --port 8000 --broker 127.0.0.1:1883
    """
    from kgce.api.app import Context, create_app
    from kgce.api.live import LiveHub
    from kgce.api.server import serve as serve_until_stopped

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    config = None if broker is None else broker_config(broker, username=username, tls=tls, ca_file=ca_file)
    with database(db, store) as at, ExitStack() as stack:
        hub = LiveHub()
        hub.publish(at.store.latest())
        if config is not None:
            _feed(stack, config, hub, embedded=None if store is not None else at.store, letters=db / "letters")
        app = create_app(Context(store=at.store, registry=at.registry, shelf=at.shelf, hub=hub, gateway_status=None))
        say(f"kgce on http://{host}:{port} (Ctrl-C ends it)")
        serve_until_stopped(app, host=host, port=port)


def _feed(
    stack: ExitStack, config: "SecureBrokerConfig", hub: "LiveHub", *, embedded: "ReadingStore | None", letters: Path
) -> None:
    """What is new: taken here where this process holds the store, heard from workers elsewhere."""
    if embedded is None:
        from kgce.collectors.ingest.live import LiveListener

        stack.enter_context(beside(LiveListener(config, hub.publish).run, "live listener"))
        return
    from kgce.collectors.ingest.letters import DeadLetters
    from kgce.collectors.ingest.worker import Worker

    worker = Worker(
        config,
        embedded,
        worker="serve",
        letters=DeadLetters(letters, clock=time.time),
        on_kept=hub.publish,
    )
    stack.enter_context(beside(worker.run, "ingest worker"))
