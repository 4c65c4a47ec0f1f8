"""Names and numbers in line protocol, checked against what a real InfluxDB makes of them."""

import json
import uuid

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgce.domain.batch import Batch
from kgce.domain.tree import Series
from kgce.store.influx.influxql import identifier, literal
from kgce.store.line_protocol import (
    QUALITY_SUFFIX,
    decode,
    encode,
    field_name,
    measurement_name,
    measurement_of,
    reading_lines,
)
from tests.store.rows import NOON_MS, POWER
from tests.store.test_reading_store_contract import AWKWARD

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"])) | st.lists(
    st.sampled_from(["%", "2", "5", "C", "0", "A", "\\", "\n", "#", "_q", "time", "reading", "event"])
).map("".join)


def lines_of(*rows, is_update=False) -> list[str]:
    batch = Batch.from_rows(rows)
    return [text.decode() for text in reading_lines(batch, states_quality=np.full(len(batch), is_update)).texts]


@given(ANY_TEXT)
def test_every_name_comes_back(text):
    assert decode(encode(text)) == text
    assert decode(field_name(text or "x")) == (text or "x")
    assert measurement_of(measurement_name(text)) == text


@given(ANY_TEXT)
def test_no_stored_name_trips_a_line_or_hides_something(text):
    name = field_name(text or "x")
    assert not any(ord(sign) < 32 or sign in "\\\x7f" for sign in name)
    assert not name.endswith(QUALITY_SUFFIX)
    assert name not in {"time", "region", "institution", "building", "device"}
    assert not measurement_name(text).startswith("#")


@pytest.mark.parametrize("text", ["active_power_total", "main meter", "济南市", "50%", "a/b:c", "⚡"])
def test_everyday_names_stand_as_they_are(text):
    assert encode(text) == field_name(text) == measurement_name(text) == text


def test_a_line_is_what_the_protocol_says():
    """Written by hand from the line protocol reference: commas, spaces and equals signs take a backslash."""
    odd = Series("a b", "c,d", "e=f", "electric ity", "", "370102")

    assert lines_of((odd, NOON_MS, 0.1, 0)) == [
        rf"electric\ ity,region=370102,institution=a\ b,device=c\,d e\=f=0.1 {NOON_MS}"
    ]


def test_fields_of_one_device_share_a_line():
    voltage = Series(*POWER.key[:2], "voltage", "electricity", "A", "370102")

    head = "electricity,region=370102,institution=school-1,building=A,device=main"
    assert lines_of((POWER, NOON_MS, 12.5, 0), (voltage, NOON_MS, 231.0, 2), (POWER, NOON_MS + 1, 13.0, 0)) == [
        f"{head} active_power=12.5,voltage=231.0,voltage_q=2i {NOON_MS}",
        f"{head} active_power=13.0 {NOON_MS + 1}",
    ]


def test_a_missing_value_is_a_quality_without_a_value():
    assert lines_of((POWER, NOON_MS, float("nan"), 1))[0].split(" ")[1] == "active_power_q=1i"


def test_an_update_overrules_both_fields():
    """257 = BAD, and the value that stands beside it is withdrawn."""
    assert lines_of((POWER, NOON_MS, 2.0, 0), is_update=True)[0].split(" ")[1] == "active_power=2.0,active_power_q=0i"
    assert lines_of((POWER, NOON_MS, float("nan"), 1), is_update=True)[0].split(" ")[1] == "active_power_q=257i"


def test_a_real_server_reads_the_lines_as_they_were_meant(influx_server):
    """Names come back from the server's own JSON; each line carries its number as value."""
    database = f"lines_{uuid.uuid4().hex}"
    influx_server.query(f"CREATE DATABASE {identifier(database)}", method="POST")
    series = [Series(name, name, name, name, name, name) for name in AWKWARD]
    batch = Batch.from_rows((one, NOON_MS, float(at), 0) for at, one in enumerate(series))
    _post(
        influx_server.url, database, b"\n".join(reading_lines(batch, states_quality=np.zeros(len(batch), bool)).texts)
    )

    for at, name in enumerate(AWKWARD):
        query = (
            f"SELECT {identifier(field_name(name))} FROM {identifier(measurement_name(name))} "
            f"WHERE device = {literal(encode(name))} GROUP BY *"
        )
        [result] = json.loads(influx_server.query(query, db=database))["results"]
        [found] = result["series"]
        assert found["values"][0][1] == at
        assert measurement_of(found["name"]) == name
        assert {decode(value) for value in found["tags"].values()} == {name}
        assert set(found["tags"]) == {"region", "institution", "building", "device"}


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_quoted_name_never_ends_early(text):
    """Between the quotes no quote stands without its backslash, and no backslash escapes the closing one."""
    for quoted in (identifier(text), literal(text)):
        inside, closes = quoted[1:-1], quoted[0]
        assert quoted[-1] == closes
        assert closes not in inside.replace("\\\\", "").replace(f"\\{closes}", "")
        assert not inside.replace("\\\\", "").endswith("\\")
        assert "\n" not in quoted


def _post(url: str, database: str, text: bytes) -> None:
    import urllib.request

    request = urllib.request.Request(f"{url}/write?db={database}&precision=ms", data=text)
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 204
