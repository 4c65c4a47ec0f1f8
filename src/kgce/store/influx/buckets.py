"""Buckets: what InfluxDB 2.x needs before InfluxQL finds a bucket: a mapping from database and retention policy to it.

    bucket "kgce" <--DBRP mapping-- database "kgce", retention policy "autogen"

Through influxdb-client's own services; names and answers are those of the 2.x API.
"""

import contextlib
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final, NoReturn

from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.domain.bucket_retention_rules import BucketRetentionRules
from influxdb_client.domain.dbrp_create import DBRPCreate
from influxdb_client.domain.task_create_request import TaskCreateRequest
from influxdb_client.rest import ApiException
from influxdb_client.service.dbr_ps_service import DBRPsService
from urllib3.exceptions import HTTPError

from kgce.domain.errors import ConfigError
from kgce.store.influx.server import InfluxServer

_POLICY: Final = "autogen"


def ensure_mapping(server: InfluxServer) -> None:
    """Make the mapping where there is none.

    Raises:
        ConfigError: the bucket is missing, or the token may not make the mapping; the text has the command that does.
        StoreUnavailable: no answer.
    """
    with _client(server) as client:
        service = DBRPsService(client.api_client)
        org = {"org": server.org} if server.org else {}
        if any(one.database == server.database for one in service.get_dbr_ps(**org).content or []):
            return
        bucket = client.buckets_api().find_bucket_by_name(server.database)
        if bucket is None:
            raise ConfigError(
                f"{server.url} has no bucket {server.database!r}: make it with `kgce store init` or "
                f"`influx bucket create --name {server.database}`"
            )
        _map(service, bucket, server.database)


def ensure_bucket(server: InfluxServer, name: str, keeps_s: int) -> bool:
    """Make the bucket or set how long it keeps (0 = for ever), and map it; whether anything was changed."""
    with _client(server) as client:
        buckets = client.buckets_api()
        rules = [BucketRetentionRules(type="expire", every_seconds=keeps_s)] if keeps_s else []
        bucket, is_changed = buckets.find_bucket_by_name(name), False
        if bucket is None:
            [org] = client.organizations_api().find_organizations(**({"org": server.org} if server.org else {}))[:1]
            bucket, is_changed = buckets.create_bucket(bucket_name=name, org=org, retention_rules=rules), True
        elif keeps_s_of(bucket) != keeps_s:
            bucket.retention_rules = rules
            buckets.update_bucket(bucket)
            is_changed = True
        service = DBRPsService(client.api_client)
        mapped = service.get_dbr_ps(org_id=bucket.org_id).content or []
        if not any(one.database == name for one in mapped):
            _map(service, bucket, name)
            is_changed = True
        return is_changed


def ensure_task(server: InfluxServer, name: str, flux: str) -> bool:
    """Make the task, or bring it up to date; whether anything was changed."""
    with _client(server) as client:
        tasks = client.tasks_api()
        for task in tasks.find_tasks(name=name):
            if task.flux == flux:
                return False
            task.flux = flux
            tasks.update_task(task)
            return True
        [org] = client.organizations_api().find_organizations(**({"org": server.org} if server.org else {}))[:1]
        tasks.create_task(task_create_request=TaskCreateRequest(org_id=org.id, flux=flux, status="active"))
        return True


def keeps_s_of(bucket: Any) -> int:
    """How long a bucket keeps readings; 0 = for ever."""
    return next((int(rule.every_seconds or 0) for rule in bucket.retention_rules or []), 0)


def find_bucket(server: InfluxServer, name: str) -> Any:
    """The bucket, or None."""
    with _client(server) as client:
        return client.buckets_api().find_bucket_by_name(name)


def _map(service: DBRPsService, bucket: Any, database: str) -> None:
    wanted = DBRPCreate(
        org_id=bucket.org_id, bucket_id=bucket.id, database=database, retention_policy=_POLICY, default=True
    )
    try:
        service.post_dbrp(wanted)
    except ApiException as error:
        if error.status not in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise
        raise ConfigError(
            f"InfluxQL does not find bucket {bucket.name!r} yet and this token may not change that; an administrator "
            f"runs: influx v1 dbrp create --db {database} --rp {_POLICY} --bucket-id {bucket.id} --default"
        ) from error


@contextlib.contextmanager
def _client(server: InfluxServer) -> Iterator[InfluxDBClient]:
    client = InfluxDBClient(server.url, token=server.token, org=server.org or "-", timeout=int(server.timeout_s * 1000))
    try:
        yield client
    except ApiException as error:
        _fail(server, error)
    except (HTTPError, OSError) as error:
        raise server.unreachable(error) from error
    finally:
        client.close()


def _fail(server: InfluxServer, error: ApiException) -> NoReturn:
    server.fail(int(error.status or 0), str(error.body or error.reason or ""))
