"""The dashboards there are, in the order of their list."""

from kgce.dashboards import overview_panels
from kgce.dashboards.figures_panels import energy_by_month, standing
from kgce.dashboards.heading import Heading, Words
from kgce.dashboards.page import Page, Section
from kgce.dashboards.pages_devices import boiler_room, chargers, water
from kgce.dashboards.pages_figures import carriers, province, quality, ranking
from kgce.dashboards.pages_platform import platform
from kgce.dashboards.variables import derived_variables, device_variables


def pages(timezone: str) -> list[Page]:
    """Every page; its days are those of the time zone."""
    return [
        overview(timezone),
        carriers(timezone),
        boiler_room(timezone),
        chargers(),
        water(timezone),
        quality(timezone),
        ranking(),
        province(timezone),
        platform(),
    ]


def overview(timezone: str) -> Page:
    """What one institution uses now, has used, and where it stands."""
    year = Section(Words("This year", "本年度"), [energy_by_month(timezone), standing("energy_per_area")])
    further = [one for one in derived_variables(year=True) if one.build().name in {"factor_set", "year"}]
    return Page(
        "institution-overview",
        Heading(
            "Institution overview", "机构能耗总览",
            "Electricity, water and gas of the chosen institutions, and the year against quota and target.",
            "所选机构的电、水、气实时与近期用量，以及年度与定额、目标的对比。",
        ),
        [*overview_panels.sections(timezone), year],
        [*device_variables(), *further],
    )  # fmt: skip
