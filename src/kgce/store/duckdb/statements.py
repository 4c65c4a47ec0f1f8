"""SQL of the readings file: its tables, how older files are carried over, what is asked of it."""

from typing import Final

from kgce.domain.batch import UNUSABLE
from kgce.domain.touched import GRID_MS

SCHEMA_VERSION: Final = 2
_TABLES_SINCE_2: Final = """
    create table if not exists event (gateway varchar, time_ms bigint, id varchar, subject varchar, severity varchar,
        message varchar, evidence varchar, primary key (gateway, time_ms, id, subject));
    create table touched (append_no bigint not null, series_id integer not null, start_ms bigint not null,
        end_ms bigint not null);
"""
TABLES: Final = f"""
    create table series (
        id integer not null, institution varchar not null, device varchar not null, quantity varchar not null,
        measurement varchar not null, building varchar not null, region varchar not null);
    create table readings (
        series_id integer not null, time_ms bigint not null, value double, quality utinyint not null);
    create table state (schema_version integer not null, appends bigint not null);
    {_TABLES_SINCE_2}
"""
SCHEMA: Final = f"begin; {TABLES} insert into state values ({SCHEMA_VERSION}, 0); commit;"  # noqa: S608 - constants
CARRY_OVER: Final = {
    1: f"begin; {_TABLES_SINCE_2} update state set schema_version = {SCHEMA_VERSION}; commit;",  # noqa: S608 - as above
}
COPY_SORTED: Final = (
    "insert into series select * from old.series order by id",
    "insert into readings select * from old.readings order by series_id, time_ms",
    "insert into event select * from old.event order by time_ms",
    "insert into touched select max(append_no), series_id, start_ms, end_ms from old.touched group by all order by all",
    "insert into state select * from old.state",
)
SERIES_COLUMNS: Final = ("institution", "device", "quantity", "measurement", "building", "region")
SERIES: Final = "select institution, device, quantity, measurement, building, region from series order by id"
INSERT_SERIES: Final = (
    "insert into series select id, institution, device, quantity, measurement, building, region from new"
)
# arg_max passes over NULL, and a missing value must not bring back the one before it.
NEWEST: Final = """
    select series_id, max(time_ms) as time_ms, arg_max(coalesce(value, 'nan'::double), time_ms) as value,
        arg_max(quality, time_ms) as quality
    from readings group by series_id order by series_id
"""
NEWEST_OF: Final = """
    select series_id, max(time_ms) as time_ms, arg_max(coalesce(value, 'nan'::double), time_ms) as value,
        arg_max(quality, time_ms) as quality
    from readings where series_id in (select number from wanted) group by series_id order by series_id
"""
LATE: Final = """
    select late.position as position, stored.value as value, stored.quality as quality
    from readings stored join late on stored.series_id = late.number and stored.time_ms = late.time_ms
    where stored.time_ms between ? and ?
"""
INSERT: Final = "insert into readings select number, time_ms, value, quality from fresh"
UPDATE: Final = """
    update readings set value = fresh.value, quality = fresh.quality from fresh
    where readings.series_id = fresh.number and readings.time_ms = fresh.time_ms and readings.time_ms between ? and ?
"""
READ: Final = """
    select wanted.position as position, stored.time_ms as time_ms, stored.value as value, stored.quality as quality
    from readings stored join wanted on stored.series_id = wanted.number
    where stored.time_ms >= ? and stored.time_ms < ? order by position, time_ms
"""
_USABLE: Final = f"filter (where value is not null and not isnan(value) and (quality & {int(UNUSABLE)}) = 0)"
ROLLUP: Final = f"""
    with chosen as (
        select wanted.position as position, stored.time_ms as time_ms, stored.value as value, stored.quality as quality
        from readings stored join wanted on stored.series_id = wanted.number
        where stored.time_ms >= $start_ms and stored.time_ms < $end_ms)
    select position, time_ms // $every_ms * $every_ms as start_ms, count(*) as rows, count(*) {_USABLE} as count,
        min(value) {_USABLE} as minimum, max(value) {_USABLE} as maximum, avg(value) {_USABLE} as mean,
        arg_min(value, time_ms) {_USABLE} as first, arg_max(value, time_ms) {_USABLE} as last
    from chosen group by position, start_ms order by position, start_ms
"""  # noqa: S608 - constants
CHOSEN: Final = "from readings where series_id in (select number from wanted) and time_ms >= ? and time_ms < ?"
DELETE: Final = f"delete {CHOSEN}"
SLOTS: Final = f"select distinct series_id, time_ms // {GRID_MS} * {GRID_MS} as time_ms {CHOSEN}"
MARK: Final = "insert into touched select ?, number, start_ms, end_ms from marks"
TOUCHED: Final = """
    select series_id, start_ms, end_ms from touched where append_no > ?
    group by all order by series_id, start_ms, end_ms
"""
HIGHEST_TOUCHED: Final = "select series_id, max(end_ms) - 1 as time_ms from touched group by series_id"
EXTENT: Final = "select min(time_ms), max(time_ms) from readings"
EXTENT_OF: Final = "select min(time_ms), max(time_ms) from readings where series_id in (select number from wanted)"
EVENTS: Final = """
    select gateway, time_ms, id, subject, severity, message, evidence from event
    where time_ms >= ? and time_ms < ? order by time_ms, gateway, id, subject
"""
