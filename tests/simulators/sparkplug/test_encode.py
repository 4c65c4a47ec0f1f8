"""The simulator's own encoder against bytes that others published."""

import json
from pathlib import Path

import pytest

from kgce.simulators.sparkplug.encode import Datatype, SentMetric, asks_for_births, payload

KINDS = {"Int32": Datatype.INT32, "Int64": Datatype.INT64, "UInt64": Datatype.UINT64, "Float": Datatype.FLOAT,
         "Boolean": Datatype.BOOLEAN, "String": Datatype.STRING}  # fmt: skip


def vectors(folder: Path) -> list[dict]:
    found = json.loads((folder / "protocol_vectors.json").read_text(encoding="utf-8"))["vectors"]
    return [one for one in found if one["protocol"] == "sparkplug-b" and one["kind"] == "message"]


def test_every_published_message_is_reproduced_byte_for_byte(shared_facts: Path) -> None:
    found = vectors(shared_facts)
    assert len(found) == 8
    for vector in found:
        said = vector["expect"]["payload"]
        metrics = [
            SentMetric(
                one["value"],
                KINDS[one["dataType"]],
                one.get("name"),
                one.get("alias"),
                one.get("timestamp"),
                is_historical=one.get("isHistorical", False),
            )
            for one in said["metrics"]
        ]
        assert payload(said["timestamp"], metrics, said.get("seq")).hex() == vector["hex"], vector["id"]


def test_only_a_true_rebirth_command_asks_for_births(shared_facts: Path) -> None:
    """The published commands are a reboot, a rebirth = false, and one for a device."""
    commands = [bytes.fromhex(one["hex"]) for one in vectors(shared_facts) if "CMD/" in one["topic"]]
    assert [asks_for_births(command) for command in commands] == [False, False, False]
    asked = SentMetric(True, Datatype.BOOLEAN, "Node Control/Rebirth")
    assert asks_for_births(payload(1, [SentMetric(1.5, Datatype.DOUBLE, "x"), asked], None))


@pytest.mark.parametrize("cut", range(1, 30))
def test_half_a_command_asks_for_nothing(cut: int) -> None:
    asked = payload(1, [SentMetric(True, Datatype.BOOLEAN, "Node Control/Rebirth")], None)
    assert not asks_for_births(asked[:-cut])
