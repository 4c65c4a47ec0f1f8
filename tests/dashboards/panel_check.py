"""Runs a panel's query as Grafana would and says what is wrong with the answer."""

import json
import urllib.error
from collections.abc import Mapping
from typing import Any

from kgce.dashboards.panels import Chosen, Verbatim, expand, queries
from tests.servers import Influx

Bounds = tuple[float, float]


def series_of(server: Influx, db: str, influxql: str) -> list[dict[str, Any]]:
    """Series of the answer to one statement; an error of the server or the statement is raised as ValueError."""
    try:
        answer = json.loads(server.query(influxql, db=db))
    except urllib.error.HTTPError as error:
        raise ValueError(f"the server refused the query: {error.read().decode()}") from error
    result = answer["results"][0]
    if "error" in result:
        raise ValueError(f"the query failed: {result['error']}")
    return list(result.get("series", []))


def values_of(series: list[dict[str, Any]]) -> list[float]:
    """Every number in the answer, missing values left out, times not counted."""
    return [
        float(value)
        for one in series
        for row in one["values"]
        for column, value in zip(one["columns"], row, strict=True)
        if column != "time" and value is not None and not isinstance(value, str)
    ]


def complaint(server: Influx, db: str, influxql: str, bounds: Bounds) -> str | None:
    """Why this query must not be on a dashboard, or None: it fails, has no data, or has a value out of bounds."""
    try:
        found = series_of(server, db, influxql)
        values = values_of(found)
        has_rows = any(row[1] is not None for one in found for row in one["values"])  # the first column counts
    except ValueError as error:
        return str(error)
    low, high = bounds
    if not has_rows:
        return "no data"
    outside = [value for value in values if not low <= value <= high]
    return f"outside {low} to {high}: {outside[:5]}" if outside else None


def choices(
    model: Mapping[str, Any], server: Influx, db: str, picked: Mapping[str, Chosen] | None = None
) -> tuple[dict[str, Chosen], dict[str, list[str]]]:
    """What the page's variables stand for, and the values offered for each, loaded in order from the server."""
    chosen: dict[str, Chosen] = {}
    offered: dict[str, list[str]] = {}
    for variable in model["templating"]["list"]:
        if variable["type"] != "query":
            continue
        name = variable["name"]
        series = series_of(server, db, expand(variable["query"], chosen, 0, 0, "1m"))
        offered[name] = sorted({row[1] for one in series for row in one["values"]})
        chosen[name] = (picked or {}).get(name, _at_first(variable, offered[name]))
    return chosen, offered


def page_start_ms(model: Mapping[str, Any], end_ms: int) -> int:
    """Where the page's own time range begins (`now-7d`, `now-1y`)."""
    count, unit = model["time"]["from"].removeprefix("now-")[:-1], model["time"]["from"][-1]
    return end_ms - int(count) * {"d": 1, "y": 365}[unit] * 86_400_000


def _at_first(variable: Mapping[str, Any], values: list[str]) -> Chosen:
    """What a page shows when it is opened: everything, what is stored as chosen, else the first of the list."""
    if variable.get("includeAll"):
        return Verbatim(variable["allValue"])
    stored = (variable.get("current") or {}).get("value")
    return stored if stored in values else max(values, default="none")


def complaints(
    model: Mapping[str, Any], server: Influx, db: str, start_ms: int, end_ms: int, bounds: Mapping[str, Bounds]
) -> dict[tuple[str, str], str]:
    """Complaint by (panel title, query) over the whole dashboard with everything chosen; empty = all is well."""
    variables, _ = choices(model, server, db)
    start_ms = min(start_ms, page_start_ms(model, end_ms))
    found = {
        (query.title, query.ref): complaint(
            server,
            db,
            expand(query.influxql, variables, query.start_ms(start_ms, end_ms), end_ms, "1m"),
            bounds[query.title],
        )
        for query in queries(model)
    }
    return {place: text for place, text in found.items() if text}
