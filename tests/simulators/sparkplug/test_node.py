"""What a simulated node says, in which order and with which numbers."""

from kgce.collectors.sparkplug.payload import Payload, parse
from kgce.simulators.sparkplug.node import UNKNOWN_ALIAS, EdgeNode

T = 1_790_000_000_000


class Steady:
    """A device with one counter and one gauge."""

    def values(self, time_ms: int) -> dict[str, float]:
        return {"active_energy_import": time_ms / 1000, "active_power": 3.6}


def node(**fields: int) -> EdgeNode:
    return EdgeNode("G", "N", {"a": Steady(), "b": Steady()}, **fields)


def read(sent: tuple[str, bytes]) -> Payload:
    return parse(sent[1])


def test_births_come_node_first_and_count_from_0() -> None:
    births = node().births(T)
    assert [topic.split("/", 2)[2] for topic, _ in births] == ["NBIRTH/N", "DBIRTH/N/a", "DBIRTH/N/b"]
    assert [read(sent).seq for sent in births] == [0, 1, 2]
    aliases = [metric.alias for sent in births[1:] for metric in read(sent).metrics]
    assert len(set(aliases)) == len(aliases) == 4
    assert {metric.unit for metric in read(births[1]).metrics} == {"kWh", "kW"}


def test_numbers_wrap_and_data_use_the_aliases_of_the_birth() -> None:
    simulated = node()
    births = simulated.births(T)
    seqs = [read(simulated.data("a", T + n)).seq for n in range(260)]
    assert seqs[:2] == [3, 4]
    assert seqs[252:254] == [255, 0]
    names = {metric.alias: metric.name for metric in read(births[2]).metrics}
    sent = read(simulated.data("b", T)).metrics
    assert [(names[metric.alias], metric.name, metric.datatype) for metric in sent if metric.alias] == [
        ("active_energy_import", None, None),
        ("active_power", None, None),
    ]


def test_will_and_birth_share_their_number_and_a_rebirth_keeps_it() -> None:
    simulated = node(bd_seq=255)

    def numbers() -> list[object]:
        death = read(simulated.death(T))
        assert death.seq is None
        return [death.metrics[0].raw, read(simulated.births(T)[0]).metrics[0].raw]

    assert numbers() == numbers() == [255, 255]
    simulated.next_connection()
    assert numbers() == [0, 0]


def test_history_carries_the_times_it_happened() -> None:
    simulated = node()
    simulated.births(T)
    metrics = read(simulated.history("a", [T - 2000, T - 1000], T)).metrics
    assert [metric.timestamp for metric in metrics] == [T - 2000, T - 2000, T - 1000, T - 1000]
    assert all(metric.is_historical for metric in metrics)
    assert metrics[0].raw == (T - 2000) / 1000


def test_the_unknown_alias_is_in_no_birth() -> None:
    simulated = node()
    known = {metric.alias for sent in simulated.births(T) for metric in read(sent).metrics}
    assert read(simulated.unknown_alias("a", T)).metrics[0].alias == UNKNOWN_ALIAS
    assert UNKNOWN_ALIAS not in known
