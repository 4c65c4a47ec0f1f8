"""The dashboard's JSON holds what Grafana needs, and nothing overlaps."""

from collections import Counter
from itertools import combinations
from typing import Any

import pytest

from kgce.dashboards.build import build_dashboards
from kgce.dashboards.panels import queries
from kgce.dashboards.units import grafana_unit
from kgce.domain.errors import InputError
from kgce.domain.quantities import QUANTITIES

# Grafana's own ids, packages/grafana-data/src/valueFormats/categories.ts; `suffix:` is its form for any other unit.
GRAFANA_UNITS = {
    "none", "kwatt", "kwatth", "kvoltamp", "kvoltampreact", "volt", "amp", "hertz", "m3", "masskg", "pressurekpa",
    "celsius", "percent", "degree", "h", "Wm2", "suffix: m³/h", "suffix: kvarh",
    "suffix: kVAh", "suffix: K", "velocityms", "rotrpm", "ppm",
    "dateTimeFromNow",
}  # fmt: skip


@pytest.fixture(scope="module")
def model() -> dict[str, Any]:
    return dict(build_dashboards()["institution-overview.json"])


def panels(model: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in model["panels"] if panel["type"] != "row"]


def test_the_dashboard_has_what_grafana_needs_to_load_it(model):
    """Title, uid, schema version, time range, time zone and variables are set; it can be stored anywhere."""
    assert model["title"] == "Institution overview"
    assert model["uid"] == "kgce-institution-overview"
    assert len(model["uid"]) <= 40  # Grafana's limit
    assert model["schemaVersion"] >= 36
    assert model["timezone"] == "Asia/Shanghai"
    assert model["time"] == {"from": "now-7d", "to": "now"}
    assert model.get("id") is None  # an id would tie the file to one Grafana's database


def test_places_are_chosen_from_region_down_to_device(model):
    """Each variable is limited by every one further out, and All also means places without the tag."""
    variables = [variable for variable in model["templating"]["list"] if variable["type"] == "query"]

    assert [variable["name"] for variable in variables] == ["region", "institution", "building", "device"]
    for position, variable in enumerate(variables):
        assert variable["allValue"] == ".*"
        for outer in variables[:position]:
            assert f'"{outer["name"]}" =~ /^${{{outer["name"]}:regex}}$/' in variable["query"]


def test_at_least_eight_panels_each_say_what_they_show(model):
    """Every panel has title, English and Chinese description, a unit Grafana knows, and the chosen data source."""
    assert len(panels(model)) >= 8
    for panel in panels(model):
        assert panel["title"], panel["id"]
        assert len(panel["description"]) > 20, panel["title"]
        assert any("\u4e00" <= letter <= "\u9fff" for letter in panel["description"]), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"] in GRAFANA_UNITS, panel["title"]
        assert panel["datasource"] == {"type": "influxdb", "uid": "${datasource}"}, panel["title"]
        assert panel["targets"], panel["title"]


def test_a_table_gives_every_column_of_values_its_unit(model):
    """The default unit `none` of a table is nobody's unit."""
    (table,) = [panel for panel in panels(model) if panel["type"] == "table"]
    columns = {query.influxql.split(' AS "')[1].split('"')[0] for query in queries(model) if query.panel == table["id"]}
    units = {
        override["matcher"]["options"]: override["properties"][0]["value"]
        for override in table["fieldConfig"]["overrides"]
    }

    assert columns | {"Time"} == set(units)
    assert set(units.values()) <= GRAFANA_UNITS - {"none"}


def test_every_query_is_limited_by_time_and_place(model):
    """No panel reads the whole database, and none ignores what was chosen above it."""
    found = queries(model)
    assert len(found) >= len(panels(model))
    for query in found:
        assert "$timeFilter" in query.influxql, query.title
        for place in ("region", "institution", "building", "device"):
            assert f"${{{place}:regex}}" in query.influxql, query.title


def test_ids_are_unique_and_refs_are_unique_within_a_panel(model):
    ids = Counter(panel["id"] for panel in model["panels"])
    refs = Counter((query.panel, query.ref) for query in queries(model))

    assert set(ids.values()) == {1}
    assert set(refs.values()) == {1}
    assert all(identity > 0 for identity in ids)


def test_panels_lie_on_the_grid_without_overlapping(model):
    """Grafana's grid is 24 columns wide."""
    places = [(panel["title"], panel["gridPos"]) for panel in model["panels"]]
    for title, place in places:
        assert place["x"] >= 0, title
        assert place["x"] + place["w"] <= 24, title
        assert place["h"] > 0, title
    for (first, a), (second, b) in combinations(places, 2):
        apart = (
            a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
            or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
        )  # fmt: skip
        assert apart, f"{first} overlaps {second}"


def test_days_are_cut_in_the_institutions_time_zone():
    """A dashboard for London must not cut its days in Shanghai."""
    london = build_dashboards("Europe/London")["institution-overview.json"]
    daily = [query.influxql for query in queries(london) if "time(1d)" in query.influxql]

    assert daily
    assert all(query.endswith("tz('Europe/London')") for query in daily)


def test_every_quantity_of_the_domain_has_a_unit_in_grafana():
    assert {grafana_unit(name) for name in QUANTITIES} <= GRAFANA_UNITS


def test_a_quantity_nobody_knows_is_refused_when_the_dashboard_is_built():
    with pytest.raises(InputError, match="unknown quantity 'aktive_power'"):
        grafana_unit("aktive_power")
