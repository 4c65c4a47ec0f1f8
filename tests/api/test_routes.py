"""Routes on a real store: the planted figures come out, in the shapes of the contract."""

import json
from datetime import timedelta

import pytest

from kgce.api.app import Context, create_api
from kgce.domain.batch import Batch, Quality
from kgce.store.open import open_store
from tests.api.client import TestClient
from tests.api.seeded import NOW, Seeded, ms, power, series

API = "/api/v1"
RANK_NAMES = [
    "rank",
    "institution",
    "name",
    "class",
    "value",
    "unit",
    "factor_set",
    "coverage_ratio",
    "percentile",
    "reason",
]
JUNE_14 = {"start": "2024-06-14T00:00:00+08:00", "end": "2024-06-15T00:00:00+08:00"}


def test_ranking_has_the_planted_figures_in_the_contracts_order(client: TestClient):
    """365 x 1000 kWh x 0.1229 kgce/kWh (GB/T 2589) / 10 000 m2; the other school uses twice as much."""
    rows = client.get(f"{API}/ranking", params={"year": 2023, "indicator": "energy_per_area"}).json()
    assert [list(row) for row in rows] == [RANK_NAMES] * 4
    assert [(row["rank"], row["institution"]) for row in rows[:2]] == [(1, "school-1"), (2, "school-2")]
    assert [row["value"] for row in rows[:2]] == pytest.approx(
        [365 * 1000 * 0.1229 / 10_000, 365 * 2000 * 0.1229 / 10_000]
    )
    assert {row["institution"]: row["reason"] for row in rows[2:]} == {
        "hall-1": "no energy readings in 2023",
        "office-1": "no floor area stated for 2023",
    }
    assert all(row["rank"] is None and row["value"] is None for row in rows[2:])


def test_ranking_can_be_narrowed_to_a_class_without_changing_ranks(client: TestClient):
    asked = {"year": 2023, "indicator": "energy_per_capita", "class": "office"}
    rows = client.get(f"{API}/ranking", params=asked).json()
    assert [(row["rank"], row["class"]) for row in rows] == [(1, "office")]


def test_ranking_names_the_set_and_says_when_it_is_younger_than_the_year(client: TestClient):
    asked = {"year": 2019, "indicator": "energy_per_area", "factor_set": "sd-db37-2019"}
    answer = client.get(f"{API}/ranking", params=asked)
    assert answer.headers["Kgce-Note"].startswith("retrospective: sd-db37-2019")
    assert int(answer.headers["Age"]) < 60


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"year": 1066}, id="year out of range"),
        pytest.param({"indicator": "beauty"}, id="unknown indicator"),
        pytest.param({"factor_set": "nobody"}, id="unknown factor set"),
        pytest.param({"min_coverage": "nan"}, id="NaN is no share"),
        pytest.param({"min_coverage": "1.01"}, id="more than everything"),
    ],
)
def test_a_wrong_parameter_is_a_problem_that_names_it(client: TestClient, wrong: dict[str, object]):
    answer = client.get(f"{API}/ranking", params={"year": 2023, "indicator": "energy_per_area", **wrong})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == 422
    assert next(iter(wrong)).replace("_", " ") in body["detail"].replace("_", " ")


def test_ledger_gives_the_day_in_the_institutions_time(client: TestClient):
    asked = {"institution": "school-1", "point": "main", "grid": "day", **JUNE_14}
    assert client.get(f"{API}/ledger", params=asked).json() == [
        {
            **JUNE_14,
            "amount": pytest.approx(1000.0),
            "unit": "kWh",
            "provenance": "measured",
            "coverage_ratio": pytest.approx(1.0),
            "flags": [],
        }
    ]


def test_ledger_says_null_where_nothing_is_known(client: TestClient):
    asked = {"institution": "school-1", "point": "main", "start": "2021-01-01T00:00:00Z", "end": "2021-01-01T08:00:00Z"}
    (row,) = client.get(f"{API}/ledger", params=asked).json()[:1]
    assert (row["amount"], row["provenance"], row["coverage_ratio"]) == (None, "missing", 0.0)


