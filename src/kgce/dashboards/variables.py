"""Dashboard variables: the data source, then region > institution > building > device, each limited by those before."""

from typing import Final

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog import builder as cogbuilder
from grafana_foundation_sdk.models import dashboard as models

from kgce.dashboards.influxql import DATASOURCE, DATASOURCE_TYPE
from kgce.dashboards.selections import PLACES, tag_values

# Kinds of device the dashboard shows. Derived measurements (indicator, consumption) carry the same tags but no devices.
MEASUREMENTS: Final = ("electricity", "water", "gas", "heat", "boiler", "charger")
EVERYTHING: Final = ".*"  # also matches a series that lacks the tag, which a list of all values would lose
_LABELS: Final = {
    "region": "Region 区划",
    "institution": "Institution 机构",
    "building": "Building 建筑",
    "device": "Device 设备",
}


def variables() -> list[cogbuilder.Builder[models.VariableModel]]:
    """The variables in the order Grafana must load them."""
    source = builders.DatasourceVariable("datasource").id("datasource").type(DATASOURCE_TYPE)
    return [source.label("Data source 数据源"), *map(_place, PLACES)]


def _place(tag: str) -> builders.QueryVariable:
    return (
        builders.QueryVariable(tag)
        .id(tag)
        .label(_LABELS[tag])
        .datasource(DATASOURCE)
        .query(tag_values(tag, MEASUREMENTS))
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(EVERYTHING)
        .current(models.VariableOption(selected=True, text=["All"], value=["$__all"]))
    )
