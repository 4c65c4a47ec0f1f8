"""The dashboard "Institution overview": what one institution uses now and has used.

selections.py (InfluxQL) --> overview_panels.py (panels by section) --> here (order, variables) --> build.py (files)
"""

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models import dashboard as models

from kgce.dashboards.overview_panels import sections
from kgce.dashboards.variables import variables


def institution_overview(timezone: str) -> builders.Dashboard:
    """The dashboard; its days and hours are those of the time zone (an IANA name)."""
    dashboard = (
        builders.Dashboard("Institution overview")
        .uid("kgce-institution-overview")
        .description("机构能耗总览: electricity, water, gas, boilers and chargers of the chosen institutions.")
        .tags(["kgce", "energy"])
        .timezone(timezone)
        .time("now-7d", "now")
        .refresh("10s")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .readonly()
    )
    for variable in variables():
        dashboard = dashboard.with_variable(variable)
    next_id = 1
    for title, panels in sections(timezone).items():
        dashboard = dashboard.with_row(builders.Row(title).id(next_id))
        for offset, panel in enumerate(panels, start=1):
            dashboard = dashboard.with_panel(panel.id(next_id + offset))
        next_id += len(panels) + 1
    return dashboard
