"""The week with every meter: one-minute readings in whole Wh, and five-minute readings in hundredths of a kWh."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.week_of_faults.faults import METERS
from tests.week_of_faults.world import World

STEPS = {"every minute in Wh": (1, 1), "every five minutes in 0.01 kWh": (5, 10)}


@pytest.fixture(scope="package", params=STEPS.values(), ids=STEPS)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Everything has come."""
    step_min, resolution_wh = request.param
    meters = [replace(meter, step_min=step_min, resolution_wh=resolution_wh) for meter in METERS]
    made = World(tmp_path_factory.mktemp("week"), meters)
    made.fill()
    yield made
    made.close()
