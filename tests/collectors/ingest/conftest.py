"""Who talks to the workers under test."""

import pytest

from tests.collectors.ingest.world import Foreign


@pytest.fixture
def foreign(mosquitto_port):
    client = Foreign(mosquitto_port)
    yield client
    client.close()
