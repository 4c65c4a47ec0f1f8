"""The few kinds of panel the dashboards use, each always with heading, unit, size and data source."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as dashboard_builders
from grafana_foundation_sdk.builders import stat, table, timeseries
from grafana_foundation_sdk.models import common, dashboard

from kgce.dashboards.influxql import DATASOURCE, InfluxTarget


@dataclass(frozen=True, slots=True)
class Heading:
    """What a panel says about itself."""

    title: str
    title_zh: str
    description: str


PanelBuilder = stat.Panel | timeseries.Panel | table.Panel
_Kind = TypeVar("_Kind", stat.Panel, timeseries.Panel, table.Panel)
Step = tuple[float | None, str]  # from this value on, this colour; None = from the bottom

GRID_COLUMNS: Final = 24  # width of a Grafana dashboard
_BRIDGED_MS: Final = 20 * 60_000  # meters are read every 15 minutes at the slowest; longer without a reading is a gap
_STAT_HEIGHT: Final = 4
_CHART_HEIGHT: Final = 8
DEVICE_LINE: Final = "$tag_institution $tag_building $tag_device"
BUILDING_LINE: Final = "$tag_institution $tag_building"


def number(heading: Heading, unit: str, influxql: str, *, steps: Sequence[Step] = ()) -> stat.Panel:
    """One figure."""
    panel = stat.Panel().graph_mode(common.BigValueGraphMode.NONE).with_target(InfluxTarget(influxql))
    panel = panel.reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]))
    return _dressed(panel, heading, unit, steps).no_value("no data").span(4).height(_STAT_HEIGHT)


def lines(
    heading: Heading, unit: str, targets: Sequence[InfluxTarget], *, steps: Sequence[Step] = ()
) -> timeseries.Panel:
    """Lines over time, with a gap where readings are missing; steps are drawn as limits."""
    panel = _over_time(timeseries.Panel(), targets).span_nulls(_BRIDGED_MS).fill_opacity(8).interval("1m")
    if steps:
        style = common_builders.GraphThresholdsStyleConfig().mode(common.GraphTresholdsStyleMode.DASHED)
        panel = panel.thresholds_style(style)
    return _dressed(panel, heading, unit, steps).span(12).height(_CHART_HEIGHT)


def bars(heading: Heading, unit: str, targets: Sequence[InfluxTarget]) -> timeseries.Panel:
    """Stacked amounts, one bar per interval."""
    panel = _over_time(timeseries.Panel(), targets).draw_style(common.GraphDrawStyle.BARS).fill_opacity(70)
    panel = panel.stacking(common_builders.StackingConfig().mode(common.StackingMode.NORMAL).group("A")).min(0)
    panel = panel.bar_alignment(common.BarAlignment.AFTER)  # an interval is labelled by its start
    return _dressed(panel, heading, unit, ()).span(12).height(_CHART_HEIGHT)


def rows(heading: Heading, targets: Sequence[InfluxTarget], *, column_units: dict[str, str]) -> table.Panel:
    """One row per device; column_units gives every value column its unit."""
    panel = table.Panel().with_transformation(dashboard.DataTransformerConfig(id_val="merge", options={}))
    for target in targets:
        panel = panel.with_target(target.as_table())
    for column, unit in column_units.items():
        panel = panel.override_by_name(column, [dashboard.DynamicConfigValue(id_val="unit", value=unit)])
    return _dressed(panel, heading, "none", ()).span(GRID_COLUMNS).height(_CHART_HEIGHT)


def _over_time(panel: timeseries.Panel, targets: Sequence[InfluxTarget]) -> timeseries.Panel:
    for target in targets:
        panel = panel.with_target(target)
    legend = common_builders.VizLegendOptions().show_legend(True).placement(common.LegendPlacement.BOTTOM)
    return panel.legend(legend.display_mode(common.LegendDisplayMode.LIST))


def _dressed(panel: _Kind, heading: Heading, unit: str, steps: Sequence[Step]) -> _Kind:
    panel = (
        panel.title(heading.title)
        .description(f"{heading.title_zh}: {heading.description}")
        .unit(unit)
        .datasource(DATASOURCE)
    )
    if steps:
        levels = [dashboard.Threshold(value=value, color=color) for value, color in steps]
        mode = dashboard.ThresholdsMode.ABSOLUTE
        panel = panel.thresholds(dashboard_builders.ThresholdsConfig().mode(mode).steps(levels))
    return panel
