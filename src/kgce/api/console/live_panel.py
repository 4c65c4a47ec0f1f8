"""Live panel: total power, its course over the last minutes, and a card per building.

PowerWatch.current, .trail --every second--> page
"""

from typing import Any, Final

from nicegui import ui

from kgce.api.console.numbers import number, share
from kgce.api.console.style import ACCENT, MUTED
from kgce.api.console.view import View
from kgce.api.power import BuildingPower, LivePower

REFRESH_S: Final = 1.0
SPARK_EVERY: Final = 2  # refreshes per redraw of the line: it sends the whole line anew
MOST_CARDS: Final = 12

_Key = tuple[str, str]


class LivePanel:
    """Follows the power watch."""

    def __init__(self, view: View) -> None:
        """Draw the panel into the present place of the page."""
        self._view = view
        self._cards: dict[_Key, _Card] = {}
        self._ticks = 0
        words = view.words
        with ui.element("section").classes("panel wide"):
            ui.html(words("live"), tag="h2", sanitize=False)
            self._empty = ui.label(words("no_live")).classes("soft")
            with ui.element("div") as self._content:
                with ui.element("div").classes("live-head"):
                    with ui.element("div"):
                        with ui.element("div").classes("big"):
                            self._total = ui.html("–", tag="span", sanitize=False).props('id="live-power"')
                            ui.html("kW", tag="span", sanitize=False).classes("unit")
                        ui.label(words("now")).classes("soft")
                        self._coverage = ui.label().classes("soft")
                    with ui.element("div"):
                        ui.label(words("last_minutes")).classes("soft")
                        self._spark = ui.echart(spark_options()).classes("spark")
                self._grid = ui.element("div").classes("cards").props('id="live-buildings"')
                self._more = ui.label().classes("soft")
        view.every(REFRESH_S, self.refresh)

    def refresh(self) -> None:
        """Show what the watch saw last."""
        power = self._view.power.current
        self._empty.set_visibility(power.meters == 0)
        self._content.set_visibility(power.meters > 0)
        if power.meters == 0:
            return
        self._total.set_content(number(power.power_kw))
        self._coverage.set_text(self._coverage_text(power))
        self._show_buildings(power.buildings)
        if self._ticks % SPARK_EVERY == 0:
            self._spark.options["series"][0]["data"] = [list(point) for point in self._view.power.trail]
            self._spark.update()
        self._ticks += 1

    def _coverage_text(self, power: LivePower) -> str:
        words = self._view.words
        parts = [
            words(
                "meters_fresh",
                fresh=power.fresh_meters,
                all=power.meters,
                share=share(power.fresh_meters / power.meters),
            )
        ]
        if power.age_s is not None:
            parts.append(words("oldest", age=words.age(power.age_s)))
        return " · ".join(parts)

    def _show_buildings(self, buildings: tuple[BuildingPower, ...]) -> None:
        shown = {(one.institution, one.building): one for one in buildings[:MOST_CARDS]}
        if set(shown) != set(self._cards):
            self._grid.clear()
            with self._grid:
                self._cards = {key: _Card(self._view) for key in shown}
            hidden = len(buildings) - len(shown)
            self._more.set_text(self._view.words("more_buildings", count=hidden) if hidden else "")
        names = self._view.power.names
        for key, one in shown.items():
            self._cards[key].show(one, names.get(one.institution, one.institution))


class _Card:
    """One building: name, power, age of the value."""

    def __init__(self, view: View) -> None:
        self._words = view.words
        with ui.element("div").classes("building") as self._frame:
            self._name = ui.label().classes("name")
            with ui.element("div").classes("kw"):
                self._power = ui.label().style("display:inline")
                ui.html("kW", tag="span", sanitize=False).classes("unit")
            self._age = ui.label().classes("soft")

    def show(self, one: BuildingPower, institution: str) -> None:
        """The building's present power."""
        name = f"{institution} · {one.building}" if one.building else institution
        age = self._words.age(one.age_s)
        self._name.set_text(name)
        self._frame.props["title"] = name
        self._power.set_text(number(one.power_kw))
        is_stale = one.power_kw is None
        self._frame.classes(add="stale" if is_stale else None, remove=None if is_stale else "stale")
        self._age.set_text(self._words("no_fresh" if is_stale else "age", age=age))


def spark_options() -> dict[str, Any]:
    """A line without frame; a gap where nothing was fresh."""
    return {
        "animation": False,
        "grid": {"left": 44, "right": 6, "top": 8, "bottom": 20},
        "xAxis": {"type": "time", "axisLabel": {"color": MUTED, "hideOverlap": True}, "axisLine": {"show": False}},
        "yAxis": {
            "type": "value",
            "scale": True,
            "splitNumber": 2,
            "axisLabel": {"color": MUTED},
            "splitLine": {"lineStyle": {"color": MUTED, "opacity": 0.25}},
        },
        "tooltip": {"trigger": "axis"},
        "series": [
            {
                "type": "line",
                "showSymbol": False,
                "connectNulls": False,
                "data": [],
                "lineStyle": {"color": ACCENT, "width": 2},
                "itemStyle": {"color": ACCENT},
                "areaStyle": {"color": ACCENT, "opacity": 0.12},
            }
        ],
    }
