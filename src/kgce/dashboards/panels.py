"""Queries of a finished dashboard, expanded the way Grafana does it when a person opens the page.

Source of the rules: Grafana's InfluxDB data source (time filter and interval) and its `regex` variable format.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kgce.domain.errors import InputError

_SPECIAL: Final = re.compile(r"[\\^$*+?.()|\[\]{}/]")
_VARIABLE: Final = re.compile(r"\$(\w+)|\$\{(\w+)(?::(\w+))?\}")


_LOOK_BACK_MS: Final = {"1y": 365 * 86_400_000}


class Verbatim(str):
    """A variable's text that Grafana inserts as it is: the custom value behind "All"."""

    __slots__ = ()


Chosen = str | Sequence[str]  # one value, several, or Verbatim


@dataclass(frozen=True, slots=True)
class PanelQuery:
    """One query of one panel, not yet expanded."""

    panel: int
    title: str
    ref: str
    influxql: str
    time_from: str = ""  # the panel's own look back, such as 1y; empty = the page's time range

    def start_ms(self, start_ms: int, end_ms: int) -> int:
        """Where the panel's time range begins when the page's is [start, end)."""
        return end_ms - _LOOK_BACK_MS[self.time_from] if self.time_from else start_ms


def queries(dashboard_json: Mapping[str, Any]) -> list[PanelQuery]:
    """Every query of a dashboard in reading order, collapsed rows included."""
    return [
        PanelQuery(panel["id"], panel["title"], target["refId"], target["query"], panel.get("timeFrom") or "")
        for panel in _panels(dashboard_json.get("panels", []))
        for target in panel.get("targets", [])
    ]


def _panels(entries: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for entry in entries:
        yield entry
        yield from _panels(entry.get("panels") or [])


def expand(influxql: str, variables: Mapping[str, Chosen], start_ms: int, end_ms: int, interval: str) -> str:
    """The query as the server would receive it.

    Raises:
        InputError: the query names a variable that was not given, or a format that is not implemented here.
    """
    built_in: dict[str, Chosen] = {
        "timeFilter": Verbatim(f"time >= {start_ms}ms and time <= {end_ms}ms"),
        "__interval": Verbatim(interval),
    }
    known = {**variables, **built_in}

    def replaced(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        if name not in known:
            raise InputError(f"the query names ${name}, which is no variable of the dashboard: {influxql}")
        return _formatted(known[name], found[3])

    return _VARIABLE.sub(replaced, influxql)


def _formatted(chosen: Chosen, style: str | None) -> str:
    if style not in {None, "regex"}:
        raise InputError(f"variable format {style!r} is not used here; use regex")
    if isinstance(chosen, Verbatim):
        return chosen
    if isinstance(chosen, str):
        return chosen if style is None else _escaped(chosen)
    escaped = [_escaped(value) for value in chosen]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


def _escaped(value: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", value)
