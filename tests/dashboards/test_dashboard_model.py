"""Every dashboard's JSON holds what Grafana needs, in both languages, and nothing overlaps."""

import re
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
    "celsius", "percent", "percentunit", "degree", "h", "Wm2", "suffix: m³/h", "suffix: kvarh",
    "suffix: kVAh", "suffix: K", "velocityms", "rotrpm", "ppm", "string", "suffix: kgce", "suffix: kgce/m²",
    "suffix: kgce/p", "suffix: m³/p", "suffix: kWh/m²", "dateTimeFromNow",
}  # fmt: skip
MODELS = build_dashboards()
NAMES = sorted({name.split("/")[1] for name in MODELS})
YEARLY = (
    '"period" =~ /^${year:regex}$/'  # figures of a year stand at its first moment: the year is chosen, not the time
)


def panels(model: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in model["panels"] if panel["type"] != "row"]


@pytest.fixture(params=sorted(MODELS))
def model(request) -> dict[str, Any]:
    return dict(MODELS[request.param])


def test_nine_dashboards_in_two_languages():
    assert len(MODELS) == 2 * len(NAMES) == 18
    assert len({model["uid"] for model in MODELS.values()}) == 18


def test_the_dashboard_has_what_grafana_needs_to_load_it(model):
    """Title, uid, schema version, time range, time zone and variables are set; it can be stored anywhere."""
    assert model["title"]
    assert model["uid"].startswith("kgce-")
    assert len(model["uid"]) <= 40  # Grafana's limit
    assert model["schemaVersion"] >= 36
    assert model["timezone"] == "Asia/Shanghai"
    assert re.fullmatch(r"now-\d+[dy]", model["time"]["from"])
    assert model.get("id") is None  # an id would tie the file to one Grafana's database


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_ask_the_same_and_say_it_in_their_own_words(name):
    english, chinese = MODELS[f"en/{name}"], MODELS[f"zh/{name}"]
    asked = [[(query.panel, query.ref, query.influxql) for query in queries(model)] for model in (english, chinese)]
    assert asked[0] == asked[1]
    for model, is_chinese in ((english, False), (chinese, True)):
        for panel in [model, *model["panels"]]:
            assert has_han(panel["title"]) is is_chinese, panel["title"]
        for panel in panels(model):
            assert has_han(panel["description"]) is is_chinese, panel["title"]


def has_han(text: str) -> bool:
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)


def test_dashboards_of_a_language_link_to_each_other(model):
    (link,) = model["links"]
    language = "zh" if model["uid"].endswith("-zh") else "en"
    assert link["tags"] == [f"kgce-{language}"]
    assert f"kgce-{language}" in model["tags"]
    assert link["includeVars"]
    assert link["keepTime"]


def test_places_are_chosen_from_the_outermost_in(model):
    """Each place is limited by every one further out, and All also means places without the tag."""
    tree = ["region", "institution", "building", "device"]
    variables = {one["name"]: one for one in model["templating"]["list"] if one["type"] == "query"}
    places = [name for name in variables if name in tree]

    assert places == tree[: len(places)]
    assert len(places) >= 2
    for position, name in enumerate(places):
        assert variables[name]["allValue"] == ".*"
        for outer in places[:position]:
            assert f'"{outer}" =~ /^${{{outer}:regex}}$/' in variables[name]["query"]


def test_every_panel_says_what_it_shows(model):
    """Every panel has title, description, a unit Grafana knows, and the chosen data source."""
    for panel in panels(model):
        assert panel["title"], panel["id"]
        assert len(panel["description"]) > 8, panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"] in GRAFANA_UNITS, panel["title"]
        assert panel["datasource"] == {"type": "influxdb", "uid": "${datasource}"}, panel["title"]
        assert panel["targets"], panel["title"]


def test_a_table_gives_every_column_of_values_its_unit(model):
    """The default unit `none` of a table is nobody's unit."""
    for table in [panel for panel in panels(model) if panel["type"] == "table"]:
        found = [query.influxql for query in queries(model) if query.panel == table["id"]]
        columns = {name for query in found for name in re.findall(r' AS "([^"]+)"', query)} - {"each"}
        units = {
            override["matcher"]["options"]: override["properties"][0]["value"]
            for override in table["fieldConfig"]["overrides"]
            if override["properties"][0]["id"] == "unit"
        }
        assert columns <= set(units), table["title"]
        assert set(units.values()) <= GRAFANA_UNITS


def test_every_query_is_limited_by_time_and_place(model):
    """No panel reads the whole database, and none ignores what was chosen above it."""
    offered = {variable["name"] for variable in model["templating"]["list"]}
    assert len(queries(model)) >= len(panels(model))
    for query in queries(model):
        assert "$timeFilter" in query.influxql or YEARLY in query.influxql, query.title
        if 'FROM "event"' in query.influxql:
            continue  # events are told by gateways, which have no place in the tree
        for place in ("region", "institution"):
            assert f"${{{place}:regex}}" in query.influxql, query.title
        assert set(re.findall(r"\$\{(\w+):regex\}", query.influxql)) <= offered, query.title


def test_figures_of_different_factor_sets_are_never_added_up(model):
    for query in queries(model):
        if '"consumption"' in query.influxql or '"indicator"' in query.influxql:
            assert '"factor_set" =~ /^${factor_set:regex}$/' in query.influxql, query.title
    sets = [variable for variable in model["templating"]["list"] if variable["name"] == "factor_set"]
    assert not any(variable.get("multi") or variable.get("includeAll") for variable in sets)


def test_ids_are_unique_and_refs_are_unique_within_a_panel(model):
    ids = Counter(panel["id"] for panel in model["panels"])
    refs = Counter((query.panel, query.ref) for query in queries(model))

    assert set(ids.values()) == {1}
    assert set(refs.values()) == {1}


def test_no_two_panels_overlap_and_all_are_on_the_page(model):
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
    for london in build_dashboards("Europe/London").values():
        daily = [query.influxql for query in queries(london) if "time(1d)" in query.influxql]
        assert all(query.endswith("tz('Europe/London')") for query in daily)


def test_every_quantity_of_the_domain_has_a_unit_in_grafana():
    assert {grafana_unit(name) for name in QUANTITIES} <= GRAFANA_UNITS


def test_a_quantity_nobody_knows_is_refused_when_the_dashboard_is_built():
    with pytest.raises(InputError, match="unknown quantity 'aktive_power'"):
        grafana_unit("aktive_power")
