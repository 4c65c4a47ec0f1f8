"""Ranking panel: choices, table, chart of the lowest.

Figures.ranking --on every choice, and looked at again every few seconds--> page
"""

from dataclasses import dataclass
from typing import Any, Final

from nicegui import ui
from nicegui.events import ValueChangeEventArguments

from kgce.analytics.figures import RankRow, notes
from kgce.analytics.indicators import DEFINITIONS, UNIT, Indicator
from kgce.api.console import ranking_view
from kgce.api.console.view import View, aside
from kgce.api.figures import RankingKey
from kgce.domain.errors import KgceError
from kgce.domain.factors import DEFAULT_FACTOR_SET, factor_set, factor_sets

REFRESH_S: Final = 5.0  # finds new data; kept figures make it cheap
ROWS_PER_PAGE: Final = 20
_ALL: Final = ""  # a select cannot hold None as a choice
_COVERAGE_CELL: Final = """
<q-td :props="props"><span :class="props.row.low ? 'bar low' : 'bar'"><i :style="{width: props.row.width}"></i></span>
{{ props.row.coverage }}</q-td>"""
_VALUE_CELL: Final = """
<q-td :props="props"><b>{{ props.row.value }}</b> <span class="soft wide-only">{{ props.row.unit }}</span></q-td>"""


@dataclass(slots=True)
class _Choice:
    """What the visitor looks at; year and class follow the data until chosen by hand."""

    year: int | None = None
    indicator: Indicator = Indicator.ENERGY_PER_AREA
    factor_set: str = DEFAULT_FACTOR_SET
    peer_class: str = _ALL
    search: str = ""
    page: int = 1
    is_year_own: bool = False
    is_class_own: bool = False


