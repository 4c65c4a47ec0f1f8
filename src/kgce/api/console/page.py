"""The page at `/`: header and panels, in the visitor's language.

PowerWatch --> live panel        Figures.today --> today       gateway_status --> data quality
Figures.ranking --> ranking table and chart
"""

from fastapi import FastAPI, Request
from nicegui import ui

from kgce.api.console.gateway_panel import GatewayPanel
from kgce.api.console.live_panel import LivePanel
from kgce.api.console.ranking_panel import RankingPanel
from kgce.api.console.style import ACCENT, SHEET
from kgce.api.console.today_panel import TodayPanel
from kgce.api.console.view import View
from kgce.api.console.words import Language, Words, choose_language

_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#0f8a6d"/>'
    '<path d="M18 4 8 18h7l-2 10 11-15h-7z" fill="#fff"/></svg>'
)


def install_console(app: FastAPI) -> None:
    """Mount the page on the app; NiceGUI holds one console per process, the one installed last."""

    @ui.page("/")
    def index(request: Request, lang: str | None = None) -> None:
        words = Words(choose_language(lang, request.headers.get("accept-language", "")))
        state = app.state
        draw(View(words, state.context, state.figures, state.power))

    ui.run_with(app, title="kgce", favicon=_ICON, dark=None, tailwind=False, show_welcome_message=False)


def draw(view: View) -> None:
    """Header and panels; the figures arrive by themselves."""
    ui.add_css(SHEET)
    ui.colors(primary=ACCENT)
    with ui.element("main").classes("page"):
        _header(view)
        LivePanel(view)
        TodayPanel(view)
        GatewayPanel(view)
        RankingPanel(view)


def _header(view: View) -> None:
    words = view.words
    other = Language.ZH if words.language is Language.EN else Language.EN
    dark = ui.dark_mode(None)  # as the visitor's system has it, until chosen

    async def switch() -> None:
        is_dark = await ui.run_javascript("document.body.classList.contains('body--dark')")
        dark.set_value(not is_dark)

    with ui.element("header").classes("top"):
        ui.html("kgce", tag="span", sanitize=False).classes("brand")
        ui.label(words("tagline")).classes("soft tagline")
        ui.label(view.context.data_note).classes("soft").props('id="data-note"')
        ui.element("span").classes("grow")
        ui.link(words("other_language"), f"/?lang={other}").props('id="language"')
        button = ui.button(icon="contrast", on_click=switch).props("flat round dense color=grey")
        button.props(f'id="dark" aria-label="{words("dark")}"')
