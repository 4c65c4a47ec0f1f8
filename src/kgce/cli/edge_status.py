"""`kgce edge status`: what is broken, since when, what to do; asks the running gateway, or looks into its folder."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from kgce.cli.terminal import OUT, complain, print_json, print_table, say
from kgce.domain.errors import StoreUnavailable

_WATCH_S: Final = 2.0
_WELL: Final = 0
_BROKEN: Final = 1
_CANNOT_TELL: Final = 2
_WORDS: Final = {"alarm": "ACT NOW", "warning": "LOOK", "info": "NOTE"}

Status = Mapping[str, Any]


def edge_status(
    file: Annotated[Path, typer.Argument(help="Gateway file (TOML).", show_default=False)],
    every: Annotated[bool, typer.Option("--all", help="Show the devices that are well, too.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Ask again every 2 seconds until Ctrl-C.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Machine-readable output on standard output.")] = False,
) -> None:
    """Show how a gateway fares: what is broken, since when, what to do; then devices, buffer and uplink.

    Exit code 0: all is well; 1: something is broken; 2: nobody can tell, because the gateway does not run.

    Example: kgce edge status gateway.toml --watch
    """
    from kgce.edge.config import load_config

    folder = load_config(file).gateway.folder
    while True:
        try:
            status = ask_gateway(folder)
        except StoreUnavailable as error:
            complain(str(error))
            raise typer.Exit(_CANNOT_TELL) from None
        if watch and not json:
            OUT.clear()
        code = _show(status, folder, json=json, every=every)
        if not watch:
            raise typer.Exit(code)
        time.sleep(_WATCH_S)


def ask_gateway(folder: Path) -> Status | None:
    """The running gateway's answer; None when none runs here.

    Raises:
        StoreUnavailable: it runs, and does not answer.
    """
    import httpx

    from kgce.edge.local.run_file import running

    found = running(folder)
    if found is None:
        return None
    try:
        answer = httpx.get(f"{found.url}/status.json", timeout=5.0, trust_env=False)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise StoreUnavailable(f"the gateway (process {found.pid}) does not answer on {found.url}: {error}") from error
    status: Status = answer.json()
    return status


def _show(status: Status | None, folder: Path, *, json: bool, every: bool) -> int:
    if status is None:
        if json:
            print_json({"running": False, "folder": str(folder)})
        else:
            text = f"no gateway runs in {folder}, or its [local] page is switched off"
            say(f"{text}; start it with: kgce edge run FILE, what waits on its disk: kgce edge buffer show FILE")
        return _CANNOT_TELL
    if json:
        print_json({"running": True, **status})
    else:
        _tell(status, every=every)
    return _BROKEN if any(one["severity"] in {"alarm", "warning"} for one in status["problems"]) else _WELL


def _tell(status: Status, *, every: bool) -> None:
    from kgce.edge.local.words import hours, lasting, size

    now_ms, counts, buffer, uplink = status["now_ms"], status["counters"], status["buffer"], status["uplink"]
    up = lasting((now_ms - status["started_ms"]) / 1000)
    found = status["problems"]
    verdict = "all is well" if not found else f"{len(found)} to look at"
    OUT.print(f"{status['gateway']}: {verdict}  (kgce {status['version']}, running for {up})", highlight=False)
    if found:
        rows = [(_WORDS[one["severity"]], one["subject"], one["what"], _ago(one["since_ms"], now_ms), one["todo"])
                for one in found]  # fmt: skip
        print_table("What is broken", ("", "subject", "what", "since", "what to do"), rows, wrap=("what", "what to do"))
    parts = " + ".join(f"{counts[one]:,} {one}" for one in ("stored", "duplicate", "refused", "dropped", "waiting"))
    lines = [
        ("readings", f"{counts['polled']:,} polled = {parts}"),
        ("buffer", f"lasts {hours(buffer['hours_left'])}; {size(buffer['bytes'])} of {size(buffer['max_bytes'])} used"),
        ("uplink", f"{uplink['state']}; {uplink.get('kind', '')} {uplink.get('target', '')}"),
        ("clock", f"{status['clock']['state']}; witness: {status['clock']['witness']}"),
    ]
    print_table("Hand-over", ("", "now"), lines, wrap=("now",))
    _devices(status["devices"], now_ms, every=every)


def _devices(devices: Sequence[Mapping[str, Any]], now_ms: int, *, every: bool) -> None:
    online = sum(one["online"] for one in devices)
    more = "" if every or online == 0 else "; --all shows them"
    OUT.print(f"{online} of {len(devices)} devices are online{more}", highlight=False)
    shown = [one for one in devices if every or not one["online"]]
    if not shown:
        return
    rows = [
        (
            f"{one['institution']}/{one['device']}",
            "online" if one["online"] else "SILENT" if one["failures"] or one["last_error"] else "not heard yet",
            _ago(one["since_ms"] or None, now_ms),
            f"{one['polls']:,}",
            f"{one['failures']:,}",
            f"{one['missed_ticks']:,}",
        )
        for one in sorted(shown, key=lambda one: (one["online"], one["institution"], one["device"]))
    ]
    names = ("device", "state", "for", "polls", "failures", "skipped")
    print_table("Devices", names, rows, right=("polls", "failures", "skipped"))


def _ago(since_ms: int | None, now_ms: int) -> str:
    from kgce.edge.local.words import lasting

    return "" if since_ms is None else lasting((now_ms - since_ms) / 1000)


def edge_trust_clock(file: Annotated[Path, typer.Argument(help="Gateway file (TOML).", show_default=False)]) -> None:
    """Say that this machine's clock is right: readings that waited for the right time go up.

    Example: kgce edge trust-clock gateway.toml
    """
    from kgce.edge.clock.keeper import TRUST_FILE
    from kgce.edge.config import load_config

    folder = load_config(file).gateway.folder
    (folder / TRUST_FILE).touch()
    say(f"the gateway in {folder} takes this machine's clock for right from its next look on (within a second)")
