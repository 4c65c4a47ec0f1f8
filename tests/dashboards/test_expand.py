"""Variables, time and interval are put into a query the way Grafana does it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgce.dashboards.panels import Verbatim, expand, queries
from kgce.domain.errors import InputError


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        pytest.param("o1", "/^o1$/", id="one value"),
        pytest.param("3.7/a", r"/^3\.7\/a$/", id="special characters are literal"),
        pytest.param(["o1"], "/^o1$/", id="a list of one"),
        pytest.param(["o1", "s+2"], r"/^(o1|s\+2)$/", id="several"),
        pytest.param(Verbatim(".*"), "/^.*$/", id="all, as the dashboard defines it"),
        pytest.param("示范县 #1", "/^示范县 #1$/", id="Chinese and spaces stay"),
    ],
)
def test_regex_format(chosen, expected):
    """Expected as in Grafana's format registry: `regex` escapes, joins several in parentheses, keeps a custom All."""
    assert expand("/^${place:regex}$/", {"place": chosen}, 0, 0, "1m") == expected


def test_time_and_interval():
    """Form of the time filter as in Grafana's pkg/tsdb/influxdb/models/query.go, renderTimeFilter."""
    expanded = expand("WHERE $timeFilter GROUP BY time($__interval)", {}, 1_000, 2_000, "10s")

    assert expanded == "WHERE time >= 1000ms and time <= 2000ms GROUP BY time(10s)"


def test_a_plain_variable_is_inserted_as_it_is():
    assert expand('FROM "$place" ${place}', {"place": "a.b"}, 0, 0, "1m") == 'FROM "a.b" a.b'


def test_a_variable_the_dashboard_does_not_have_is_an_error():
    """Grafana would send the text `$buidling` to the server and show an empty panel."""
    with pytest.raises(InputError, match=r"\$buidling"):
        expand("$buidling", {"building": "b1"}, 0, 0, "1m")


def test_a_format_that_is_not_implemented_is_an_error():
    with pytest.raises(InputError, match="csv"):
        expand("${place:csv}", {"place": "a"}, 0, 0, "1m")


def test_a_replaced_value_is_not_expanded_again():
    """A device called `$timeFilter` is a device, not a time filter."""
    assert expand("${place:regex}", {"place": "$timeFilter"}, 0, 0, "1m") == r"\$timeFilter"


def test_queries_of_collapsed_rows_are_found():
    """Grafana moves the panels of a collapsed row into the row."""
    inner = {"id": 2, "title": "Power", "targets": [{"refId": "A", "query": "SELECT 1"}]}
    model = {"panels": [{"id": 1, "title": "Row", "type": "row", "panels": [inner]}]}

    assert [(query.panel, query.title, query.ref) for query in queries(model)] == [(2, "Power", "A")]


@given(st.text(min_size=1))
def test_no_value_can_end_the_regular_expression(value):
    """Every slash of a value is behind a backslash that is not itself escaped, so the literal ends where we end it."""
    body = expand("${place:regex}", {"place": value}, 0, 0, "1m")
    position = 0
    while position < len(body):
        assert body[position] != "/"
        position += 2 if body[position] == "\\" else 1
    assert position == len(body)  # the last backslash escapes one of ours, not the closing slash
