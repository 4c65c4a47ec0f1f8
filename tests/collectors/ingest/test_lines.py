"""Line protocol in: as the official client writes it, and as a real InfluxDB understands it."""

import json
import math
import uuid
from urllib.request import Request, urlopen

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from influxdb_client import Point

from kgce.collectors.ingest.lines import parse_lines
from kgce.domain.errors import InputError
from kgce.domain.tree import Series
from tests.store.rows import rows_of

NOW_MS = 1_767_225_600_000


def readings(text: str, **keys) -> list[tuple]:
    batch, refused = parse_lines(text.encode(), now_ms=NOW_MS, **{"precision": "ms", **keys})
    assert refused == [], refused
    return rows_of(batch)


def test_a_line_becomes_readings_with_their_place():
    text = "electricity,region=370102,institution=town-hall,device=main,building=a active_power=12.5,voltage=231i 1700000000000"
    batch, refused = parse_lines(text.encode(), precision="ms", now_ms=NOW_MS)

    assert refused == []
    assert batch.series[0] == Series("town-hall", "main", "active_power", "electricity", "a", "370102")
    assert rows_of(batch) == [
        (("town-hall", "main", "active_power"), 1_700_000_000_000, 12.5, 0),
        (("town-hall", "main", "voltage"), 1_700_000_000_000, 231.0, 0),
    ]


@pytest.mark.parametrize(
    ("precision", "stamp"),
    [("ns", "1700000000123456789"), ("us", "1700000000123456"), ("ms", "1700000000123"), ("u", "1700000000123999")],
)
def test_times_come_in_any_precision(precision, stamp):
    [(_, time_ms, *_)] = readings(f"m,institution=i,device=d p=1 {stamp}", precision=precision)
    assert time_ms == 1_700_000_000_123


def test_seconds_minutes_hours_and_no_time_at_all():
    assert readings("m,institution=i,device=d p=1 1700000000", precision="s")[0][1] == 1_700_000_000_000
    assert readings("m,institution=i,device=d p=1 28333333", precision="m")[0][1] == 28_333_333 * 60_000
    assert readings("m,institution=i,device=d p=1 472222", precision="h")[0][1] == 472_222 * 3_600_000
    assert readings("m,institution=i,device=d p=1")[0][1] == NOW_MS


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\\\n\r"), min_size=1, max_size=12)
FIELDS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53) | st.booleans()


@given(
    measurement=NAMES.filter(lambda name: not name.startswith("#")),
    institution=NAMES,
    device=NAMES,
    fields=st.dictionaries(NAMES.filter(lambda name: not name.endswith("_q")), FIELDS, min_size=1, max_size=4),
)
def test_what_the_official_client_writes_is_read(measurement, institution, device, fields):
    point = Point(measurement).tag("institution", institution).tag("device", device).time(NOW_MS * 1_000_000)
    for name, value in fields.items():
        point = point.field(name, value)
    line = point.to_line_protocol()

    batch, refused = parse_lines(line.encode(), now_ms=0)
    assert refused == []
    assert {(one.measurement, one.institution, one.device) for one in batch.series} == {
        (measurement, institution, device)
    }
    assert {key[2]: value for key, time_ms, value, quality in rows_of(batch) if time_ms == NOW_MS and not quality} == {
        name: float(value) for name, value in fields.items()
    }


VALUES = st.sampled_from(["1", "-2.5", "3i", "1e3", "t", "false", "0.1", "-0", "1e-7", ".5", "5."])
ESCAPED = st.lists(st.sampled_from(["a", "b", "\\ ", "\\,", "\\=", "济", "'", ":", "/"]), min_size=1, max_size=6).map(
    "".join
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(device=ESCAPED, field=ESCAPED, value=VALUES, other=VALUES)
def test_a_real_influxdb_reads_the_same(influx_server, device, field, value, other):
    database = f"lines_{uuid.uuid4().hex}"
    influx_server.query(f'CREATE DATABASE "{database}"', method="POST")
    line = f"m,institution=i,device={device} {field}={value},other={other} 1700000000000"
    request = Request(f"{influx_server.url}/write?db={database}&precision=ms", data=line.encode())
    urlopen(request, timeout=30).close()
    [result] = json.loads(influx_server.query("SELECT * FROM m GROUP BY *", db=database))["results"]
    [series] = result["series"]
    [(_, *found)] = series["values"]
    theirs = dict(zip(series["columns"][1:], map(float, found), strict=True))

    batch, refused = parse_lines(line.encode(), precision="ms", now_ms=0)
    assert refused == []
    assert {one.device for one in batch.series} == {series["tags"]["device"]}
    assert {key[2]: read for key, _, read, _ in rows_of(batch)} == theirs


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("m p=1", "institution and device are needed"),
        ("m,institution=i p=1", "institution and device are needed"),
        ("m,institution=i,device=d,phase=l1 p=1", "tag 'phase' is none of kgce"),
        ('m,institution=i,device=d p="text"', "is a text"),
        ("m,institution=i,device=d p=1_000", "is no number"),
        ("m,institution=i,device=d p=nan", "is no number"),
        ("m,institution=i,device=d p=+4", "is no number"),
        ("m,institution=i,device=d p=1e999", "is no number"),
        ("m,institution=i,device=d p=", "is no number"),
        ("m,institution=i,device=d p=1 noon", "is no time"),
        ("m,institution=i,device=d", "no fields"),
        ("m,institution p=1", "has no value"),
        ("m,institution=i,device=d p", "has no value"),
    ],
)
def test_a_line_that_cannot_be_taken_says_why_and_the_others_are(line, reason):
    good = "m,institution=i,device=d p=1 5"
    batch, [refusal] = parse_lines(f"# comment\n\n{good}\n{line}\n{good}\r\n".encode(), precision="ms", now_ms=0)

    assert reason in refusal.reason
    assert refusal.line == 4
    assert len(batch) == 2


def test_quality_bits_come_along_and_a_quality_alone_is_a_missing_value():
    rows = readings("m,institution=i,device=d,host=pi p=1,p_q=2i,w_q=1i 5")
    assert rows == [(("i", "d", "p"), 5, 1.0, 2), (("i", "d", "w"), 5, None, 1)]


def test_a_line_break_within_a_text_does_not_make_two_lines():
    batch, [refusal] = parse_lines(
        b'm,institution=i,device=d p="a\nb" 1\nm,institution=i,device=d p=1 5', precision="ms", now_ms=0
    )
    assert (refusal.line, len(batch)) == (1, 1)


@given(st.binary(max_size=200))
def test_rubbish_breaks_nothing(noise):
    try:
        batch, _ = parse_lines(noise, now_ms=0)
    except InputError:
        return
    assert not any(math.isinf(value) for value in batch.value)
