"""Set-up: how long a database keeps readings, and the hourly figures it makes of them for long curves.

    kgce (keeps readings, say, 400 days) --every hour, the last three days anew--> kgce_hourly (mean_, min_, max_)

The ledger never uses the hourly figures: they know no quality. Doing it twice changes nothing.
"""

from collections.abc import Mapping
from typing import Final

from kgce.store.influx.durations import influxql_of, seconds_of, text_of
from kgce.store.influx.influxql import identifier, show_retention
from kgce.store.influx.server import InfluxServer
from kgce.store.line_protocol import DERIVED

JOB: Final = "kgce_hourly"
_RESAMPLED: Final = "3d"  # a link that was away so long is made up for


def initialise(server: InfluxServer, *, keep_s: int | None, hourly_keep_s: int | None) -> list[str]:
    """Set up what is stated (None = leave as it is; 0 = keep for ever); what was changed, for people.

    Raises:
        ConfigError: the credentials do not allow it.
        StoreUnavailable: no answer.
    """
    match server.found_generation().major:
        case 1:
            return _first(server, keep_s, hourly_keep_s)
        case 2:
            return _second(server, keep_s, hourly_keep_s)
        case _:
            return _third(server, keep_s, hourly_keep_s)


def describe(server: InfluxServer) -> Mapping[str, str]:
    """Generation, retention and downsampling, for people."""
    hourly = hourly_name(server)
    found = {"spoken": server.generation.way, "retention": text_of(retention_s(server, server.database) or 0)}
    if server.generation.major > 2:  # noqa: PLR2004 - InfluxDB 3.x
        return found | {"downsampling": "none: InfluxDB 3 does it with plugins"}
    has_job = _job_text(server) if server.generation.major == 1 else _has_bucket(server, hourly)
    keeps_s = retention_s(server, hourly)
    kept = "" if keeps_s is None else f", kept {text_of(keeps_s)}"
    return found | {
        "downsampling": f"hourly into {hourly!r}{kept}" if has_job else "none: kgce store init --hourly 10y"
    }


def hourly_name(server: InfluxServer) -> str:
    """Database or bucket of the hourly figures."""
    return f"{server.database}_hourly"


def retention_s(server: InfluxServer, database: str) -> int | None:
    """How long the database's default retention keeps; 0 = for ever, None = there is no such database."""
    policy = _default_policy(server, database)
    return None if policy is None else policy[1]


def _default_policy(server: InfluxServer, database: str) -> tuple[str, int] | None:
    if database not in _databases(server):
        return None
    for _, result in server.query([show_retention(database)]):
        for row in result.get("values", []):
            policy = dict(zip(result["columns"], row, strict=True))
            if policy["default"]:
                return policy["name"], seconds_of(policy["duration"])
    return None


def _databases(server: InfluxServer) -> set[str]:
    return {row[0] for _, result in server.query(["SHOW DATABASES"]) for row in result.get("values", [])}


def _first(server: InfluxServer, keep_s: int | None, hourly_keep_s: int | None) -> list[str]:
    done = [] if keep_s is None else _keep(server, server.database, keep_s)
    if hourly_keep_s is None:
        return done
    hourly = hourly_name(server)
    if hourly not in _databases(server):
        server.run(f"CREATE DATABASE {identifier(hourly)}")
        done.append(f"made database {hourly!r}")
    done += _keep(server, hourly, hourly_keep_s)
    wanted = _continuous_query(server, hourly)
    present = _job_text(server)
    if present is None or _words(present) != _words(wanted):
        if present is not None:
            server.run(f"DROP CONTINUOUS QUERY {identifier(JOB)} ON {identifier(server.database)}")
        server.run(wanted)
        done.append(f"hourly figures go into {hourly!r}")
    return done


