"""The broker's files, under a real Mosquitto: a gateway writes its own topics and nobody else's."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from kgce.collectors.ingest.worker import Worker
from kgce.collectors.mqtt.broker_config import SecureBrokerConfig
from kgce.collectors.uplink import topics
from kgce.edge.buffer.parcel import Parcel
from kgce.edge.uplink.config import MqttSink
from kgce.edge.uplink.mqtt_sink import MqttParcelSink
from tests import servers
from tests.conftest import ROOT
from tests.edge.fakes import MemorySink, power_batch
from tests.edge.uplink.centre import listening
from tests.faults.test_network import Authority

DEPLOY = ROOT / "deploy" / "mosquitto"


@pytest.fixture
def broker(tmp_path: Path, monkeypatch) -> Iterator[tuple[int, Path]]:
    """(port, the authority's file); users gw-1, gw-2, ingest, each with its name for a password."""
    authority = Authority(tmp_path / "pki")
    authority.certify(expired=False)
    port = servers.free_port()
    passwords = tmp_path / "kgce.passwd"
    passwords.touch(mode=0o600)
    for name in ("gw-1", "gw-2", "ingest"):
        subprocess.run([servers.require_tool("mosquitto_passwd"), "-b", str(passwords), name, name], check=True)
    text = (DEPLOY / "kgce.conf").read_text()
    for old, new in (
        ("listener 8883", f"user root\nlistener {port} 127.0.0.1"),
        ("/etc/mosquitto/certs/broker", str(authority.folder / "broker")),
        ("/etc/mosquitto/kgce.passwd", str(passwords)),
        ("/etc/mosquitto/kgce.acl", str(DEPLOY / "kgce.acl")),
        ("/var/lib/mosquitto/", f"{tmp_path}/"),
    ):
        assert old in text
        text = text.replace(old, new)
    config = tmp_path / "mosquitto.conf"
    config.write_text(text)
    for name in ("gw-1", "gw-2", "ingest"):
        monkeypatch.setenv(f"PASSWORD_{name[-1]}", name)
    with servers.process([servers.require_tool("mosquitto"), "-c", str(config)], tmp_path / "broker.log"):
        servers.wait_for_port(port)
        yield port, authority.file


class Store(MemorySink):
    def append_events(self, gateway, events) -> None:
        """Not looked at here."""


def keys(broker: tuple[int, Path], name: str) -> dict:
    port, authority = broker
    return {
        "host": "127.0.0.1", "port": port, "tls": True, "ca_file": str(authority), "username": name,
        "password_env": f"PASSWORD_{name[-1]}",
    }  # fmt: skip


def test_a_gateway_delivers_through_the_shipped_broker_and_gets_its_receipt(broker) -> None:
    store = Store()
    with listening(Worker(SecureBrokerConfig(**keys(broker, "ingest")), store, worker="1")):
        sink = MqttParcelSink(
            MqttSink(kind="mqtt", receipt_timeout_s=10, **keys(broker, "gw-1")), "gw-1", boot=lambda: "b"
        )
        result = sink.deliver(Parcel("b", 1, 1, power_batch(0, 3)))
        sink.close()
    assert result.stored == len(store.rows) == 3


def test_a_gateway_cannot_write_in_anothers_name(broker) -> None:
    port, authority = broker
    seen: list[str] = []
    clients = []
    for name in ("ingest", "gw-2"):
        client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        client.username_pw_set(name, name)
        client.tls_set(ca_certs=str(authority))
        client.connect("127.0.0.1", port)
        client.loop_start()
        clients.append(client)
    ingest, rogue = clients
    ingest.on_message = lambda _client, _data, found: seen.append(found.topic)
    ingest.subscribe("kgce/v1/+/batch", 1)
    time.sleep(0.5)
    rogue.publish(topics.topic("gw-1", topics.BATCH), b"forged", qos=1).wait_for_publish(10)
    rogue.publish(topics.topic("gw-2", topics.BATCH), b"own", qos=1).wait_for_publish(10)
    deadline = time.monotonic() + 20
    while not seen and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)
    assert seen == [topics.topic("gw-2", topics.BATCH)]
    for client in clients:
        client.disconnect()
        client.loop_stop()
        client._reset_sockets()
