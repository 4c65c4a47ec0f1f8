"""The gateway's disk is full, or rots."""

import contextlib
import os
from pathlib import Path

import pytest

from tests.disks import small_disk
from tests.faults.processes import eventually
from tests.faults.world import METER, Gateway, World

pytestmark = pytest.mark.timeout(240)


def fill(folder: Path) -> Path:
    """Not one byte is left."""
    plug = folder / "plug"
    with plug.open("wb") as file, contextlib.suppress(OSError):
        for size in (65_536, 4096, 512):
            with contextlib.suppress(OSError):
                while True:
                    os.write(file.fileno(), b"\0" * size)
    return plug


def test_a_full_disk_is_counted_told_and_costs_only_what_no_sender_repeats(world: World) -> None:
    with small_disk(world.folder / "disk", 8) as disk:
        gateway = Gateway(disk, world.gateway.file.read_text())
        gateway.log = world.folder / "full.log"
        world.gateway = gateway
        gateway.start()
        world.run_a_while()
        world.broker.kill()  # what cannot be handed over must be kept, and there is no room
        plug = fill(disk)
        eventually(lambda: gateway.status()["counters"]["dropped"] > 100, "readings are lost for want of space")
        assert not gateway.status()["keeps_readings"]
        assert any(one["subject"] in {"disk", "buffer"} for one in gateway.status()["problems"])
        plug.unlink()
        world.broker.start()
        eventually(lambda: gateway.status()["keeps_readings"], "readings are kept again")
        world.run_a_while(publish=False)
        served = len(world.meter.served())
        status = world.assert_whole(lost_reads=served)
    lost = status["reasons"]["dropped"]["buffer.unavailable"]
    assert lost == status["counters"]["dropped"], "every lost reading has its reason"
    missing = len(set(world.meter.served())) - len(world.in_store(METER))
    assert missing * 30 <= lost + 60, "no read of the meter is missing that was not counted"


def damage(file: Path, *, page: int) -> None:
    """Overwrite a page; -1 is the last."""
    size = 4096
    at = file.stat().st_size - size if page < 0 else page * size
    with file.open("r+b") as raw:
        raw.seek(at)
        raw.write(os.urandom(size))


@pytest.mark.parametrize("page", [-1, 0], ids=["the last page", "the header"])
def test_a_damaged_page_costs_what_was_on_it_and_the_rest_goes_on(world: World, page: int) -> None:
    world.gateway.start()
    world.run_a_while(5)
    world.broker.kill()
    world.run_a_while(30, publish=False)
    world.publisher.stop()
    world.gateway.stop()
    damage(world.gateway.folder / "buffer.sqlite", page=page)
    world.broker.start()
    world.gateway.start()
    world.run_a_while(10, publish=False)
    world.meter.kill()
    eventually(lambda: world.gateway.waiting() == 0, "the rest is handed over")
    status = world.gateway.final()
    assert status["equation_holds"], status["counters"]
    assert status["buffer"]["repairs"], "the damage is told"
    served, stored = world.meter.served(), [value for _, value in world.in_store(METER)]
    assert len(stored) == len(set(stored))
    assert set(stored) <= set(served)
    missing = len(served) - len(stored)
    lost = status["reasons"].get("dropped", {}).get("buffer.corrupt", 0)
    assert missing <= 2 or lost >= missing, "what is missing is counted as lost"
    assert len(stored) > len(served) / 2, "one page is not the whole buffer"
