"""The OpenAPI document: what FastAPI derives, with the errors, files and examples that every route really has."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from kgce.api.examples import BODIES, PARAMETERS
from kgce.api.shaping import JSON
from kgce.store.table_files import Kind

PROBLEM: Final = "application/problem+json"
_PROBLEM_SCHEMA: Final[dict[str, Any]] = {
    "title": "Problem",
    "description": "What went wrong, as RFC 9457 words it; `detail` says what to do.",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"place": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
_PROBLEMS: Final = {
    "404": "Nobody registered this.",
    "422": "This can never work as asked; `detail` says why.",
    "503": "The store or the registry does not answer now: come again.",
}
_METHODS: Final = frozenset({"get", "post", "put", "patch", "delete"})


def install_document(app: FastAPI) -> None:
    """Let the app give the completed document; it is made once."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title, version=app.version, summary=app.summary, routes=app.routes, openapi_version="3.1.0"
            )
            app.openapi_schema = completed(document)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # how FastAPI wants it replaced


def completed(document: dict[str, Any]) -> dict[str, Any]:
    """The document with problems, file formats, "nothing new" and examples."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = _PROBLEM_SCHEMA
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for path, methods in document["paths"].items():
        for method in _METHODS & methods.keys():
            _complete(path, method, methods[method])
            if _is_shaped(methods[method]):
                _loosen(methods[method]["responses"]["200"]["content"][JSON]["schema"], schemas)
    return document


def _is_shaped(operation: dict[str, Any]) -> bool:
    return {"fields", "format"} <= {parameter["name"] for parameter in operation.get("parameters", ())}


def _loosen(schema: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Take `required` off the rows of an answer: `fields` may leave any of them out."""
    if "$ref" in schema:
        row = schemas[schema["$ref"].rpartition("/")[2]]
        items = row.get("properties", {}).get("items")
        if items is None:
            row.pop("required", None)
        else:
            _loosen(items, schemas)
    elif "items" in schema:
        _loosen(schema["items"], schemas)


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    answers.pop("422", None)
    for status, words in _PROBLEMS.items():
        answers.setdefault(
            status, {"description": words, "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
        )
    if _is_shaped(operation):
        answers["200"]["content"] |= {kind.media_type: {} for kind in Kind}
        answers["304"] = {"description": "The client's copy, named by If-None-Match, is the same."}
    for parameter in operation.get("parameters", ()):
        if parameter["name"] in PARAMETERS and "example" not in parameter:
            parameter["example"] = PARAMETERS[parameter["name"]]
    shown = BODIES.get((method, path))
    for content in answers.get("200", {}).get("content", {}).items():
        if content[0] == JSON and shown is not None:
            content[1]["example"] = shown
