"""The few kinds of panel the dashboards use, each with unit, size and data source; page.py gives it its words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as dashboard_builders
from grafana_foundation_sdk.builders import stat, table, timeseries
from grafana_foundation_sdk.models import common, dashboard

from kgce.dashboards.heading import Heading, Words
from kgce.dashboards.influxql import DATASOURCE, InfluxTarget

PanelBuilder = stat.Panel | timeseries.Panel | table.Panel
_Kind = TypeVar("_Kind", stat.Panel, timeseries.Panel, table.Panel)
Step = tuple[float | None, str]  # from this value on, this colour; None = from the bottom

GRID_COLUMNS: Final = 24  # width of a Grafana dashboard
_BRIDGED_MS: Final = 20 * 60_000  # meters are read every 15 minutes at the slowest; longer without a reading is a gap
_STAT_HEIGHT: Final = 4
_CHART_HEIGHT: Final = 8
DEVICE_LINE: Final = "$tag_institution $tag_building $tag_device"
BUILDING_LINE: Final = "$tag_institution $tag_building"
NO_DATA: Final = Words("no data", "无数据")


@dataclass(frozen=True, slots=True)
class Shown:
    """A panel without words, the words for it, and its size on the grid.

    columns: names of a table's columns in both languages.
    """

    heading: Heading
    builder: PanelBuilder
    width: int
    height: int
    columns: Mapping[str, Words] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: its name in Chinese (English is its key) and Grafana's unit id."""

    name_zh: str
    unit: str
    steps: Sequence[Step] = ()


def number(heading: Heading, unit: str, influxql: str, *, steps: Sequence[Step] = ()) -> Shown:
    """One figure."""
    panel = stat.Panel().graph_mode(common.BigValueGraphMode.NONE).with_target(InfluxTarget(influxql))
    panel = panel.reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]))
    return Shown(heading, _dressed(panel, unit, steps), 4, _STAT_HEIGHT)


def lines(heading: Heading, unit: str, targets: Sequence[InfluxTarget], *, steps: Sequence[Step] = ()) -> Shown:
    """Lines over time, with a gap where readings are missing; steps are drawn as limits."""
    panel = _over_time(timeseries.Panel(), targets).span_nulls(_BRIDGED_MS).fill_opacity(8).interval("1m")
    if steps:
        style = common_builders.GraphThresholdsStyleConfig().mode(common.GraphTresholdsStyleMode.DASHED)
        panel = panel.thresholds_style(style)
    return Shown(heading, _dressed(panel, unit, steps), 12, _CHART_HEIGHT)


def bars(heading: Heading, unit: str, targets: Sequence[InfluxTarget]) -> Shown:
    """Stacked amounts, one bar per interval."""
    panel = _over_time(timeseries.Panel(), targets).draw_style(common.GraphDrawStyle.BARS).fill_opacity(70)
    panel = panel.stacking(common_builders.StackingConfig().mode(common.StackingMode.NORMAL).group("A")).min(0)
    panel = panel.bar_alignment(common.BarAlignment.AFTER)  # an interval is labelled by its start
    return Shown(heading, _dressed(panel, unit, ()), 12, _CHART_HEIGHT)


def rows(heading: Heading, targets: Sequence[InfluxTarget], columns: Mapping[str, Column], *, height: int = 8) -> Shown:
    """One row for each place; every column of values has its unit, a tag its name."""
    panel = table.Panel().with_transformation(dashboard.DataTransformerConfig(id_val="merge", options={}))
    for target in targets:
        panel = panel.with_target(target.as_table())
    for name, column in columns.items():
        told = [dashboard.DynamicConfigValue(id_val="unit", value=column.unit)]
        if column.steps:
            levels = [{"value": value, "color": color} for value, color in column.steps]
            told += [
                dashboard.DynamicConfigValue(id_val="thresholds", value={"mode": "absolute", "steps": levels}),
                dashboard.DynamicConfigValue(id_val="custom.cellOptions", value={"type": "color-text"}),
            ]
        panel = panel.override_by_name(name, told)
    words = {name: Words(name, column.name_zh) for name, column in columns.items()}
    return Shown(heading, _dressed(panel, "none", ()), GRID_COLUMNS, height, words)


def _over_time(panel: timeseries.Panel, targets: Sequence[InfluxTarget]) -> timeseries.Panel:
    for target in targets:
        panel = panel.with_target(target)
    legend = common_builders.VizLegendOptions().show_legend(True).placement(common.LegendPlacement.BOTTOM)
    return panel.legend(legend.display_mode(common.LegendDisplayMode.LIST))


def named(targets: Sequence[InfluxTarget]) -> list[InfluxTarget]:
    """The queries of one panel as A, B, C ..."""
    return [target.ref(chr(ord("A") + place)) for place, target in enumerate(targets)]


def _dressed(panel: _Kind, unit: str, steps: Sequence[Step]) -> _Kind:
    panel = panel.unit(unit).datasource(DATASOURCE)
    if steps:
        levels = [dashboard.Threshold(value=value, color=color) for value, color in steps]
        mode = dashboard.ThresholdsMode.ABSOLUTE
        panel = panel.thresholds(dashboard_builders.ThresholdsConfig().mode(mode).steps(levels))
    return panel
