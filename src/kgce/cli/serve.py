"""`kgce serve`: API and console on what is stored."""

from typing import Annotated

import typer

from kgce.cli.database import DEFAULT_DB, DbOption, StoreOption, database
from kgce.cli.terminal import say

HostOption = Annotated[str, typer.Option("--host", help="Address to listen on; loopback only.")]
PortOption = Annotated[int, typer.Option("--port", min=1, max=65535, help="Port to listen on.")]


def serve(
    host: HostOption = "127.0.0.1", port: PortOption = 8000, db: DbOption = DEFAULT_DB, store: StoreOption = None
) -> None:
    """Serve the API and the console on what is stored, until Ctrl-C.

    Example: kgce serve --db ./kgce-data --port 8000
    """
    from kgce.api.app import Context, create_app
    from kgce.api.live import LiveHub
    from kgce.api.server import serve as serve_until_stopped

    with database(db, store) as at:
        hub = LiveHub()
        hub.publish(at.store.latest())
        app = create_app(Context(store=at.store, registry=at.registry, hub=hub, gateway_status=None))
        say(f"kgce on http://{host}:{port} (Ctrl-C ends it)")
        serve_until_stopped(app, host=host, port=port)
