"""The page: one HTML document that says what is broken, since when, and what to do; no file but itself.

It works without JavaScript (it asks for itself again every 10 seconds) and without colour (every state is a word).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final

from kgce.domain.events import Severity
from kgce.edge.local.problems import Problem
from kgce.edge.local.style import STYLE
from kgce.edge.local.words import at, hours, lasting, size

Status = Mapping[str, Any]

REFRESH_S: Final = 10
_WORD: Final = {Severity.ALARM: "ACT NOW", Severity.WARNING: "LOOK", Severity.INFO: "NOTE"}


def page(
    status: Status, found: Sequence[Problem], live: Sequence[Mapping[str, Any]], *, now_ms: int, version: str
) -> str:
    """The whole document."""
    parts = (
        _head(status, found, now_ms, version),
        _problems(found, now_ms),
        _tiles(status, now_ms),
        _devices(status["devices"], now_ms),
        _live(live, now_ms),
        _events(status.get("events", {}).get("latest", ())),
    )
    title = f"{status['gateway']}: {_verdict(found)}"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta http-equiv="refresh" content="{REFRESH_S}"><style>{STYLE}</style></head>'
        f"<body><main>{''.join(parts)}</main></body></html>"
    )


def _verdict(found: Sequence[Problem]) -> str:
    if not found:
        return "all is well"
    return f"{len(found)} {'thing needs' if len(found) == 1 else 'things need'} attention"


def _head(status: Status, found: Sequence[Problem], now_ms: int, version: str) -> str:
    state = found[0].severity.value if found else "well"
    up = lasting((now_ms - status["started_ms"]) / 1000)
    return (
        f"<header class={state}><p class=word>{_WORD[found[0].severity] if found else 'OK'}</p>"
        f"<div><h1>{escape(status['gateway'])}</h1><p>{_verdict(found)}</p></div>"
        f"<p class=aside>kgce {escape(version)}<br>running for {up}<br>{at(now_ms)}</p></header>"
    )


def _problems(found: Sequence[Problem], now_ms: int) -> str:
    if not found:
        return ""
    items = "".join(
        f"<li class={one.severity.value}><p><b>{_WORD[one.severity]} {escape(one.subject)}</b> {escape(one.what)}"
        f"{_since(one.since_ms, now_ms)}</p><p class=todo>What to do: {escape(one.todo)}.</p></li>"
        for one in found
    )
    return f"<section><h2>What is broken</h2><ol class=problems>{items}</ol></section>"


def _since(since_ms: int | None, now_ms: int) -> str:
    if since_ms is None:
        return ""
    return f" <span class=when>since {at(since_ms)} ({lasting((now_ms - since_ms) / 1000)})</span>"


def _tiles(status: Status, now_ms: int) -> str:
    counts, buffer, uplink = status["counters"], status["buffer"], status["uplink"]
    share = min(100.0, 100 * buffer["bytes"] / buffer["max_bytes"])
    last_ms = uplink.get("last_success_ms")
    last = (
        "nothing handed over yet" if last_ms is None else f"last handed over {lasting((now_ms - last_ms) / 1000)} ago"
    )
    parts = " + ".join(f"{counts[one]:,} {one}" for one in ("stored", "duplicate", "refused", "dropped", "waiting"))
    balance = "adds up" if status["equation_holds"] else "DOES NOT ADD UP"
    clock = status.get("clock", {"state": "trusted", "witness": "none"})
    used = f"<meter max=100 value={share:.1f}></meter> {size(buffer['bytes'])} of {size(buffer['max_bytes'])}"
    tiles = (
        _tile("Uplink", _UPLINK[uplink["state"]], f"{uplink.get('kind', '')} {uplink.get('target', '')}", last),
        _tile("Buffer lasts", hours(buffer["hours_left"]), Markup(used), f"{buffer['rows']:,} readings wait"),
        _tile("Readings", f"{counts['polled']:,}", f"polled = {parts}", balance),
        _tile("Clock", clock["state"], f"witness: {clock['witness']}", clock.get("reason", "")),
    )
    return f"<section class=tiles>{''.join(tiles)}</section>"


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def _tile(name: str, value: str, *lines: str) -> str:
    shown = "<br>".join(line if isinstance(line, Markup) else escape(str(line)) for line in lines)
    return f"<div class=tile><h3>{name}</h3><p class=big>{escape(value)}</p><p>{shown}</p></div>"


_UPLINK: Final = {"up": "up", "down": "DOWN", "idle": "idle"}


def _devices(devices: Sequence[Mapping[str, Any]], now_ms: int) -> str:
    def row(one: Mapping[str, Any]) -> Iterable[str]:
        state = "online" if one["online"] else "SILENT" if one["failures"] or one["last_error"] else "not heard yet"
        yield f"{escape(one['institution'])}/{escape(one['device'])}"
        yield f"<b class={'well' if one['online'] else 'warning'}>{state}</b>"
        yield lasting((now_ms - one["since_ms"]) / 1000) if one["since_ms"] else "–"
        yield f"{one['polls']:,}"
        yield f"{one['failures']:,}"
        yield f"{one['missed_ticks']:,}"
        yield escape(one["last_error"]) if not one["online"] else ""

    names = ("Device", "State", "For", "Polls", "Failures", "Skipped", "Last error")
    ordered = sorted(devices, key=lambda one: (one["online"], one["institution"], one["device"]))
    title = f"Devices ({sum(one['online'] for one in devices)} of {len(devices)} online)"
    return _table(title, names, ordered, row, folded=len(devices) > _SHOWN)


def _live(live: Sequence[Mapping[str, Any]], now_ms: int) -> str:
    def row(one: Mapping[str, Any]) -> Iterable[str]:
        yield f"{escape(one['institution'])}/{escape(one['device'])}"
        yield escape(one["quantity"])
        yield "–" if one["value"] is None else f"{one['value']:,.6g}"
        yield escape(one["unit"])
        yield lasting((now_ms - one["time_ms"]) / 1000)
        yield ", ".join(one["marks"]).lower().replace("_", " ")

    names = ("Device", "Quantity", "Value", "Unit", "Age", "Marks")
    return _table(f"Live values ({len(live)})", names, live, row, folded=len(live) > _SHOWN)


def _events(events: Sequence[Mapping[str, Any]]) -> str:
    def row(one: Mapping[str, Any]) -> Iterable[str]:
        yield at(one["time_ms"])
        yield escape(one["severity"])
        yield escape(one["message"])

    return _table("Latest events", ("When", "Severity", "What"), list(reversed(events)), row) if events else ""


_SHOWN: Final = 60


def _table(
    title: str,
    names: Sequence[str],
    items: Sequence[Mapping[str, Any]],
    row: Callable[[Mapping[str, Any]], Iterable[str]],
    *,
    folded: bool = False,
) -> str:
    head = "".join(f"<th>{name}</th>" for name in names)
    body = "".join(
        "<tr>"
        + "".join(f'<td data-name="{name}">{cell}</td>' for name, cell in zip(names, row(one), strict=True))
        + "</tr>"
        for one in items
    )
    table = f"<div class=wide><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    if folded:
        return f"<section><details><summary>{title}</summary>{table}</details></section>"
    return f"<section><h2>{title}</h2>{table}</section>"
