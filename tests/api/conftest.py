"""The seeded county and the API on it."""

from collections.abc import Iterator

import pytest

from kgce.api.app import Context, create_api
from kgce.api.live import LiveHub
from tests.api.client import TestClient
from tests.api.seeded import NOW, Seeded, county


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    with county(tmp_path_factory.mktemp("county")) as found:
        yield found


@pytest.fixture
def client(seeded: Seeded) -> TestClient:
    """The API at noon of 15 June 2024, without a gateway; no test writes to the county."""
    context = Context(store=seeded.store, registry=seeded.registry, hub=LiveHub(), clock=NOW.timestamp)
    return TestClient(create_api(context), raise_server_exceptions=False)
