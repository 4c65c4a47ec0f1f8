"""Whatever happens to a node's messages on the way, a reading is a true one or there is none.

The truth: metric k at instant t has the value 1000 k + t; so a value read under a wrong name or time shows itself.
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from kgce.collectors.sparkplug.host import Host
from kgce.simulators.sparkplug.node import EdgeNode, Sent
from tests.collectors.sparkplug.world import METER, NOW_MS, config

NAMES = ("active_power", "active_power_l1", "active_power_l2")
DEVICES = ("D1", "D2")


class Truth:
    """A device whose values tell their name, device and time."""

    def __init__(self, base: int) -> None:
        self._base = base

    def values(self, time_ms: int) -> dict[str, float]:
        return {name: truth(self._base, name, time_ms) for name in NAMES}


def truth(base: int, name: str, time_ms: int) -> float:
    return float(100_000 * base + 10_000 * NAMES.index(name) + time_ms - NOW_MS)


def host() -> Host:
    devices = [
        {
            **METER,
            "sparkplug_device": device,
            "device": device,
            "metrics": {name: {"quantity": name} for name in NAMES},
            "metering": None,
        }
        for device in DEVICES
    ]
    return Host(config(*devices, reorder_s=2.0))


def life(steps: list[str], *, aliases_move: bool) -> list[list[Sent]]:
    """What a node says, one list per birth; each instant is one millisecond."""
    node = EdgeNode("G", "N", {device: Truth(n) for n, device in enumerate(DEVICES)})
    at = NOW_MS
    lives = [node.births(at)]
    for step in steps:
        at += 1
        if step == "reconnect":
            lives[-1].append(node.death(at - 1))
            node.next_connection()
        if step in {"reconnect", "rebirth"}:
            if aliases_move:
                node.shuffle_aliases()
            lives.append(node.births(at))
        elif step == "history":
            lives[-1].append(node.history(DEVICES[0], [at - 1, at], at))
        elif step == "unknown":
            lives[-1].append(node.device_death(DEVICES[1], at))
        else:
            lives[-1].append(node.data(step, at))
    return lives


STEPS = st.lists(st.sampled_from([*DEVICES, *DEVICES, "history", "rebirth", "reconnect", "unknown"]), max_size=25)


def check(messages: list[Sent], pauses: list[bool]) -> None:
    listener, now_s, rows = host(), 0.0, []
    for (topic, data), pause in zip(messages, pauses, strict=True):
        now_s += 3.0 if pause else 0.01
        rows += listener.tick(now_s, NOW_MS).rows
        rows += listener.hear(topic, data, retained=False, now_s=now_s, now_ms=NOW_MS).rows
    for series, time_ms, value, quality in rows:
        assert quality == 0
        assert value == truth(DEVICES.index(series.device), series.quantity, time_ms), (series.key, time_ms)


@settings(max_examples=150)
@given(STEPS, st.data())
def test_any_order_any_loss_any_repetition_gives_no_wrong_reading(steps: list[str], data: st.DataObject) -> None:
    """Aliases stay what they were, as with real nodes; births may be lost and overtaken like everything else."""
    said = [sent for one in life(steps, aliases_move=False) for sent in one]
    arrived = data.draw(st.lists(st.sampled_from(said), max_size=2 * len(said)))
    check(arrived, data.draw(st.lists(st.booleans(), min_size=len(arrived), max_size=len(arrived))))


@settings(max_examples=150)
@given(STEPS, st.data())
def test_aliases_that_move_with_every_birth_give_no_wrong_reading(steps: list[str], data: st.DataObject) -> None:
    """Each life begins with its node's birth and may lose, repeat and mix the rest; a copy may come a life later."""
    arrived: list[Sent] = []
    earlier: list[Sent] = []
    for first, *rest in life(steps, aliases_move=True):
        late = data.draw(st.lists(st.sampled_from(earlier), max_size=3)) if earlier else []
        mixed = data.draw(st.lists(st.sampled_from(rest), max_size=2 * len(rest))) if rest else []
        arrived += [first, *data.draw(st.permutations([*late, *mixed]))]
        earlier += [sent for sent in rest if "/DDATA/" in sent[0]]
    check(arrived, data.draw(st.lists(st.booleans(), min_size=len(arrived), max_size=len(arrived))))


@given(STEPS)
def test_undisturbed_every_value_becomes_a_reading(steps: list[str]) -> None:
    """So that the two above cannot be true by reading nothing."""
    lives = life([step for step in steps if step != "unknown"], aliases_move=True)
    listener, count = host(), 0
    for topic, data in (sent for one in lives for sent in one):
        count += len(listener.hear(topic, data, retained=False, now_s=0.0, now_ms=NOW_MS).rows)
    of_devices = sum(topic.endswith(DEVICES) for one in lives for topic, _ in one)
    assert count == len(NAMES) * (of_devices + steps.count("history"))  # a history message holds two instants
    assert not listener.refused
