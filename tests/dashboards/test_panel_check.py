"""The check that guards the panels finds a broken panel: each query is broken in turn."""

import copy
import time

import pytest

from kgce.dashboards.build import build_dashboards
from kgce.dashboards.panels import queries
from tests.dashboards.bounds import BOUNDS
from tests.dashboards.panel_check import complaints
from tests.dashboards.planted import Plant, plant

MODEL = build_dashboards()["en/institution-overview.json"]
ALL = [(query.panel, query.ref) for query in queries(MODEL)]
PLANTED_BOUNDS = BOUNDS | {"Session energy": (1_000, 2_000)}  # planted: a counter that begins at 1000 kWh


@pytest.fixture(scope="module")
def steady(influx_server) -> Plant:
    planted = plant(influx_server, "checker")
    now_ms = int(time.time() * 1000)
    planted.write(
        f"electricity,institution=office,device=m1 active_power_total=10 {now_ms}",
        f"water,institution=office,device=w1 water_volume=2000 {now_ms}",
    )
    return planted


def broken(panel: int, ref: str, old: str, new: str):
    """The dashboard with only this panel, one text of one query replaced, and the panel's title."""
    model = copy.deepcopy(dict(MODEL))
    (entry,) = model["panels"] = [entry for entry in model["panels"] if entry["id"] == panel]
    (target,) = [target for target in entry["targets"] if target["refId"] == ref]
    assert old in target["query"]
    target["query"] = target["query"].replace(old, new)
    return model, entry["title"]


def check(model, planted: Plant):
    return complaints(model, planted.server, planted.db, planted.start_ms, int(time.time() * 1000), PLANTED_BOUNDS)


def field_of(panel: int, ref: str) -> str:
    """The first quoted name inside a function call: the field the query reads."""
    (query,) = [query for query in queries(MODEL) if (query.panel, query.ref) == (panel, ref)]
    innermost = query.influxql.rsplit("(SELECT ", maxsplit=1)[-1]
    return innermost.split('("', 1)[1].split('"', 1)[0]


def test_the_dashboard_as_it_is_has_no_complaint(steady):
    assert check(MODEL, steady) == {}


@pytest.mark.parametrize(("panel", "ref"), ALL)
def test_a_wrong_field_name_is_found(steady, panel, ref):
    """InfluxDB answers a field it does not know with nothing, not with an error: an empty panel for ever."""
    field = field_of(panel, ref)
    model, title = broken(panel, ref, f'"{field}"', f'"{field}x"')

    assert check(model, steady) == {(title, ref): "no data"}


def test_a_wrong_measurement_is_found(steady):
    model, title = broken(*ALL[0], 'FROM "electricity"', 'FROM "elektricity"')

    assert check(model, steady) == {(title, "A"): "no data"}


def test_a_syntax_error_is_found(steady):
    model, title = broken(*ALL[0], "GROUP BY", "GROUP")

    assert "error parsing query" in check(model, steady)[title, "A"]


def test_a_value_in_another_unit_is_found(steady):
    """35 kW shown as 35 000 W."""
    model, title = broken(*ALL[0], 'sum("each")', 'sum("each") * 1000')

    assert check(model, steady)[title, "A"].startswith("outside 0.5 to 2500")
