"""The rules of devices.md 2.1, one by one, on the host without its connection."""

import pytest

from kgce.simulators.sparkplug.encode import Datatype, payload
from tests.collectors.sparkplug.world import (
    NOW_MS,
    Listener,
    bd,
    born,
    dbirth,
    ddata,
    ddeath,
    metric,
    nbirth,
    ndeath,
    power,
)


def test_births_then_data_by_alias_give_readings() -> None:
    listener = Listener().hear(nbirth(), dbirth(), ddata(power(1500.0), seq=2))
    assert listener.rows == [
        ("active_energy_import", NOW_MS, 1.0, 0),  # 1000 Wh in kWh, from the birth
        ("active_power", NOW_MS, 0.005, 0),
        ("active_power", NOW_MS, 1.5, 0),
    ]
    assert listener.online
    assert listener.rebirths == 0


def test_the_number_wraps_from_255_to_0() -> None:
    listener = Listener().hear(nbirth(seq=253), dbirth(seq=254))
    listener.hear(*(ddata(power(float(seq), time_ms=NOW_MS + n), seq=seq) for n, seq in enumerate((255, 0, 1))))
    assert listener.powers[1:] == [0.255, 0.0, 0.001]


@pytest.mark.hazard(40)
def test_a_repeated_message_changes_nothing() -> None:
    listener = born().hear(ddata(power(1.0), seq=2), ddata(power(1.0), seq=2), ddata(power(3.0), seq=3)).wait(10)
    assert listener.powers == [0.001, 0.003]
    assert listener.rebirths == 0
    assert listener.host.refused == {"repeated message": 1}


@pytest.mark.hazard(45)
def test_messages_that_overtook_each_other_are_put_in_order() -> None:
    listener = born().hear(ddata(power(3.0), seq=3), ddata(power(4.0), seq=4), ddata(power(2.0), seq=2)).wait(10)
    assert listener.powers == [0.002, 0.003, 0.004]
    assert listener.rebirths == listener.host.gaps == 0


def test_a_lost_message_asks_for_births_when_the_reorder_time_is_over() -> None:
    listener = born(reorder_s=2.0).hear(ddata(power(3.0), seq=3))
    assert listener.wait(1.9).rebirths == 0
    assert listener.wait(0.2).rebirths == 1
    assert listener.host.gaps == 1
    assert not listener.online
    assert listener.powers == []
    listener.hear(ddata(power(4.0), seq=4))
    assert listener.powers == [], "nothing counts until the births"
    listener.hear(nbirth(at_ms=NOW_MS + 1), dbirth(at_ms=NOW_MS + 1), ddata(power(5.0), seq=2, at_ms=NOW_MS + 2))
    assert listener.powers == [0.005, 0.005]
    assert listener.online


def test_births_are_asked_for_no_more_often_than_configured() -> None:
    listener = Listener(rebirth_every_s=60.0)
    for seq in range(30):
        listener.hear(ddata(power(1.0), seq=seq)).wait(1.0)
    assert listener.rebirths == 1
    assert listener.wait(31.0).rebirths == 2, "it did not answer, and it did speak"
    assert listener.wait(600.0).rebirths == 2, "a node that says nothing is not asked again"
    assert listener.rows == []


def test_a_reorder_time_of_zero_asks_at_once() -> None:
    assert born(reorder_s=0).hear(ddata(power(1.0), seq=9)).rebirths == 1


def test_an_unknown_alias_gives_nothing_and_asks_for_births() -> None:
    listener = born().hear(ddata(metric(7.0, alias=99, states_kind=False), power(2.0), seq=2))
    assert listener.powers == [0.002], "what is known counts"
    assert listener.rebirths == 1
    assert listener.host.refused == {"unknown alias": 1}


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (metric(7.0, "Unheard of"), "metric not in the birth"),
        (metric(7.0, "Energy", alias=2), "name and alias contradict each other"),
        (metric(7, "Power", Datatype.INT32), "datatype differs from the birth"),
    ],
)
def test_what_contradicts_the_birth_gives_nothing(sent: object, reason: str) -> None:
    listener = born().hear(ddata(sent, seq=2))
    assert listener.rows == []
    assert listener.host.refused == {reason: 1}
    assert listener.rebirths == 1


def test_an_alias_given_twice_in_one_birth_is_no_alias() -> None:
    listener = Listener().hear(nbirth(), dbirth(metric(1.0, "Energy", alias=2), metric(5.0, "Power", alias=2)))
    listener.rows.clear()
    listener.hear(ddata(power(2.0), metric(3.0, "Power"), seq=2))
    assert listener.powers == [0.003], "by name it is clear"


def test_data_of_a_device_without_its_birth_ask_for_births() -> None:
    listener = Listener().hear(nbirth(), ddata(power(1.0), seq=1))
    assert (listener.rows, listener.rebirths, listener.online) == ([], 1, False)


