"""Data-quality strip: the gateway's books, its uplink, silent devices, findings.

gateway_status(), Figures.findings --every two seconds--> page
"""

from html import escape
from typing import Final

from nicegui import ui

from kgce.api.console.view import View, aside
from kgce.api.console.words import Words
from kgce.api.gateway_view import ACCOUNTED, GatewayView, gateway_view
from kgce.domain.errors import KgceError

REFRESH_S: Final = 2.0
FINDINGS_EVERY: Final = 15  # refreshes
MOST_FINDINGS: Final = 50
MOST_NAMES: Final = 6


class GatewayPanel:
    """Follows the gateway beside the server."""

    def __init__(self, view: View) -> None:
        """Draw the panel into the present place of the page."""
        self._view = view
        self._ticks = 0
        words = view.words
        with ui.element("section").classes("panel").props('id="gateway"'):
            ui.html(words("quality"), tag="h2", sanitize=False)
            self._state = ui.label(words("no_gateway")).classes("soft")
            self._books = ui.html(sanitize=False)
            self._uplink = ui.label().classes("soft")
            self._devices = ui.label().classes("soft")
            with ui.expansion(words("findings", count=0)).props("dense").style("width:100%") as self._expansion:
                self._findings = ui.html(sanitize=False).classes("findings").props('id="findings"')
        view.every(REFRESH_S, self.refresh)

    async def refresh(self) -> None:
        """Show the books as they are now."""
        status = self._view.context.gateway_status
        try:
            if status is not None:
                self._show(gateway_view(await aside(status)))
            if self._ticks % FINDINGS_EVERY == 0:
                await self._show_findings()
        except KgceError as error:
            self._state.set_text(self._view.words("unavailable", error=error))
        self._ticks += 1

    def _show(self, gateway: GatewayView) -> None:
        words = self._view.words
        balanced = gateway.equation_holds
        self._state.set_text(words("balanced" if balanced else "unbalanced"))
        self._state.classes(replace="ok" if balanced else "warn")
        self._books.set_content(books(gateway, words))
        if gateway.uplink is not None:
            state = str(gateway.uplink.get("state"))
            error = str(gateway.uplink.get("last_error") or "")
            text = words("uplink", state=words(f"state_{state}"))
            self._uplink.set_text(f"{text} ({error})" if state == "down" and error else text)
            self._uplink.classes(replace="warn" if state == "down" else "soft")
        self._devices.set_text(_devices(gateway, words))
        self._devices.classes(replace="warn" if gateway.devices_offline else "soft")

    async def _show_findings(self) -> None:
        found = await aside(self._view.figures.findings)
        self._expansion.set_text(self._view.words("findings", count=len(found)))
        lines = (f"<div><b>{escape(one.subject)}</b> {escape(one.message)}</div>" for one in found[-MOST_FINDINGS:])
        self._findings.set_content("".join(lines))


def books(gateway: GatewayView, words: Words) -> str:
    """`polled = stored + duplicate + refused + dropped + waiting`, in rows."""
    sign = "=" if gateway.equation_holds else "≠"
    parts = ' <span class="op">+</span> '.join(_count(name, gateway, words) for name in ACCOUNTED)
    equation = f'{_count("polled", gateway, words)} <span class="op">{sign}</span> {parts}'
    return f'<div class="books">{equation}</div><div class="soft">{escape(words("since_start"))}</div>'


def _count(name: str, gateway: GatewayView, words: Words) -> str:
    return f'<span><b>{gateway.counters[name]:,}</b> <span class="soft">{escape(words(name))}</span></span>'


def _devices(gateway: GatewayView, words: Words) -> str:
    offline = gateway.devices_offline
    if not offline:
        return words("devices_online", all=gateway.devices)
    names = ", ".join(offline[:MOST_NAMES]) + (" …" if len(offline) > MOST_NAMES else "")
    return words("devices_offline", offline=len(offline), all=gateway.devices, names=names)
