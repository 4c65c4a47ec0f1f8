"""OcppSource: the central system chargers connect to, as a source of batches.

charger --WebSocket--> server --frames--> v16.py, v201.py --> Charger --Batch--> emit
"""

import asyncio
import base64
import binascii
import hmac
import http
import logging
import ssl
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from ocpp.exceptions import OCPPError
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from kgce.collectors.metering import metering_point
from kgce.collectors.ocpp.charger import ENERGY, MEASUREMENT, Charger
from kgce.collectors.ocpp.config import OcppConfig
from kgce.collectors.ocpp.sessions import Session, Sessions
from kgce.collectors.ocpp.v16 import ChargePoint16
from kgce.collectors.ocpp.v201 import ChargePoint201
from kgce.domain.errors import DeviceUnreachable
from kgce.domain.ports import DeviceStatus, Emit
from kgce.domain.tree import Point

LOG = logging.getLogger(__name__)
logging.getLogger("websockets.server").setLevel(logging.CRITICAL)  # a scanner's broken handshake is no news

VERSIONS: Final[dict[str, Callable[[ServerConnection, Charger], ChargePoint16 | ChargePoint201]]] = {
    "ocpp2.0.1": ChargePoint201,
    "ocpp1.6": ChargePoint16,
}
_REPLACED: Final = 1000
_CLOSE_S: Final = 1.0
_PING_S: Final = 30.0


class OcppSource:
    """Listens for chargers; every message is durable before it is answered."""

    repeats_unacknowledged: Final = True  # a charger keeps what was not answered and sends it again

    def __init__(self, config: OcppConfig, *, wall_clock: Callable[[], float] = time.time) -> None:
        """Nothing is opened yet but the file of the transactions."""
        self._config = config
        self._sessions = Sessions(Path(config.folder) if config.folder is not None else None)
        self._chargers = {one.charger: Charger(config, one, self._sessions, wall_clock) for one in config.devices}
        self._connections: dict[str, ServerConnection] = {}
        self._talking: dict[str, ChargePoint16 | ChargePoint201] = {}
        self._listening: Server | None = None

    @property
    def name(self) -> str:
        """Where it listens."""
        return f"ocpp {self._config.address}"

    @property
    def port(self) -> int:
        """The port it listens on; the configured one until it runs."""
        sockets = list(self._listening.sockets) if self._listening is not None else []
        return int(sockets[0].getsockname()[1]) if sockets else self._config.port

    def points(self) -> Sequence[Point]:
        """The import counters of the chargers."""
        return [
            metering_point(one.model_copy(update={"device": device}), ENERGY, MEASUREMENT)
            for one in self._config.devices
            if one.metering
            for device in one.devices
        ]

    def status(self) -> Sequence[DeviceStatus]:
        """State of every charger's devices."""
        return [status for charger in self._chargers.values() for status in charger.status()]

    def sessions(self, charger: str | None = None) -> list[Session]:
        """Charging sessions (of one charger), by begin."""
        return self._sessions.all(charger)

    async def run(self, emit: Emit) -> None:
        """Listen until cancelled.

        Raises:
            DeviceUnreachable: the port is taken.
        """
        for charger in self._chargers.values():
            charger.emit = emit
        try:
            listening = await serve(
                self._talk,
                self._config.listen,
                self._config.port,
                subprotocols=[Subprotocol(version) for version in VERSIONS],
                process_request=self._admit,
                max_size=self._config.max_message_bytes,
                ssl=self._tls(),
                ping_interval=_PING_S,
                close_timeout=_CLOSE_S,
            )
        except OSError as error:
            raise DeviceUnreachable(f"cannot listen on {self._config.address}: {error.strerror or error}") from error
        self._listening = listening
        try:
            await listening.wait_closed()
        finally:
            listening.close()
            await asyncio.shield(listening.wait_closed())
            self._listening = None

    def limited_devices(self) -> frozenset[str]:
        """Every connector of every charger."""
        return frozenset(device for charger in self._chargers.values() for device in charger.config.devices)

    async def limit_current(self, device: str, amperes: float, *, valid_s: float) -> None:
        """A charging profile that runs out by itself.

        Raises:
            DeviceUnreachable: not connected, or it refused.
        """
        await self._set_profile(device, amperes, valid_s)

    async def set_fallback(self, device: str, amperes: float) -> None:
        """A charging profile below all others, for ever.

        Raises:
            DeviceUnreachable: not connected, or it refused.
        """
        await self._set_profile(device, amperes, None)

    async def _set_profile(self, device: str, amperes: float, valid_s: float | None) -> None:
        for identity, charger in self._chargers.items():
            if device in charger.config.devices:
                point = self._talking.get(identity)
                if point is None:
                    raise DeviceUnreachable(f"charger {identity} is not connected")
                connector = charger.config.connector_of(device)
                try:
                    status = await point.set_profile(connector, amperes, valid_s)
                except (TimeoutError, OSError, ConnectionClosed, OCPPError) as error:
                    raise DeviceUnreachable(f"charger {identity} took no limit: {error!r}") from error
                if status != "Accepted":
                    raise DeviceUnreachable(f"charger {identity} refuses a limit: {status}")
                return
        raise DeviceUnreachable(f"no charger {device!r} at {self.name}")

    def close(self) -> None:
        """Release the file of the transactions."""
        self._sessions.close()

    def _tls(self) -> ssl.SSLContext | None:
        if self._config.cert_file is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self._config.cert_file, self._config.key_file)
        return context

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Refuse strangers before the handshake; None lets it go on."""
        charger = self._chargers.get(self._identity(request.path))
        if charger is None:
            LOG.warning("unknown charger refused: %.80r", request.path)
            return connection.respond(http.HTTPStatus.NOT_FOUND, "unknown charger\n")
        password = charger.config.password
        if password is not None and not _is_right(request.headers.get("Authorization", ""), charger, password):
            charger.complain("a connection with a wrong password was refused")
            answer = connection.respond(http.HTTPStatus.UNAUTHORIZED, "wrong password\n")
            answer.headers["WWW-Authenticate"] = 'Basic realm="kgce"'
            return answer
        return None

    def _identity(self, path: str) -> str:
        prefix = f"{self._config.path}/"
        return unquote(path.split("?", 1)[0].removeprefix(prefix)) if path.startswith(prefix) else ""

    async def _talk(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        identity = self._identity(connection.request.path)
        charger = self._chargers[identity]
        before = self._connections.get(identity)
        self._connections[identity] = connection
        if before is not None:
            await before.close(_REPLACED, "replaced by a new connection")
        charger.connected()
        point = self._talking[identity] = VERSIONS[connection.subprotocol or "ocpp1.6"](connection, charger)
        try:
            await point.start()
        except ConnectionClosed as closed:
            why = str(closed)
        else:
            why = "it left"
        finally:
            if self._connections.get(identity) is connection:
                del self._connections[identity], self._talking[identity]
        if identity not in self._connections:
            charger.gone(why)


def _is_right(header: str, charger: Charger, password: str) -> bool:
    """HTTP basic authentication with the identity as the user (OCPP security profiles 1 and 2)."""
    kind, _, text = header.partition(" ")
    try:
        user, _, given = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return False
    same_user = hmac.compare_digest(user.encode(), charger.config.charger.encode())
    return kind.lower() == "basic" and same_user and hmac.compare_digest(given.encode(), password.encode())
