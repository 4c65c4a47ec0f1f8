"""ClientWriter: ready-made lines through influxdb-client, to servers that have /api/v2/write (1.8 and later)."""

from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from kgce.store.influx_server import InfluxServer


class ClientWriter:
    """One synchronous write API of the official client."""

    def __init__(self, server: InfluxServer, *, token: str, org: str, bucket: str, timeout_s: float) -> None:
        self._server = server
        self._bucket = bucket
        # 1.8 ignores the organisation, but the client insists on one.
        self._client = InfluxDBClient(server.url, token=token, org=org or "-", timeout=int(timeout_s * 1000))
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
            self._server.fail(int(error.status or 0), str(error.body or error.reason or ""), is_write=True)
        except (HTTPError, OSError) as error:
            raise self._server.unreachable(error) from error

    def close(self) -> None:
        """Release connections."""
        self._api.close()  # type: ignore[no-untyped-call]  # the client leaves it untyped
        self._client.close()  # type: ignore[no-untyped-call]  # the client leaves it untyped
