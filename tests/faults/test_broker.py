"""The broker between gateway and centre dies, forgets, or is not there for a day."""

import time

import pytest

from tests.faults.processes import eventually
from tests.faults.world import WATER, World

pytestmark = pytest.mark.timeout(240)


def test_a_broker_killed_under_load_and_started_again_costs_nothing(world: World) -> None:
    world.gateway.start()
    world.run_a_while()
    for _ in range(2):
        world.broker.kill()
        world.run_a_while(6, publish=False)
        world.broker.start()
        world.run_a_while(6, publish=False)
    world.assert_whole()


def test_a_broker_that_acknowledges_and_forgets_costs_nothing(tmp_path) -> None:
    """Persistence off: it took the messages, said so, and died before the centre got them."""
    with World(tmp_path, persistence=False) as world:
        world.gateway.start()
        world.run_a_while(8)
        world.ingest.kill()  # its session stays, and takes nothing
        world.run_a_while(10, publish=False)  # messages lie at the broker
        world.broker.kill()
        world.broker.start()
        world.ingest.start()
        world.run_a_while(8, publish=False)
        world.assert_whole()


def test_after_a_day_without_uplink_history_follows_newest_first_while_live_goes_on(world: World) -> None:
    """24 hours of readings with their own times, a reading a minute; then the uplink returns, throttled."""
    world.broker.kill()
    toml = world.toml(
        "gw-1", world.meter, uplink="catch_up_rows_per_s = 150\nrows_per_message = 400\nlive_window_s = 1"
    )
    world.gateway.file.write_text(toml)
    world.gateway.start()
    eventually(world.gateway.status, "the gateway runs")
    now_ms = int(time.time() * 1000)
    minutes = range(24 * 60, 0, -1)
    for minute in minutes:
        world.publisher.publish(now_ms - minute * 60_000)
    eventually(lambda: world.gateway.status()["uplink"]["history_rows"] >= len(minutes), "a day waits")
    world.broker.start()
    eventually(lambda: world.in_store(WATER), "the first of it arrives")
    live_ms, _ = world.publisher.publish()
    eventually(lambda: any(at == live_ms for at, _ in world.in_store(WATER)), "the live one arrives")
    history = [at for at, _ in world.in_store(WATER) if at != live_ms]
    missing = set(world.publisher.acknowledged) - set(history) - {live_ms}
    assert missing, "live did not wait for history"
    assert max(missing) < min(history, default=0) + 200 * 60_000, "the newest of history came first"
    world.assert_whole()


def test_two_gateways_with_one_id_both_deliver_and_both_are_told(world: World) -> None:
    """A copied disk: the broker throws each out for the other."""
    from tests.faults.world import Gateway, Meter

    (world.folder / "second").mkdir()
    meter = Meter(world.folder / "second")
    meter.start()
    sink = f"{world.sink_table()}\ntaken_over_wait_s = 2"
    toml = world.toml("gw-1", world.meter, sink=sink)
    other_toml = world.toml("gw-1", meter, sink=sink).replace(f"port = {meter.port}", f"port = {meter.port}")
    other_toml = other_toml[: other_toml.index("[[mqtt]]")].replace('institution = "gw-1"', 'institution = "gw-2"')
    world.gateway.file.write_text(toml)
    other = Gateway(world.folder / "two", other_toml)
    try:
        world.gateway.start()
        other.start()
        eventually(lambda: world.gateway.status().get("uplink", {}).get("taken_over"), "the first is told")
        eventually(lambda: other.status().get("uplink", {}).get("taken_over"), "the second is told")
        assert any("another gateway" in one["what"] for one in other.status()["problems"])
        meter.kill()
        eventually(lambda: other.waiting() == 0, "the second's readings arrive all the same")
        last = other.final()
        assert last["equation_holds"]
        stored = world.influx.query("SELECT active_energy_import FROM electricity WHERE institution = 'gw-2'")
        assert len(stored["results"][0]["series"][0]["values"]) == len(set(meter.served()))
    finally:
        other.end()
        meter.end()
    world.run_a_while()
    world.publisher.stop()
    world.meter.kill()
    eventually(lambda: world.gateway.waiting() == 0, "the first's readings arrive")
    assert world.gateway.final()["equation_holds"]
    assert dict(world.in_store(WATER)) == world.publisher.acknowledged