def _keep(server: InfluxServer, database: str, keep_s: int) -> list[str]:
    policy = _default_policy(server, database)
    if policy is None or policy[1] == keep_s:
        return []
    name, _ = policy
    server.run(
        f"ALTER RETENTION POLICY {identifier(name)} ON {identifier(database)} DURATION {influxql_of(keep_s)} DEFAULT"
    )
    return [f"{database!r} keeps {text_of(keep_s)}"]


def _continuous_query(server: InfluxServer, hourly: str) -> str:
    policies = (_default_policy(server, database) for database in (server.database, hourly))
    source, target = (identifier(policy[0] if policy else "autogen") for policy in policies)
    selected = "SELECT mean(*), min(*), max(*)"
    return (
        f"CREATE CONTINUOUS QUERY {identifier(JOB)} ON {identifier(server.database)} "
        f"RESAMPLE EVERY 1h FOR {_RESAMPLED} BEGIN {selected} INTO {identifier(hourly)}.{target}.:MEASUREMENT "
        f"FROM {identifier(server.database)}.{source}./.*/ GROUP BY time(1h), * END"
    )


def _job_text(server: InfluxServer) -> str | None:
    for _, result in server.query(["SHOW CONTINUOUS QUERIES"]):
        if result["name"] == server.database:
            for name, text in result.get("values", []):
                if name == JOB:
                    return str(text)
    return None


def _words(statement: str) -> str:
    """The statement without what the server writes differently."""
    return "".join(statement.replace('"', "").split()).lower()


def _second(server: InfluxServer, keep_s: int | None, hourly_keep_s: int | None) -> list[str]:
    from kgce.store.influx import buckets  # noqa: PLC0415 - the client takes a second to load

    done: list[str] = []
    present = buckets.find_bucket(server, server.database)
    wanted_s = keep_s if keep_s is not None else (0 if present is None else buckets.keeps_s_of(present))
    if buckets.ensure_bucket(server, server.database, wanted_s):
        done.append(f"bucket {server.database!r} keeps {text_of(wanted_s)} and is found by InfluxQL")
    if hourly_keep_s is None:
        return done
    hourly = hourly_name(server)
    if buckets.ensure_bucket(server, hourly, hourly_keep_s):
        done.append(f"bucket {hourly!r} keeps {text_of(hourly_keep_s)} and is found by InfluxQL")
    if buckets.ensure_task(server, JOB, _flux(server.database, hourly)):
        done.append(f"task {JOB!r} writes hourly figures into {hourly!r}")
    return done


def _flux(bucket: str, hourly: str) -> str:
    derived = " and ".join(f'r._measurement != "{name}"' for name in sorted(DERIVED))
    source, target = (name.replace("\\", "\\\\").replace('"', '\\"') for name in (bucket, hourly))
    figures = "\n".join(
        f'readings |> aggregateWindow(every: 1h, fn: {figure}, timeSrc: "_start", createEmpty: false) '
        f'|> map(fn: (r) => ({{r with _field: "{figure}_" + r._field}})) |> to(bucket: "{target}")'
        for figure in ("mean", "min", "max")
    )
    return (
        f'option task = {{name: "{JOB}", every: 1h, offset: 5m}}\n'
        f'readings = from(bucket: "{source}") |> range(start: -{_RESAMPLED}) |> filter(fn: (r) => {derived})\n'
        f"{figures}\n"
    )


def _has_bucket(server: InfluxServer, name: str) -> bool:
    from kgce.store.influx import buckets  # noqa: PLC0415 - the client takes a second to load

    return buckets.find_bucket(server, name) is not None


def _third(server: InfluxServer, keep_s: int | None, hourly_keep_s: int | None) -> list[str]:
    done = [f"database {server.database!r} is there"]
    if keep_s is not None:
        done.append(
            "InfluxDB 3 takes a retention when a database is made: "
            f"influxdb3 create database --retention-period {text_of(keep_s)} {server.database}"
        )
    if hourly_keep_s is not None:
        done.append("InfluxDB 3 makes hourly figures with its downsampling plugin, not with a statement")
    return done
