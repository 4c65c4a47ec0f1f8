from collections import Counter

import numpy as np
import pytest

from kgce.domain.carriers import CARRIERS
from kgce.domain.quantities import Kind
from kgce.simulators.county import county, history, registry_rows
from kgce.simulators.devices.pulse_meter import GAS, WATER, shown_volume_m3
from kgce.simulators.site import load_site
from kgce.simulators.timeline import DAY_MS, EPOCH_MS
from tests.simulators.modbus_client import connected
from tests.simulators.world import HOSPITAL, OFFICE, SCHOOL, frozen_site, ms

MIDNIGHT_MS = ms("2026-03-02T00:00:00+08:00")
COUNTY = {building.config.institution: building for building in county()}


def test_the_county_has_twelve_institutions_and_the_live_ones_are_among_them():
    uses = Counter(building.config.use.value for building in COUNTY.values())

    assert uses == {"office": 4, "school": 4, "hospital": 2, "venue": 2}
    assert {building.institution for building in load_site("county").buildings} == {OFFICE, SCHOOL, HOSPITAL}
    assert list(COUNTY)[:3] == [OFFICE, SCHOOL, HOSPITAL]


def test_registry_rows_hold_every_year_and_every_parent():
    rows = registry_rows(COUNTY.values(), last_year=2026)
    regions = {region.code for region in rows.regions}

    assert len(rows.institutions) == len(rows.buildings) == 12
    assert len(rows.attributes) == 12 * 12  # 2015 to 2026
    assert {entry.region for entry in rows.institutions} <= regions
    assert all(code[:-2] in regions for code in regions if len(code) > 2)
    assert {entry.institution for entry in rows.buildings} == set(COUNTY)
    for entry in rows.attributes:
        assert entry.people == round(entry.people) > 0
        assert entry.area_m2 > 0
        assert entry.heated_area_m2 is None or 0 < entry.heated_area_m2 <= entry.area_m2


def test_people_come_and_go_over_the_years():
    rows = registry_rows(COUNTY.values(), last_year=2026)
    people = {(entry.institution, entry.year): entry.people for entry in rows.attributes}

    assert people[OFFICE, 2015] == COUNTY[OFFICE].config.people
    assert any(people[name, 2026] > people[name, 2015] for name in COUNTY)
    assert any(people[name, 2026] < people[name, 2015] for name in COUNTY)


def test_history_is_sampled_at_local_midnights_of_the_range():
    points, batch = history(COUNTY[OFFICE], start_ms=MIDNIGHT_MS - DAY_MS + 1, end_ms=MIDNIGHT_MS + 3 * DAY_MS)

    assert [(p.series.device, p.series.quantity, p.series.measurement, p.carrier) for p in points] == [
        ("main-meter", "active_energy_import", "electricity", "electricity"),
        ("water-meter", "water_volume", "water", "water"),
        ("gas-meter", "gas_volume", "gas", "natural_gas"),
    ]
    for position, point in enumerate(points):
        assert point.kind is Kind.COUNTER
        assert point.counts
        assert point.series.quantity == CARRIERS[point.carrier].quantity
        times = batch.of_series(position).time_ms
        assert times.tolist() == [MIDNIGHT_MS, MIDNIGHT_MS + DAY_MS, MIDNIGHT_MS + 2 * DAY_MS]  # the end is outside


def test_an_empty_range_has_points_but_no_rows():
    points, batch = history(COUNTY[SCHOOL], start_ms=MIDNIGHT_MS + 1, end_ms=MIDNIGHT_MS + 2)

    assert len(points) == 2
    assert len(batch) == 0


def test_a_range_outside_the_simulated_years_is_refused():
    with pytest.raises(ValueError, match="2015 to 2049"):
        history(COUNTY[SCHOOL], start_ms=EPOCH_MS - 1, end_ms=EPOCH_MS + 1)
    with pytest.raises(ValueError, match="2015 to 2049"):
        history(COUNTY[SCHOOL], start_ms=EPOCH_MS, end_ms=ms("2050-01-01T00:00:01+08:00"))


@pytest.mark.parametrize("institution", [OFFICE, SCHOOL, HOSPITAL])
def test_history_is_the_live_sites_truth_as_its_meters_show_it(institution):
    """Electricity in 32-bit floats, water and gas in whole pulses; nothing else may differ."""
    site = frozen_site(MIDNIGHT_MS)
    points, batch = history(COUNTY[institution], start_ms=MIDNIGHT_MS, end_ms=MIDNIGHT_MS + 1)
    shown = {
        "electricity": lambda truth: float(np.float32(truth)),
        "water": lambda truth: shown_volume_m3(WATER, np.array([truth]))[0],
        "natural_gas": lambda truth: shown_volume_m3(GAS, np.array([truth]))[0],
    }

    for position, point in enumerate(points):
        [value] = batch.of_series(position).value
        truth = site.truth(institution, point.series.device, point.series.quantity, MIDNIGHT_MS)
        assert value == shown[point.carrier](truth)
        assert value == pytest.approx(truth, rel=1e-6)


async def test_a_live_read_at_midnight_equals_the_history_to_the_bit():
    _, batch = history(COUNTY[OFFICE], start_ms=MIDNIGHT_MS, end_ms=MIDNIGHT_MS + 1)
    async with frozen_site(MIDNIGHT_MS) as site:
        _, port, unit = site.address(OFFICE, "main-meter")
        async with connected(port) as client:
            [live_kwh] = await client.floats(unit, 72, 1)

    assert live_kwh == batch.of_series(0).value[0]


def test_points_and_places_equal_those_of_the_live_gateway_configuration():
    """Same device ids and places on both sides, so that live readings extend the same series."""
    config = {building.institution: building for building in load_site("county").buildings}
    for institution in (OFFICE, SCHOOL, HOSPITAL):
        points, _ = history(COUNTY[institution], start_ms=MIDNIGHT_MS, end_ms=MIDNIGHT_MS)
        ids = {device.id for device in config[institution].devices}
        for point in points:
            assert point.series.device in ids
            assert (point.series.institution, point.series.building, point.series.region) == (
                institution,
                config[institution].building,
                config[institution].region,
            )


def test_counters_of_all_institutions_never_fall():
    for building in COUNTY.values():
        points, batch = history(building, start_ms=EPOCH_MS, end_ms=MIDNIGHT_MS)
        for position in range(len(points)):
            assert np.diff(batch.of_series(position).value).min() >= 0


def test_twelve_years_of_twelve_institutions_have_a_reading_for_every_day():
    rows = sum(
        len(history(building, start_ms=EPOCH_MS, end_ms=ms("2027-01-01T00:00:00+08:00"))[1])
        for building in county(seed=31)
    )
    assert rows == sum(len(b.config.devices) - len(b.boilers) - len(b.chargers) for b in COUNTY.values()) * 4383


def test_the_same_seed_gives_the_same_county_and_another_seed_another():
    first, second, other = (
        history(county(seed)[5], start_ms=MIDNIGHT_MS, end_ms=MIDNIGHT_MS + 1)[1].value for seed in (4, 4, 5)
    )

    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)
