"""A dashboard put together: sections of panels, variables, links to the others, in one language.

panel_kinds.py (Shown) --> here --> build.py (files)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog import builder as cogbuilder
from grafana_foundation_sdk.models import dashboard as models

from kgce.dashboards.heading import Heading, Language, Words
from kgce.dashboards.panel_kinds import GRID_COLUMNS, NO_DATA, PanelBuilder, Shown

Variable = cogbuilder.Builder[models.VariableModel]
OTHERS: Final = Words("Other dashboards", "其他看板")


@dataclass(frozen=True, slots=True)
class Section:
    """Panels under a title."""

    title: Words
    panels: Sequence[Shown]


@dataclass(frozen=True, slots=True)
class Page:
    """One dashboard in no language yet.

    name: of its file and in its uid; time_from: how far back it looks at first; refresh: Grafana's interval, empty =
    only when asked.
    """

    name: str
    heading: Heading
    sections: Sequence[Section]
    variables: Sequence[Variable]
    time_from: str = "now-7d"
    refresh: str = "10s"

    def uid(self, language: Language) -> str:
        """Where links find it, at most 40 signs."""
        return f"kgce-{self.name}" if language is Language.EN else f"kgce-{self.name}-{language}"


def dashboard_of(page: Page, language: Language, timezone: str) -> builders.Dashboard:
    """The page as Grafana's model; its days and hours are those of the time zone (an IANA name)."""
    made = (
        builders.Dashboard(page.heading.title_in(language))
        .uid(page.uid(language))
        .description(page.heading.about_in(language))
        .tags(["kgce", f"kgce-{language}"])
        .timezone(timezone)
        .time(page.time_from, "now")
        .refresh(page.refresh)
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .readonly()
        .link(_links(language))
    )
    for variable in page.variables:
        made = made.with_variable(variable)
    next_id, y = 1, 0
    for section in page.sections:
        place = models.GridPos(h=1, w=GRID_COLUMNS, x=0, y=y)
        made = made.with_row(builders.Row(section.title[language]).id(next_id).grid_pos(place))
        places = _places(section.panels, y + 1)
        for offset, (shown, place) in enumerate(zip(section.panels, places, strict=True), start=1):
            made = made.with_panel(_worded(shown, language).id(next_id + offset).grid_pos(place))
        next_id += len(section.panels) + 1
        y = max(place.y + place.h for place in places)
    return made


def _places(panels: Sequence[Shown], y: int) -> list[models.GridPos]:
    """Panels from left to right; what does not fit any more begins a new line."""
    found: list[models.GridPos] = []
    x = line_height = 0
    for shown in panels:
        if x + shown.width > GRID_COLUMNS:
            x, y, line_height = 0, y + line_height, 0
        found.append(models.GridPos(h=shown.height, w=shown.width, x=x, y=y))
        x, line_height = x + shown.width, max(line_height, shown.height)
    return found


def _worded(shown: Shown, language: Language) -> PanelBuilder:
    panel = shown.builder.title(shown.heading.title_in(language)).description(shown.heading.about_in(language))
    panel = panel.no_value(NO_DATA[language])
    for name, words in shown.columns.items():
        if words[language] != name:
            told = [models.DynamicConfigValue(id_val="displayName", value=words[language])]
            panel = panel.override_by_name(name, told)
    return panel


def _links(language: Language) -> builders.DashboardLink:
    """A list of the other dashboards of this language, with what is chosen here."""
    return (
        builders.DashboardLink(OTHERS[language])
        .type(models.DashboardLinkType.DASHBOARDS)
        .tags([f"kgce-{language}"])
        .as_dropdown(True)
        .include_vars(True)
        .keep_time(True)
    )
