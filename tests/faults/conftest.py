"""Every fault begins with a whole installation that has worked for a while."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Over MQTT to the centre, not yet with a gateway."""
    with World(tmp_path) as made:
        yield made