def test_a_device_is_dead_until_its_next_birth() -> None:
    listener = born().hear(ddeath(seq=2))
    assert not listener.online
    assert listener.hear(ddata(power(1.0), seq=3)).rebirths == 1
    listener.hear(dbirth(seq=4), ddata(power(2.0), seq=5))
    assert listener.online
    assert listener.powers == [0.005, 0.002]


def test_a_death_takes_the_node_and_its_devices_away_without_a_reading() -> None:
    listener = born().hear(ndeath(bd_seq=0))
    assert not listener.online
    assert listener.rows == []
    assert listener.hear(ddata(power(1.0), seq=2)).powers == []


@pytest.mark.hazard(44)
def test_the_death_of_an_older_connection_is_ignored() -> None:
    """The broker publishes the will of the connection that was taken over, after the new birth."""
    listener = born().hear(ndeath(bd_seq=255), ddata(power(1.0), seq=2))
    assert listener.online
    assert listener.powers == [0.001]
    listener = Listener().hear(nbirth(bd_seq=7), dbirth(), ndeath(bd_seq=6))
    assert listener.online
    assert not listener.hear(ndeath(bd_seq=7)).online


def test_a_death_without_its_number_is_ignored() -> None:
    assert born().hear(("spBv1.0/G/NDEATH/N", payload(NOW_MS, [], None))).online


def test_a_delayed_copy_of_the_birth_does_not_revive_a_dead_node() -> None:
    assert not born().hear(ndeath(), nbirth()).online


def test_an_older_birth_is_not_believed_and_the_node_is_asked() -> None:
    """It was overtaken, or the clock was set back: the answer tells."""
    listener = Listener().hear(nbirth(bd_seq=9, at_ms=NOW_MS), dbirth(), nbirth(bd_seq=3, at_ms=NOW_MS - 5000))
    assert (listener.online, listener.rebirths) == (False, 1)
    assert listener.hear(nbirth(bd_seq=3, at_ms=NOW_MS - 4000), dbirth(at_ms=NOW_MS - 4000)).online


def test_a_node_that_starts_with_its_clock_set_back_is_believed_by_its_next_number() -> None:
    listener = Listener().hear(nbirth(bd_seq=255), nbirth(bd_seq=0, at_ms=1000), dbirth(at_ms=1000))
    assert (listener.online, listener.rebirths) == (True, 0)


def test_a_message_of_an_older_session_is_not_read_with_the_new_aliases() -> None:
    swapped = (metric(9.0, "Energy", alias=2), metric(9.0, "Power", alias=1))
    listener = Listener().hear(nbirth(), dbirth(), nbirth(bd_seq=1, at_ms=NOW_MS + 10))
    listener.hear(dbirth(*swapped, at_ms=NOW_MS + 10))
    listener.rows.clear()
    listener.hear(ddata(power(1.0), seq=2, at_ms=NOW_MS + 5))
    assert listener.rows == []
    assert listener.host.refused["sent before the present birth"] == 1


@pytest.mark.hazard(38)
def test_retained_messages_are_never_believed() -> None:
    listener = Listener().hear(nbirth(), dbirth(), retained=True)
    assert (listener.rows, listener.online) == ([], False)
    assert listener.host.refused == {"retained": 2}


def test_after_a_new_connection_nothing_counts_before_the_births() -> None:
    listener = born(reorder_s=2.0)
    listener.host.connected(listener.now_s, NOW_MS)
    assert not listener.online
    assert listener.hear(ddata(power(1.0), seq=2)).powers == []
    assert listener.wait(2.1).rebirths == 1, "a node that does not come by itself is asked once"
    assert listener.wait(600).rebirths == 1


def test_a_node_with_a_clock_that_stands_still_can_still_be_reborn() -> None:
    listener = born(reorder_s=0).hear(ddata(power(1.0), seq=7))
    assert listener.rebirths == 1
    assert listener.hear(nbirth(), dbirth(), ddata(power(2.0), seq=2)).powers == [0.005, 0.002]


def test_data_without_seq_are_refused() -> None:
    listener = born().hear(ddata(power(1.0), seq=None))
    assert listener.rows == []
    assert listener.host.refused == {"no seq": 1}


@pytest.mark.parametrize(
    "topic",
    ["spBv1.0/G/NCMD/N", "spBv1.0/G/DDATA/N", "spBv1.0/G/NBIRTH/N/D", "spBv1.0/H/NBIRTH/N", "a", "spAv1.0/G/NDATA/N"],
)
def test_other_topics_are_none_of_our_business(topic: str) -> None:
    assert Listener().hear((topic, payload(NOW_MS, [bd(0)], 0))).host.refused == {"topic not configured": 1}


def test_garbage_is_counted_and_changes_nothing() -> None:
    listener = born().hear(("spBv1.0/G/DDATA/N/D", b"\xff\xff"), ddata(power(1.0), seq=2))
    assert listener.powers == [0.001]
    assert listener.host.status("")[0].failures == 1
    assert "not Sparkplug" in listener.host.status("")[0].last_error
