"""MQTT 5 packets: cut anywhere, damaged anyhow, and as paho and Mosquitto write them."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from kgce.collectors.ingest import packets
from kgce.collectors.ingest.packets import Arrived, Control, MalformedPacket, PacketReader


def written_by_paho(topic: str, payload: bytes, qos: int, properties: Properties | None, *, dup: bool = False) -> bytes:
    """The bytes paho's own client would send."""
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    queued = []
    client._packet_queue = lambda _command, packet, *_rest: queued.append(bytes(packet)) or 0
    client._sock = object()
    client._send_publish(7, topic.encode(), payload, qos, False, dup, None, properties)
    client._sock = None
    return queued[0]


def everything() -> Properties:
    found = Properties(PacketTypes.PUBLISH)
    found.ResponseTopic = "kgce/v1/济南/receipt"
    found.CorrelationData = b"\x00\xff x"
    found.UserProperty = [("a", "b"), ("c", "d")]
    found.MessageExpiryInterval = 60
    found.PayloadFormatIndicator = 1
    found.ContentType = "application/json"
    return found


@pytest.mark.parametrize("qos", [0, 1])
@pytest.mark.parametrize("payload", [b"", b"x", b"y" * 200, b"z" * 20_000, b"w" * 3_000_000])
def test_what_paho_writes_is_read_with_all_its_properties(qos, payload):
    plain = written_by_paho("kgce/v1/g1/batch", payload, qos, None)
    rich = written_by_paho("kgce/v1/济南/batch", payload, qos, everything(), dup=bool(qos))

    assert PacketReader().feed(plain + rich) == [
        Arrived("kgce/v1/g1/batch", payload, 7 * qos, False, "", None),
        Arrived("kgce/v1/济南/batch", payload, 7 * qos, bool(qos), "kgce/v1/济南/receipt", b"\x00\xff x"),
    ]


@given(cuts=st.lists(st.integers(0, 500), max_size=20))
def test_packets_may_arrive_in_any_pieces(cuts):
    stream = b"".join(written_by_paho("t/x", b"p" * size, 1, everything()) for size in (0, 1, 100, 130)) + b"\xd0\x00"
    reader, found = PacketReader(), []
    bounds = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    for start, end in pairwise(bounds):
        found += reader.feed(stream[start:end])
    assert found == PacketReader().feed(stream)
    assert [len(one.payload) for one in found if isinstance(one, Arrived)] == [0, 1, 100, 130]
    assert found[-1] == Control(packets.PINGRESP, b"")


@settings(max_examples=500)
@given(noise=st.binary(max_size=300), at=st.integers(0, 60))
def test_rubbish_is_refused_or_waited_for_and_breaks_nothing(noise, at):
    good = written_by_paho("kgce/v1/g/batch", b"abc", 1, everything())
    for data in (noise, good[:at] + noise + good[at:]):
        try:
            for packet in PacketReader().feed(data):
                assert isinstance(packet, Arrived | Control)
        except MalformedPacket:
            pass


def test_an_answer_to_connect_says_what_the_broker_takes():
    """By hand after section 3.2 of the standard: session not present, accepted, receive maximum 20, largest packet 1 MB."""
    assert packets.accepted(bytes([0, 0, 8, 0x21, 0, 20, 0x27, 0, 16, 0, 0])) == packets.Accepted(0, "", 20, 1_048_576)
    assert packets.accepted(bytes([0, 0x87, 5, 0x1F, 0, 2]) + b"no").reason == "no"
    with pytest.raises(MalformedPacket, match="older MQTT"):
        packets.accepted(b"\0\0")
    assert packets.granted(b"\x00\x07\x00\x01\x80") == (7, b"\x01\x80")


def test_acknowledgements_are_four_bytes_each():
    assert packets.acknowledgements([1, 0xFFFF]) == b"\x40\x02\x00\x01\x40\x02\xff\xff"
