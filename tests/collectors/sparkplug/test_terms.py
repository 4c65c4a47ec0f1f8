"""The published vectors, in their own terms."""

import json
from pathlib import Path

from kgce.collectors.sparkplug.terms import event_terms, message_terms, sequence_terms
from tests.vectors.compare import differences


def test_every_published_vector_is_understood(shared_facts: Path) -> None:
    found = json.loads((shared_facts / "protocol_vectors.json").read_text(encoding="utf-8"))["vectors"]
    vectors = [vector for vector in found if vector["protocol"] == "sparkplug-b"]
    assert len(vectors) == 13
    for vector in vectors:
        if vector["kind"] == "message":
            terms = message_terms(vector["topic"], bytes.fromhex(vector["hex"]))
        elif "seq" in vector:
            terms = sequence_terms(vector["seq"])
        else:
            terms = event_terms(vector["events"])
        assert differences(vector["expect"], terms) == [], vector["id"]


def test_a_gap_that_never_closes_is_not_taken_for_reordering() -> None:
    assert sequence_terms([10, 12, 13])["decision"] == "wait, then ask for rebirth"
    assert sequence_terms([10, 12, 11])["decision"] == "accept"
    assert sequence_terms([255, 0, 0, 1])["decision"] == "drop duplicate"


def test_events_in_order_are_accepted() -> None:
    events = [
        {"type": "NBIRTH", "seq": 0, "bdSeq": 1},
        {"type": "DBIRTH", "seq": 1, "name": "a", "alias": 1, "datatype": 10},
        {"type": "DDATA", "seq": 2, "alias": 1},
    ]
    assert event_terms(events)["decision"] == "accept"
    assert event_terms([*events, {"type": "DDATA", "seq": 3, "alias": 7}])["decision"] == "no reading, ask for rebirth"
    assert event_terms([*events, {"type": "NDEATH", "bdSeq": 0}])["refused"] == ["death of another session"]
