"""Dashboard variables: the data source, then region > institution > building > device, each limited by those before.

On pages of derived series: region > institution, the factor set and the year.
"""

from typing import Final

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog import builder as cogbuilder
from grafana_foundation_sdk.models import dashboard as models

from kgce.dashboards import derived
from kgce.dashboards.influxql import DATASOURCE, DATASOURCE_TYPE
from kgce.dashboards.selections import PLACES, tag_values

Variable = cogbuilder.Builder[models.VariableModel]

# Kinds of device the dashboards show. Derived measurements (indicator, consumption) carry the same tags but no devices.
MEASUREMENTS: Final = ("electricity", "water", "gas", "heat", "boiler", "charger")
EVERYTHING: Final = ".*"  # also matches a series that lacks the tag, which a list of all values would lose
_LABELS: Final = {
    "region": "Region 区划",
    "institution": "Institution 机构",
    "building": "Building 建筑",
    "device": "Device 设备",
}
_NATIONAL: Final = "cn-national"


def device_variables(measurements: tuple[str, ...] = MEASUREMENTS) -> list[Variable]:
    """For pages of readings, in the order Grafana must load them; devices of these kinds are offered."""
    return [_source(), *(_many(tag, tag_values(tag, measurements)) for tag in PLACES)]


def derived_variables(*, year: bool = False) -> list[Variable]:
    """For pages of derived series."""
    found: list[Variable] = [
        _source(),
        _many("region", derived.tag_values("region", derived.CONSUMPTION)),
        _many("institution", derived.tag_values("institution", derived.CONSUMPTION, outer=("region",))),
        _factor_set(),
    ]
    if year:
        found.append(_year())
    return found


def _source() -> builders.DatasourceVariable:
    source = builders.DatasourceVariable("datasource").id("datasource").type(DATASOURCE_TYPE)
    return source.label("Data source 数据源")


def _many(tag: str, query: str) -> builders.QueryVariable:
    return (
        builders.QueryVariable(tag)
        .id(tag)
        .label(_LABELS[tag])
        .datasource(DATASOURCE)
        .query(query)
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(EVERYTHING)
        .current(models.VariableOption(selected=True, text=["All"], value=["$__all"]))
    )


def _year() -> builders.QueryVariable:
    """One year; the newest first."""
    return (
        builders.QueryVariable(derived.YEAR)
        .id(derived.YEAR)
        .label("Year 年度")
        .datasource(DATASOURCE)
        .query(derived.tag_values("period", derived.INDICATOR))
        .refresh(models.VariableRefresh.ON_DASHBOARD_LOAD)
        .sort(models.VariableSort.NUMERICAL_DESC)
        .multi(False)
        .include_all(False)
    )


def _factor_set() -> builders.QueryVariable:
    """One set: figures of different sets are never added up or compared."""
    return (
        builders.QueryVariable("factor_set")
        .id("factor_set")
        .label("Factor set 折标系数")
        .datasource(DATASOURCE)
        .query(derived.tag_values("factor_set", derived.CONSUMPTION))
        .refresh(models.VariableRefresh.ON_DASHBOARD_LOAD)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .multi(False)
        .include_all(False)
        .current(models.VariableOption(selected=True, text=_NATIONAL, value=_NATIONAL))
    )
