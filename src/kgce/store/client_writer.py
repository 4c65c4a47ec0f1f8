"""ClientWriter: ready-made lines through influxdb-client, to servers that have /api/v2/write (1.8 and later)."""

from collections.abc import Callable
from typing import NoReturn, Protocol

from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from kgce.domain.errors import StoreUnavailable


class LinesRejected(Exception):
    """The server refuses at least one of these lines for good; which one, it does not say reliably."""


class LineWriter(Protocol):
    """Posts ready-made lines."""

    def write(self, lines: bytes) -> None:
        """Post the lines.

        Raises:
            LinesRejected: at least one of them can never be kept.
            StoreUnavailable: no answer.
        """
        ...

    def close(self) -> None:
        """Release connections."""
        ...


class ClientWriter:
    """One synchronous write API of the official client."""

    def __init__(
        self,
        url: str,
        *,
        token: str,
        org: str,
        bucket: str,
        timeout_s: float,
        gzip: bool,
        is_basic: bool = False,
        fail: Callable[[int, str], NoReturn],
        unreachable: Callable[[Exception], StoreUnavailable],
    ) -> None:
        """`is_basic`: the token is `user:password`, for basic authentication.

        `fail` raises what a status and its text mean, `unreachable` says what a lost connection means.
        """
        self._fail = fail
        self._unreachable = unreachable
        self._bucket = bucket
        # 1.8 and VictoriaMetrics ignore the organisation, but the client insists on one.
        self._client = InfluxDBClient(
            url, token=token, org=org or "-", timeout=int(timeout_s * 1000), enable_gzip=gzip, auth_basic=is_basic
        )
        self._api = self._client.write_api(write_options=SYNCHRONOUS)

    def write(self, lines: bytes) -> None:
        """Post the lines; errors are the server's own."""
        try:
            self._api.write(
                bucket=self._bucket,
                record=lines,
                write_precision="ms",  # type: ignore[arg-type]  # the client's own constants are plain strings
            )
        except ApiException as error:
            self._fail(int(error.status or 0), str(error.body or error.reason or ""))
        except (HTTPError, OSError) as error:
            raise self._unreachable(error) from error

    def close(self) -> None:
        """Release connections."""
        self._api.close()  # type: ignore[no-untyped-call]  # the client leaves it untyped
        self._client.close()  # type: ignore[no-untyped-call]  # the client leaves it untyped
