"""Every verdict that begins or ends is an event with its evidence, told once the readings are safe."""

from kgce.domain.batch import Batch, Quality
from kgce.domain.tree import Series
from kgce.edge.checks.checks import Checks
from tests.edge.fakes import ENERGY, NOW_MS, POWER, VOLTAGE

MINUTE_MS = 60_000
START_MS = NOW_MS - 10 * 3_600_000
SUPPLY = Series("office-1", "heat", "supply_temperature")
GAUGES = [
    Series("office-1", "main", name)
    for name in ("voltage_l1_n", "current_l1", "active_power_total", "frequency", "power_factor_total")
]


class Site:
    """Checks whose clock is the arrival of what is checked."""

    def __init__(self, **more) -> None:
        self.now_ms = START_MS
        self.events: list = []
        self.checks = Checks(clock=lambda: self.now_ms / 1000, record=self.events.append, **more)

    def take(self, *rows, now_ms: int | None = None, keep: bool = True) -> list[int]:
        self.now_ms = now_ms or max(time_ms for _, time_ms, _, _ in rows)
        checked = self.checks.check(Batch.from_rows(rows))
        if keep:
            self.checks.remember(checked)
        return checked.batch.quality.tolist()

    def ids(self) -> list[str]:
        return [event.id for event in self.events]


def minutes(at: float) -> int:
    return START_MS + round(at * MINUTE_MS)


def test_a_counter_that_fell_and_returned_is_told_twice_with_its_values() -> None:
    site = Site()
    for at, value in enumerate((5000.0, 0.0, 0.0, 5000.2)):
        site.take((ENERGY, minutes(at), value, 0))
    assert site.ids() == ["counter.fell", "counter.returned"]
    fell, returned = site.events
    assert (fell.evidence["before"], fell.evidence["value"]) == (5000.0, 0.0)
    assert returned.evidence["readings"] == 2
    assert fell.subject == "office-1/main/active_energy_import"


def test_a_counter_that_stays_on_another_level_is_told_as_such() -> None:
    site = Site()
    for at, value in enumerate((5000.0, 0.0, 0.1, 0.2, 0.3, 0.4)):
        site.take((ENERGY, minutes(at), value, 0))
    assert site.ids() == ["counter.fell", "counter.new_level"]


def test_a_leap_beyond_the_rate_is_told() -> None:
    site = Site(rates={"active_energy_import": 100.0})
    for at, value in enumerate((10.0, 42_949_672.94, 10.1)):
        site.take((ENERGY, minutes(at), value, 0))
    assert site.ids() == ["counter.leapt", "counter.returned"]


def test_a_frozen_counter_is_told_once_when_it_stops_and_once_when_it_moves() -> None:
    site = Site()
    for at in range(60):
        site.take((POWER, minutes(at), 600.0, 0), (ENERGY, minutes(at), 1000.0 + min(at, 2) * 10, 0))
    site.take((POWER, minutes(60), 600.0, 0), (ENERGY, minutes(60), 1600.0, 0))
    assert site.ids() == ["counter.frozen", "counter.moves"]


def test_what_could_not_be_kept_is_not_told() -> None:
    site = Site()
    site.take((ENERGY, minutes(0), 5000.0, 0))
    site.take((ENERGY, minutes(1), 0.0, 0), keep=False)
    assert site.events == []


def test_a_spike_is_suspect_and_told_when_its_neighbours_agree() -> None:
    site = Site()
    qualities = [site.take((SUPPLY, minutes(at), value, 0)) for at, value in enumerate((60.0, 61.0, 655.3, 61.5, 62.0))]
    assert qualities == [[0], [0], [Quality.OUT_OF_RANGE], [0], [0]], "beyond 400 degC physics judges"
    qualities = [site.take((SUPPLY, minutes(5 + at), value, 0)) for at, value in enumerate((62.0, 150.0, 63.0))]
    assert qualities == [[0], [Quality.SUSPECT], [0]]
    (event,) = site.events
    assert (event.id, event.evidence) == ("value.spike", {"before": 62.0, "spike": 150.0, "after": 63.0})


def test_a_new_level_is_suspect_only_until_the_next_reading_confirms_it() -> None:
    """A phase that fails: 230 V, then 0 V for as long as it lasts."""
    site = Site()
    values = (230.0, 0.0, 0.0, 0.0, 231.0, 230.5)
    qualities = [site.take((VOLTAGE, minutes(at), value, 0))[0] for at, value in enumerate(values)]
    assert qualities == [0, Quality.SUSPECT, 0, 0, Quality.SUSPECT, 0]
    assert site.events == []


