"""Names and texts stay names and texts inside InfluxQL: a real server reads them back."""

import urllib.parse
import urllib.request

import pytest

from kgce.dashboards.influxql import InfluxTarget, identifier, selected, string
from kgce.dashboards.panels import expand
from tests.dashboards.panel_check import series_of, values_of

AWKWARD = [
    "o'1",
    'quote"d',
    "back\\slash",
    "a/b",
    "a.b",
    "示范县 office 1",
    '"; DROP DATABASE quoting; --',
    "x' OR '1'='1",
    "(a|b)",
    "$timeFilter",
    "[x]{2}+",
]


@pytest.fixture(scope="module")
def quoting(influx_server):
    """A database with one reading per awkward institution."""
    influx_server.query("CREATE DATABASE quoting", method="POST")
    escaped = [
        name.replace("\\", "\\\\").replace(" ", r"\ ").replace(",", r"\,").replace("=", r"\=") for name in AWKWARD
    ]
    lines = "\n".join(f"electricity,institution={tag} p={n}.5 {n + 1}" for n, tag in enumerate(escaped))
    address = f"{influx_server.url}/write?{urllib.parse.urlencode({'db': 'quoting', 'precision': 'ms'})}"
    request = urllib.request.Request(address, data=lines.encode(), method="POST")
    urllib.request.urlopen(request, timeout=10).close()
    return influx_server


def stored_name(server, position):
    series = series_of(server, "quoting", 'SELECT "p" FROM "electricity" GROUP BY "institution"')
    return next(one["tags"]["institution"] for one in series if one["values"][0][1] == position + 0.5)


@pytest.mark.parametrize("position", range(len(AWKWARD)), ids=AWKWARD)
def test_a_chosen_place_finds_itself_and_nobody_else(quoting, position):
    """The value as the server offers it, put through the dashboard's own condition, gives exactly its own reading."""
    name = stored_name(quoting, position)
    condition = expand(selected("institution"), {"institution": name}, 0, 0, "1m")

    found = values_of(series_of(quoting, "quoting", f'SELECT "p" FROM "electricity" WHERE {condition}'))

    assert found == [position + 0.5]


@pytest.mark.parametrize("position", range(len(AWKWARD)), ids=AWKWARD)
def test_a_quoted_string_is_the_same_text(quoting, position):
    name = stored_name(quoting, position)

    found = values_of(
        series_of(quoting, "quoting", f'SELECT "p" FROM "electricity" WHERE "institution" = {string(name)}')
    )

    assert found == [position + 0.5]


@pytest.mark.parametrize("name", AWKWARD)
def test_a_quoted_name_is_one_name(quoting, name):
    """An alias comes back from the server letter by letter."""
    (series,) = series_of(quoting, "quoting", f'SELECT sum("p") AS {identifier(name)} FROM "electricity"')

    assert series["columns"] == ["time", name]


@pytest.mark.parametrize("text", ["", "two\nlines"])
@pytest.mark.parametrize("quote", [identifier, string])
def test_what_cannot_be_quoted_is_refused(quote, text):
    with pytest.raises(ValueError, match="cannot quote"):
        quote(text)


def test_a_target_is_what_grafanas_influxdb_data_source_reads():
    """Keys as in a dashboard exported by Grafana: a raw query with its data source, reference and format."""
    target = InfluxTarget("SELECT 1").ref("B").alias("$tag_device").as_table().build()

    assert target.to_json() == {
        "alias": "$tag_device",
        "datasource": {"type": "influxdb", "uid": "${datasource}"},
        "query": "SELECT 1",
        "rawQuery": True,
        "refId": "B",
        "resultFormat": "table",
    }
