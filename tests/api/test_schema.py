"""Every route asked odd questions by schemathesis: no 5xx, and every answer as the document says.

`KGCE_SCHEMA_EXAMPLES` says how many questions a route is asked.
"""

import os

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from kgce.api.app import Context, create_api
from kgce.api.live import LiveHub
from tests.api.seeded import NOW, county

EXAMPLES = int(os.environ.get("KGCE_SCHEMA_EXAMPLES", "25"))
DOCUMENT = create_api(Context(store=None, registry=None)).openapi()
# An endless stream is no answer that can be looked at whole; test_live_hub.py reads it.
OPERATIONS = [
    (path, method) for path, methods in DOCUMENT["paths"].items() for method in methods if not path.endswith("/live")
]


@pytest.fixture(scope="module")
def api_schema(tmp_path_factory):
    """The API on a county of its own: what is asked may write to it."""
    with county(tmp_path_factory.mktemp("asked")) as seeded:
        context = Context(store=seeded.store, registry=seeded.registry, hub=LiveHub(), clock=NOW.timestamp)
        yield schemathesis.openapi.from_asgi("/api/v1/openapi.json", create_api(context))


@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=lambda part: part)
def test_every_route_answers_as_its_document_says(api_schema, path: str, method: str) -> None:
    operation = api_schema[path][method.upper()]
    limits = settings(
        max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None
    )

    @limits
    @given(case=operation.as_strategy())
    def ask(case) -> None:
        # A year without data or an unknown factor set is a 422 although its type is right: that is no breach.
        case.call_and_validate(excluded_checks=[positive_data_acceptance])

    ask()
