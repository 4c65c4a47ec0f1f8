"""What becomes of one metric: unit, time, null, history."""

import math

import pytest

from kgce.domain.batch import Quality
from kgce.simulators.sparkplug.encode import Datatype
from tests.collectors.sparkplug.world import METER, NOW_MS, Listener, born, dbirth, ddata, metric, nbirth, power


def test_null_is_bad_and_never_zero() -> None:
    [(quantity, time_ms, value, quality)] = born().hear(ddata(power(None), seq=2)).rows
    assert (quantity, time_ms, quality) == ("active_power", NOW_MS, Quality.BAD)
    assert math.isnan(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_float_that_is_no_number_is_bad(value: float) -> None:
    [(_, _, read, quality)] = born().hear(ddata(power(value), seq=2)).rows
    assert math.isnan(read)
    assert quality == Quality.BAD


@pytest.mark.hazard(51)
def test_history_is_a_reading_of_its_own_time() -> None:
    past = NOW_MS - 86_400_000
    listener = born().hear(ddata(power(7.0, time_ms=past, is_historical=True), power(8.0), seq=2))
    assert [row[1:3] for row in listener.rows] == [(past, 0.007), (NOW_MS, 0.008)]


def test_history_without_its_own_time_is_refused() -> None:
    listener = born().hear(ddata(power(7.0, time_ms=None, is_historical=True), seq=2))
    assert listener.rows == []
    assert listener.host.refused == {"active_power without its own time": 1}


def test_data_without_their_own_time_have_that_of_their_message() -> None:
    assert born().hear(ddata(power(7.0, time_ms=None), seq=2, at_ms=NOW_MS + 5)).rows[0][1] == NOW_MS + 5


@pytest.mark.hazard(38)
@pytest.mark.parametrize(
    ("time_ms", "reason"),
    [(None, "Power without its own time"), (NOW_MS - 300_001, "Power in the birth is old"), (5, "time implausible")],
)
def test_a_birth_value_counts_only_with_its_own_recent_time(time_ms: int | None, reason: str) -> None:
    listener = Listener().hear(nbirth(), dbirth(metric(5.0, "Power", time_ms=time_ms)))
    assert listener.rows == []
    [counted] = listener.host.refused
    assert reason.replace("Power", "active_power") in counted
    assert Listener().hear(nbirth(), dbirth(metric(5.0, "Power", time_ms=NOW_MS - 300_000))).powers == [0.005]


def test_the_birth_states_the_unit_where_the_configuration_does_not() -> None:
    rules = {"metrics": {"Power": {"quantity": "active_power"}}, "metering": None}
    stated = Listener({**METER, **rules}).hear(nbirth(), dbirth(metric(5.0, "Power", alias=2, unit="MW")))
    assert stated.hear(ddata(power(6.0), seq=2)).powers == [5000.0, 6000.0]
    silent = Listener({**METER, **rules}).hear(nbirth(), dbirth(metric(5.0, "Power")))
    assert silent.rows == []
    assert "without a unit" in next(iter(silent.host.refused))
    wrong = Listener({**METER, **rules}).hear(nbirth(), dbirth(metric(5.0, "Power", unit="kWh")))
    assert wrong.rows == []
    assert "measures something else" in next(iter(wrong.host.refused))


def test_scale_comes_before_the_unit() -> None:
    rules = {"metrics": {"Power": {"quantity": "active_power", "unit": "W", "scale": 0.1}}, "metering": None}
    listener = Listener({**METER, **rules}).hear(nbirth(), dbirth(metric(-1500, "Power", Datatype.INT32)))
    assert listener.powers == pytest.approx([-0.15], rel=1e-12)


def test_text_is_no_number() -> None:
    listener = Listener().hear(nbirth(), dbirth(metric("locked", "Power", Datatype.STRING)))
    assert listener.host.refused == {"active_power is no number": 1}


def test_metrics_of_the_node_itself_can_be_a_device() -> None:
    own = {**METER, "sparkplug_device": None}
    topic, data = dbirth(metric(1.0, "Energy", alias=1), metric(5.0, "Power", alias=2), seq=0)
    listener = Listener(own).hear((topic.replace("DBIRTH", "NBIRTH").removesuffix("/D"), data))
    topic, data = ddata(power(6.0), seq=1)
    assert listener.hear((topic.replace("DDATA", "NDATA").removesuffix("/D"), data)).powers == [0.005, 0.006]
    assert listener.online
