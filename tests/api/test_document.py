"""The OpenAPI document: every route says what it answers, and its examples are real."""

import orjson
import pytest

from kgce.api.app import Context, create_api
from tests.api.examples import FILE, bodies
from tests.api.seeded import NOW, Seeded


@pytest.fixture(scope="module")
def document(seeded: Seeded) -> dict:
    return create_api(Context(store=seeded.store, registry=seeded.registry, clock=NOW.timestamp)).openapi()


def operations(document: dict) -> list[tuple[str, str, dict]]:
    return [(path, method, one) for path, methods in document["paths"].items() for method, one in methods.items()]


def test_the_examples_are_what_a_county_answers(tmp_path) -> None:
    """If this fails because an answer has changed on purpose: python -m tests.api.examples."""
    from tests.api.seeded import county  # a county of its own: other tests add findings to the shared one

    with county(tmp_path) as fresh:
        found = bodies(fresh)
    assert orjson.loads(FILE.read_bytes()) == orjson.loads(orjson.dumps(found))


def test_every_reading_route_has_an_example_or_is_no_json(document) -> None:
    without = [
        path
        for path, method, one in operations(document)
        if method == "get" and "example" not in one["responses"]["200"].get("content", {}).get("application/json", {})
    ]
    assert without == [
        "/api/v1/publications/{name}", "/api/v1/export/readings", "/api/v1/export/ledger", "/api/v1/live", "/metrics",
    ]  # fmt: skip


def test_every_operation_is_described_and_names_its_problems(document) -> None:
    assert document["openapi"] == "3.1.0"
    for path, _, one in operations(document):
        assert one.get("description"), path
        assert {"404", "422", "503"} <= one["responses"].keys(), path
    assert "HTTPValidationError" not in document["components"]["schemas"]
