"""kill -9 of the gateway and of the centre, at every step of a reading's way."""

import pytest

from tests.faults.world import World

pytestmark = pytest.mark.timeout(240)

PUT = "kgce.edge.buffer.buffer:Buffer.put_all"
DONE = "kgce.edge.buffer.buffer:Buffer.done"
PUBLISH = "kgce.collectors.uplink.connection:Connection.publish"
DELIVER = "kgce.edge.uplink.mqtt_sink:MqttParcelSink.deliver"
APPEND = "kgce.store.influx.store:InfluxStore.append_all"
TOLD = "kgce.collectors.ingest.subscriber:Subscriber.publish_surely"
ANSWERED = "kgce.collectors.ingest.subscriber:Subscriber.send"


@pytest.mark.parametrize(
    ("point", "when"),
    [
        pytest.param(PUT, "before", id="between poll and commit"),
        pytest.param(PUT, "after", id="between commit and send"),
        pytest.param(PUBLISH, "after", id="between send and the broker's acknowledgement"),
        pytest.param(DELIVER, "after", id="between the centre's receipt and its note in the buffer"),
        pytest.param(DONE, "after", id="after the note"),
    ],
)
def test_a_gateway_killed_at_any_step_loses_and_doubles_nothing(world: World, point: str, when: str) -> None:
    world.publisher.start()
    for count in (4, 9):
        world.gateway.start_crashing(point, when, count)
        world.crash(world.gateway)
    world.gateway.start()
    world.run_a_while(publish=False)
    world.assert_whole()


@pytest.mark.parametrize(
    ("point", "when"),
    [
        pytest.param(APPEND, "before", id="before the store"),
        pytest.param(APPEND, "after", id="between store and receipt"),
        pytest.param(TOLD, "after", id="between the other workers and the gateway"),
        pytest.param(ANSWERED, "after", id="after receipt and acknowledgement"),
    ],
)
def test_a_centre_killed_at_any_step_loses_and_doubles_nothing(world: World, point: str, when: str) -> None:
    world.gateway.start()
    world.run_a_while(5)
    world.ingest.stop()
    from tests.faults.processes import Process

    deadly = ["-m", "tests.faults.crashing", point, when, "3"]
    crashing = Process([world.ingest.command[0], *deadly, *world.ingest.command[3:]], world.folder / "crashing.log")
    crashing.start()
    assert crashing.died() == -9, crashing.said()
    world.ingest.start()
    world.run_a_while(publish=False)
    world.assert_whole()


def test_a_gateway_killed_while_it_writes_straight_into_influxdb_doubles_nothing(tmp_path) -> None:
    with World(tmp_path, sink="influxdb") as world:
        world.publisher.start()
        for when in ("before", "after"):
            world.gateway.start_crashing(APPEND, when, 3)
            world.crash(world.gateway)
        world.gateway.start()
        world.run_a_while(publish=False)
        world.assert_whole()
