"""Leaders, peers, derivations, totals and quotas over HTTP, on the seeded county."""

import pytest

from tests.api.client import TestClient

API = "/api/v1"
YEAR = {"year": 2023, "indicator": "energy_per_area"}
KGCE = 365 * 1000 * 0.1229  # of school-1 in 2023; GB/T 2589 as the national statistics apply it


def test_leaders_come_by_group_with_their_reasons(client: TestClient) -> None:
    found = client.get(f"{API}/leaders", params=YEAR).json()
    rows = {row["institution"]: row for row in found["items"]}
    assert (found["total"], found["next"], found["factor_set"]) == (4, None, "cn-national")
    assert rows["school-1"]["value"] == pytest.approx(KGCE / 10_000)
    assert rows["school-1"]["class"] == "school"
    assert rows["school-1"]["ratio_to_mean"] == pytest.approx(1000 / 1500)
    assert any("floor area" in reason for reason in rows["office-1"]["reasons_en"])
    assert rows["office-1"]["value"] is None
    assert all(row["reasons_zh"] for row in found["items"])


def test_pages_hold_every_row_once(client: TestClient) -> None:
    whole = [row["institution"] for row in client.get(f"{API}/leaders", params=YEAR).json()["items"]]
    seen, cursor = [], None
    for _ in range(len(whole)):
        asked = {**YEAR, "limit": 1} | ({} if cursor is None else {"cursor": cursor})
        found = client.get(f"{API}/leaders", params=asked).json()
        seen += [row["institution"] for row in found["items"]]
        cursor = found["next"]
    assert (seen, cursor) == (whole, None)


def test_a_ranking_page_links_to_the_next(client: TestClient) -> None:
    whole = client.get(f"{API}/ranking", params=YEAR)
    assert "link" not in whole.headers
    seen, link = [], f"{API}/ranking?year=2023&indicator=energy_per_area&limit=3"
    while link:
        answer = client.get(link)
        seen += answer.json()
        link = answer.links.get("next", {}).get("url")
    assert seen == whole.json()


@pytest.mark.parametrize("wrong", ["!!!", "bm9uc2Vuc2U", "WzFd"])
def test_a_cursor_of_nowhere_is_a_clear_refusal(client: TestClient, wrong: str) -> None:
    answer = client.get(f"{API}/leaders", params={**YEAR, "cursor": wrong})
    assert (answer.status_code, "cursor" in answer.json()["detail"]) == (422, True)


def test_a_unit_is_shown_among_its_peers(client: TestClient) -> None:
    found = client.get(f"{API}/peer-group", params={**YEAR, "institution": "school-2"}).json()
    assert {row["institution"] for row in found["items"]} == {"school-1", "school-2"}
    assert (found["size"], found["own"]["institution"]) == (2, "school-2")
    nobody = client.get(f"{API}/peer-group", params={**YEAR, "institution": "church"})
    assert (nobody.status_code, "church" in nobody.json()["detail"]) == (404, True)


def test_an_explanation_adds_up_to_its_figure(client: TestClient) -> None:
    found = client.get(f"{API}/explain", params={**YEAR, "institution": "school-1"}).json()
    terms = sum(term["weighed"] for term in found["terms"])
    meters = sum(meter["amount"] for term in found["terms"] for meter in term["meters"])
    assert terms / found["divisor"] == pytest.approx(found["value"], rel=1e-12)
    assert meters == pytest.approx(365_000)
    assert (found["factor_set"], found["months"]) == ("cn-national", 12)


def test_totals_of_a_county_are_those_of_its_institutions(client: TestClient) -> None:
    rows = client.get(f"{API}/totals", params={"name": "370102", "year": 2023}).json()
    [electricity] = [row for row in rows if row["account"] == "electricity.total"]
    assert electricity["amount"] == pytest.approx(365 * 4000)
    assert electricity["kgce"] == pytest.approx(4 * KGCE)
    assert client.get(f"{API}/totals", params={"name": "moon", "year": 2023}).status_code == 422


def test_quotas_say_how_far_they_were_checked(client: TestClient) -> None:
    """energy_domain.md section 3.2: universities 16.5, 10.0 and 7.5 kgce/m2."""
    rows = client.get(f"{API}/quotas", params={"class": "university", "indicator": "non_heating_per_area"}).json()
    [row] = rows
    assert (row["constraint"], row["reference"], row["guide"], row["confidence"]) == (16.5, 10.0, 7.5, "verified")
    assert (row["class"], row["in_force"]) == ("university", "2020-01-24")


def test_a_published_list_stays_as_it_was(client: TestClient, seeded) -> None:
    seeded.registry.publish("api-2023", {"year": 2023, "rows": [{"institution": "school-1"}]}, published_ms=0)
    found = client.get(f"{API}/publications/api-2023").json()
    assert found == {
        "name": "api-2023",
        "published": "1970-01-01T00:00:00Z",
        "document": {"year": 2023, "rows": [{"institution": "school-1"}]},
    }
    assert client.get(f"{API}/publications/nothing").status_code == 422