def test_power_may_leap_when_a_chiller_starts() -> None:
    site = Site()
    assert [site.take((POWER, minutes(at), value, 0))[0] for at, value in enumerate((5.0, 400.0, 5.0))] == [0, 0, 0]


def test_several_readings_of_one_gauge_in_one_batch_are_judged_in_order() -> None:
    site = Site()
    rows = [(VOLTAGE, minutes(at), value, 0) for at, value in enumerate((230.0, 231.0, 23.0, 229.0))]
    assert site.take(*rows) == [0, 0, Quality.SUSPECT, 0]
    more = [(VOLTAGE, minutes(10 + at), value, 0) for at, value in enumerate((230.0, 23.0, 229.0))]
    assert site.take(*more) == [0, Quality.SUSPECT, 0]


def whole(at: int, shift: float = 0.0) -> list[tuple]:
    values = (230.1, 5.2, 3.4, 50.01, 0.93)
    return [(series, minutes(at), value + shift, 0) for series, value in zip(GAUGES, values, strict=True)]


def test_a_meter_whose_every_value_repeats_for_half_an_hour_is_stuck() -> None:
    site = Site()
    qualities = [set(site.take(*whole(at))) for at in range(32)]
    assert qualities[29] == {0}
    assert qualities[30] == {int(Quality.SUSPECT)}, "30 minutes after the first"
    assert set(site.take(*whole(32, 0.01))) == {0}
    assert site.ids() == ["value.stuck", "value.moves"]


def test_a_meter_one_of_whose_values_moves_is_not_stuck() -> None:
    site = Site()
    for at in range(60):
        rows = whole(at)
        rows[0] = (rows[0][0], rows[0][1], 230.0 + 0.1 * (at % 2), 0)
        assert set(site.take(*rows)) == {0}


def test_a_dead_bus_at_night_is_not_stuck() -> None:
    site = Site()
    for at in range(60):
        assert set(site.take(*((series, minutes(at), 0.0, 0) for series in GAUGES))) == {0}


def test_a_device_clock_that_keeps_its_distance_is_behind() -> None:
    site = Site()
    hour_ms = 3_600_000
    found = [site.take((POWER, minutes(at) - hour_ms, float(at), 0), now_ms=minutes(at)) for at in range(8)]
    assert [qualities[0] for qualities in found] == [0] * 5 + [Quality.TIME_UNSURE] * 3
    (event,) = site.events
    assert (event.id, event.evidence["behind_s"]) == ("device.clock_wrong", 3600.0)
    assert site.take((POWER, minutes(9), 9.0, 0)) == [0]
    assert site.ids() == ["device.clock_wrong", "device.clock_right"]


def test_a_device_clock_that_stands_still_while_values_change_is_told() -> None:
    site = Site()
    for at in range(30):
        site.take((POWER, minutes(0), float(at), 0), now_ms=minutes(at))
    assert [event.evidence["kind"] for event in site.events] == ["stands still"]


def test_a_backlog_that_catches_up_is_no_wrong_clock() -> None:
    site = Site()
    for at in range(30):
        site.take((POWER, minutes(at * 3) - 86_400_000, float(at), 0), now_ms=minutes(at))
    assert site.events == []


def test_a_daily_freeze_is_no_wrong_clock() -> None:
    """Hazard 52: a slow medium's own time, new once a day, handed over every minute."""
    site = Site()
    for at in range(60):
        site.take((ENERGY, START_MS - 86_400_000, 100.0, 0), now_ms=minutes(at))
    assert site.events == []


def test_a_device_that_sends_from_the_future_is_refused_and_told_once_an_hour() -> None:
    site = Site()
    for at in range(70):
        site.take((POWER, minutes(at) + 86_400_000, float(at), 0), now_ms=minutes(at))
    assert site.ids() == ["reading.time.future", "reading.time.future"]


def test_what_the_checks_know_outlives_a_restart() -> None:
    """A meter replaced while the gateway was off falls against the reading before the stop."""
    before = Site()
    before.take((ENERGY, minutes(0), 5000.0, 0))
    after = Site()
    after.checks.restore(before.checks.state())
    assert after.take((ENERGY, minutes(1), 3.0, 0)) == [Quality.SUSPECT]
    assert Site().take((ENERGY, minutes(1), 3.0, 0)) == [0], "without the memory nobody would know"