class RankingPanel:
    """Shows the ranking of the choice."""

    def __init__(self, view: View) -> None:
        """Draw the panel into the present place of the page."""
        self._view = view
        self._choice = _Choice()
        self._rows: list[RankRow] = []
        with ui.element("section").classes("panel wide"):
            ui.html(view.words("ranking"), tag="h2", sanitize=False)
            self._state = ui.label(view.words("computing")).classes("soft state").props('id="ranking-state"')
            with ui.element("div") as self._content:
                self._draw_controls()
                self._draw_result()
        self._content.set_visibility(False)
        view.every(REFRESH_S, self.refresh)

    def _draw_controls(self) -> None:
        words = self._view.words
        indicators = {one.value: words(one.value) for one in Indicator}
        sets = {one: words.factor_set(one) for one in factor_sets()}
        with ui.element("div").classes("controls"):
            self._year = self._select("year", {})
            self._indicator = self._select("indicator", indicators, Indicator.ENERGY_PER_AREA.value)
            self._class = self._select("class", {_ALL: words("all_classes")}, _ALL)
            self._set = self._select("factor_set", sets, DEFAULT_FACTOR_SET)
            search = ui.input(words("search"), on_change=self._on_search).props("dense outlined debounce=300")
            search.classes("ranking-search")

    def _select(self, word: str, options: dict[Any, str], value: Any = None) -> ui.select:
        select = ui.select(options, value=value, label=self._view.words(word), on_change=self._on_choice)
        select.props("dense outlined options-dense")
        return select.classes(f"ranking-{word.replace('_', '-')}")

    def _draw_result(self) -> None:
        with ui.element("div").classes("rank-split"):
            with ui.element("div"):
                with ui.element("div").classes("scroll").props('id="ranking-table"'):
                    columns = ranking_view.columns(self._view.words)
                    self._table = ui.table(columns=columns, rows=[], row_key="id")
                    self._table.props('flat dense hide-pagination :rows-per-page-options="[0]"')
                    self._table.add_slot("body-cell-coverage", _COVERAGE_CELL)
                    self._table.add_slot("body-cell-value", _VALUE_CELL)
                    self._table.style("background:transparent;width:100%").classes("ranking")
                with ui.element("div").classes("pager"):
                    self._pager = ui.pagination(1, 1, direction_links=True, on_change=self._on_page)
                    self._pager.props("max-pages=6 boundary-numbers")
            with ui.element("div").props('id="ranking-chart"'):
                self._caption = ui.label().classes("soft")
                self._chart = ui.echart(ranking_view.chart_options([])).classes("rank-chart")

    async def refresh(self) -> None:
        """Look at the data again and show what has changed."""
        words = self._view.words
        try:
            years = await aside(self._view.figures.years)
            usual = await aside(self._view.figures.usual_year)
            if not years or usual is None:
                self._state.set_text(words("no_institution"))
                self._content.set_visibility(False)
                return
            if not self._choice.is_year_own:
                self._choice.year = usual
            key = RankingKey(self._choice.year or usual, self._choice.indicator, self._choice.factor_set)
            rows, _ = await aside(self._view.figures.ranking, key)
        except KgceError as error:
            self._state.set_text(words("unavailable", error=error))
            return
        if key.year != (self._choice.year or usual) or key.indicator is not self._choice.indicator:
            return  # the visitor has chosen anew meanwhile; that choice shows itself
        is_same = rows is self._rows
        self._rows = rows
        self._offer(years)
        if not is_same:
            self._show()
        self._content.set_visibility(True)

    def _offer(self, years: list[int]) -> None:
        words = self._view.words
        if not self._choice.is_class_own:
            self._choice.peer_class = ranking_view.usual_class(self._rows) or _ALL
        classes = sorted({row.peer_class for row in self._rows} - {""} | {self._choice.peer_class} - {_ALL})
        self._year.set_options({year: str(year) for year in years}, value=self._choice.year)
        named = {_ALL: words("all_classes"), **{name: name for name in classes}}
        self._class.set_options(named, value=self._choice.peer_class)

    def _show(self) -> None:
        words, choice = self._view.words, self._choice
        in_class = ranking_view.chosen_rows(self._rows, choice.peer_class or None, "")
        found = ranking_view.chosen_rows(in_class, None, choice.search)
        ranked = sum(row.rank is not None for row in in_class)
        unit, year = UNIT[choice.indicator], choice.year or 0
        parts = [words("ranked_of", ranked=ranked, all=len(in_class), year=year, unit=unit)]
        chosen_set = factor_set(choice.factor_set)
        if DEFINITIONS[choice.indicator].weighed and notes(year, chosen_set):
            since = chosen_set.valid_from.isoformat()
            parts.append(words("retrospective", set=words.factor_set(chosen_set.id), since=since, year=year))
        if not ranked:
            parts.append(words("no_rank"))
        if in_class and not found:
            parts.append(words("no_match"))
        self._state.set_text(" ".join(parts))
        self._show_page(found)
        self._caption.set_text(words("top", count=len(ranking_view.lowest(in_class)), unit=unit))
        self._chart.style(f"height:{ranking_view.chart_height_px(in_class)}px")
        self._chart.options.clear()
        self._chart.options.update(ranking_view.chart_options(in_class))
        self._chart.update()

    def _show_page(self, found: list[RankRow]) -> None:
        pages = max(1, -(-len(found) // ROWS_PER_PAGE))
        self._choice.page = min(self._choice.page, pages)
        self._pager.max = pages
        self._pager.set_value(self._choice.page)
        self._pager.set_visibility(pages > 1)
        first = (self._choice.page - 1) * ROWS_PER_PAGE
        rows = ranking_view.table_rows(found[first : first + ROWS_PER_PAGE], self._view.words)
        self._table.update_rows(rows)

    async def _on_choice(self, event: ValueChangeEventArguments[Any]) -> None:
        choice = self._choice
        shown: dict[object, str | int | None] = {
            self._year: choice.year,
            self._class: choice.peer_class,
            self._set: choice.factor_set,
        }
        if event.value is None or event.value == shown.get(event.sender, choice.indicator):
            return  # set by us, to what is shown anyway
        choice.page = 1
        if event.sender is self._class:
            choice.peer_class, choice.is_class_own = event.value, True
            self._show()
            return
        if event.sender is self._year:
            choice.year, choice.is_year_own = event.value, True
        choice.indicator = Indicator(self._indicator.value)
        choice.factor_set = self._set.value
        self._state.set_text(self._view.words("computing"))
        self._rows = []  # whatever comes is shown
        await self.refresh()

    def _on_search(self, event: ValueChangeEventArguments[Any]) -> None:
        self._choice.search, self._choice.page = event.value or "", 1
        self._show()

    def _on_page(self, event: ValueChangeEventArguments[Any]) -> None:
        if event.value and event.value != self._choice.page:
            self._choice.page = int(event.value)
            self._show()