@pytest.mark.parametrize("route", ["series", "ledger"])
@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        pytest.param("2024-06-14T00:00:00", "2024-06-15T00:00:00Z", "timezone", id="naive start"),
        pytest.param("2024-06-15T00:00:00Z", "2024-06-14T00:00:00Z", "is not after", id="reversed"),
        pytest.param("2024-06-15T00:00:00Z", "2024-06-15T00:00:00Z", "is not after", id="empty"),
        pytest.param("0001-01-01T00:00:00+08:00", "2024-06-15T00:00:00Z", "1980", id="before any meter"),
        pytest.param("1981-01-01T00:00:00Z", "2199-01-01T00:00:00Z", "longer than", id="two centuries"),
        pytest.param("yesterday", "2024-06-15T00:00:00Z", "start", id="no time at all"),
        pytest.param("1718323200", "2024-06-15T00:00:00Z", "ISO 8601", id="seconds or milliseconds, who knows"),
    ],
)
def test_a_span_that_cannot_be_is_refused(client: TestClient, route: str, start: str, end: str, said: str):
    asked = {"institution": "school-1", "point": "main", "start": start, "end": end, "grid": "hour"}
    answer = client.get(f"{API}/{route}", params=asked)
    assert (answer.status_code, said in answer.json()["detail"]) == (422, True), answer.text


def test_a_plus_that_became_a_space_still_means_the_offset(client: TestClient):
    text = "institution=school-1&point=main&start=2024-06-14T00:00:00+08:00&end=2024-06-14T02:00:00+08:00"
    assert len(client.get(f"{API}/series?{text}").json()["readings"]) == 2


def test_series_are_half_open_and_oldest_first(client: TestClient):
    asked = {"institution": "school-1", "point": "main.active_energy_import", **JUNE_14}
    body = client.get(f"{API}/series", params=asked).json()
    assert (body["point"], body["unit"], len(body["readings"])) == ("main.active_energy_import", "kWh", 24)
    assert body["readings"][0]["time"] == "2024-06-13T16:00:00Z"
    assert {row["quality"] for row in body["readings"]} == {"good"}


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("institutions/nobody", id="institution"),
        pytest.param("institutions/nobody/points", id="points of nobody"),
        pytest.param("latest?institution=nobody", id="latest of nobody"),
        pytest.param("today?institution=nobody", id="today of nobody"),
        pytest.param("indicators?institution=nobody&year=2023", id="indicators of nobody"),
        pytest.param(
            "series?institution=school-1&point=lost&start=2024-01-01T00:00:00Z&end=2024-01-02T00:00:00Z", id="series"
        ),
        pytest.param(
            "ledger?institution=school-1&point=lost&start=2024-01-01T00:00:00Z&end=2024-01-02T00:00:00Z", id="point"
        ),
        pytest.param("nothing/here", id="route"),
    ],
)
def test_what_nobody_registered_is_a_404_problem(client: TestClient, path: str):
    answer = client.get(f"{API}/{path}")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json()["title"] == "Not Found"


def test_institutions_are_found_by_part_of_the_name_and_paged(client: TestClient):
    assert [one["id"] for one in client.get(f"{API}/institutions", params={"q": "中学"}).json()["items"]] == [
        "school-1"
    ]
    page = client.get(f"{API}/institutions", params={"class": "school", "limit": 1, "offset": 1, "year": 2023}).json()
    assert (page["total"], [one["id"] for one in page["items"]]) == (2, ["school-2"])
    assert page["items"][0]["attributes"]["class"] == "school"
    assert page["items"][0]["attributes"]["year"] == 2023


def test_an_institution_shows_buildings_years_and_points(client: TestClient):
    body = client.get(f"{API}/institutions/office-1").json()
    assert [one["id"] for one in body["buildings"]] == ["office-1-b"]
    assert [(row["year"], row["area_m2"]) for row in body["years"]] == [
        (year, None) for year in (2015, 2022, 2023, 2024)
    ]
    (point,) = client.get(f"{API}/institutions/office-1/points").json()
    assert (point["point"], point["carrier"], point["unit"], point["kind"]) == ("main", "electricity", "kWh", "counter")


def test_indicators_stand_beside_their_baseline(client: TestClient):
    rows = client.get(f"{API}/indicators", params={"institution": "school-2", "year": 2023}).json()
    by_name = {row["indicator"]: row for row in rows}
    assert by_name["water_per_capita"]["value"] == pytest.approx(365 * 50 / 1000)
    assert by_name["water_per_capita"]["factor_set"] is None
    assert by_name["energy_per_area"]["baseline_year"] == 2015
    assert by_name["energy_per_area"]["baseline_value"] is None


