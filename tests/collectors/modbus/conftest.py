"""Fixtures of the Modbus tests."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.collectors.modbus import meter


@pytest.fixture
def profile(tmp_path: Path) -> str:
    """File of the made-up meter's profile."""
    path = tmp_path / "t1.toml"
    path.write_text(meter.PROFILE)
    return str(path)


@pytest.fixture(autouse=True)
async def close_sources() -> AsyncIterator[None]:
    """Let go of the connections while the test's event loop still runs."""
    yield
    for made in (meter.MADE, meter.LINKS):
        while made:
            made.pop().close()
    await asyncio.sleep(0)  # a closed transport gives its socket back in the loop's next turn