def test_today_is_counted_from_local_midnight(client: TestClient):
    """Half a day of 2000 kWh and 50 m3."""
    body = client.get(f"{API}/today", params={"institution": "school-2"}).json()
    assert (body["start"], body["end"]) == ("2024-06-15T00:00:00+08:00", "2024-06-15T12:00:00+08:00")
    amounts = {row["carrier"]: (row["amount"], row["kgce"]) for row in body["carriers"]}
    assert amounts["electricity"] == pytest.approx((1000.0, 122.9))
    assert amounts["water"] == (pytest.approx(25.0), None)


def test_today_of_several_adds_up_and_equals_that_of_all(client: TestClient):
    """(1000 + 2000 + 1000) kWh / 2; hall-1 meters nothing."""
    names = ["school-1", "school-2", "office-1", "hall-1"]
    several = client.get(f"{API}/today", params={"institution": names}).json()
    everyone = client.get(f"{API}/today").json()
    assert several["carriers"][0]["amount"] == pytest.approx(2000.0)
    assert (several["institutions"], everyone["institutions"]) == (4, None)
    for one, other in zip(several["carriers"], everyone["carriers"], strict=True):
        assert one == pytest.approx(other)


def test_factor_sets_name_source_and_validity(client: TestClient):
    sets = {one["id"]: one for one in client.get(f"{API}/factor-sets").json()}
    assert sets["cn-national"]["is_default"]
    assert sets["sd-db37-2019"]["valid_from"] == "2020-01-24"
    assert {"carrier": "electricity", "value": 0.31, "unit": "kWh"}.items() <= sets["sd-db37-2019"]["factors"][
        0
    ].items()


def test_findings_are_shown_with_their_evidence(client: TestClient):
    body = client.get(f"{API}/findings", params={"subject": "school-1"}).json()
    assert (body["total"], body["items"][0]["evidence"]) == (1, {"rows": 3})
    assert client.get(f"{API}/findings", params={"subject": "school-2"}).json()["total"] == 0


def test_latest_shows_a_bad_value_as_null_with_its_age(seeded: Seeded, tmp_path):
    """NaN never appears in JSON."""
    with open_store(tmp_path) as store:  # type: ignore[attr-defined]
        rows = [(series("school-1", "frequency"), ms(NOW - timedelta(seconds=30)), float("nan"), int(Quality.BAD))]
        store.append(Batch.concat([Batch.from_rows(rows), power("school-1", 12.5, NOW - timedelta(seconds=3))]))
        client = TestClient(create_api(Context(store=store, registry=seeded.registry, clock=NOW.timestamp)))
        text = client.get(f"{API}/latest", params={"institution": "school-1"}).text
        asked = {
            "institution": "school-1",
            "point": "main.frequency",
            "start": "2024-06-15T00:00:00Z",
            "end": "2024-06-16T00:00:00Z",
        }
        raw = client.get(f"{API}/series", params=asked).json()
    assert "NaN" not in text
    shown = {row["quantity"]: (row["value"], row["unit"], row["quality"], row["age_s"]) for row in json.loads(text)}
    assert shown == {"frequency": (None, "Hz", "bad", 30.0), "active_power_total": (12.5, "kW", "good", 3.0)}
    assert raw["readings"] == [{"time": "2024-06-15T04:00:30Z", "value": None, "quality": "bad"}]


def test_more_readings_than_one_answer_holds_are_refused(seeded: Seeded, tmp_path):
    with open_store(tmp_path) as store:  # type: ignore[attr-defined]
        count = 100_001
        place = series("school-1", "active_power_total")
        store.append(Batch.of([place], [0] * count, [ms(NOW) + step * 1000 for step in range(count)], [1.0] * count))
        client = TestClient(create_api(Context(store=store, registry=seeded.registry)))
        asked = {
            "institution": "school-1",
            "point": "main",
            "start": "2024-06-01T00:00:00Z",
            "end": "2024-07-01T00:00:00Z",
        }
        answer = client.get(f"{API}/series", params=asked)
    assert (answer.status_code, "more than 100000" in answer.json()["detail"]) == (422, True)
