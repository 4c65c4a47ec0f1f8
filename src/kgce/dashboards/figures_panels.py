"""Panels of derived series that several pages show: energy by carrier and month, standing against quota and target."""

from collections.abc import Mapping
from typing import Final

from kgce.dashboards import derived
from kgce.dashboards.heading import Heading
from kgce.dashboards.influxql import InfluxTarget
from kgce.dashboards.panel_kinds import Column, Shown, Step, bars, rows

KGCE: Final = "suffix: kgce"
SHARE: Final = "percentunit"
# A grade of 4 is within the guide value, 1 above the constraint value. Source: DB37/T 2671-2019 Table A.1.
GRADES: Final[tuple[Step, ...]] = ((None, "red"), (2.0, "orange"), (3.0, "green"), (4.0, "blue"))
_COVERED: Final[tuple[Step, ...]] = ((None, "red"), (0.9, "green"))
UNITS: Final[Mapping[str, str]] = {
    "energy_per_area": "suffix: kgce/m²",
    "energy_per_capita": "suffix: kgce/p",
    "water_per_capita": "suffix: m³/p",
    "non_heating_per_area": "suffix: kgce/m²",
    "heating_per_heated_area": "suffix: kgce/m²",
    "conventional_electricity_per_area": "suffix: kWh/m²",
    "eue": "none",
}
NAMES: Final[Mapping[str, tuple[str, str]]] = {
    "energy_per_area": ("Energy per area", "单位建筑面积能耗"),
    "energy_per_capita": ("Energy per person", "人均综合能耗"),
    "water_per_capita": ("Water per person", "人均用水量"),
    "non_heating_per_area": ("Non-heating energy per area", "单位建筑面积非供暖能耗"),
    "heating_per_heated_area": ("Heating per heated area", "单位供暖面积供暖能耗"),
    "conventional_electricity_per_area": ("Conventional electricity per area", "单位建筑面积常规电耗"),
    "eue": ("Data-centre EUE", "数据中心电能使用效率"),
}
_FROM_LEDGER: Final = "Of the ledger, as `kgce analyze` last wrote it."
_FROM_LEDGER_ZH: Final = "取自台账，由`kgce analyze`最近一次写入。"


def energy_by_month(timezone: str) -> Shown:
    """Standard coal of each carrier, a bar a month, over the last twelve months."""
    heading = Heading(
        "Energy of twelve months", "近十二个月综合能耗", f"Standard coal by carrier. {_FROM_LEDGER}",
        f"按能源品种折算的标准煤。{_FROM_LEDGER_ZH}",
    )  # fmt: skip
    query = derived.amounts("kgce", by="carrier", grid="month", timezone=timezone)
    shown = bars(heading, KGCE, [InfluxTarget(query).alias("$tag_carrier")])
    shown.builder.time_from("1y")
    return shown


def standing(indicator: str) -> Shown:
    """Every chosen institution's figure of the year with its place, quota and target, by rank."""
    name, name_zh = NAMES[indicator]
    heading = Heading(
        name, name_zh,
        "Rank among class, level and climate zone; grade 4 is within the guide value, 1 above the constraint value. "
        "`kgce leaders` and `kgce explain` say why.",
        "在同类别、同级别、同气候区内的位次；等级4为达到引导值，1为超过约束值。原因见`kgce leaders`与`kgce explain`。",
    )  # fmt: skip
    unit = UNITS[indicator]
    fields = {
        "Value": "value", "Rank": "rank", "Percentile": "percentile", "Of mean": "ratio", "Grade": "grade",
        "Constraint": "quota_constraint", "Target": "target", "Coverage": "coverage", "Estimated": "estimated",
    }  # fmt: skip
    query = derived.figures(fields, by=("institution", "class"), indicator=indicator)
    columns = {
        "institution": Column("机构", "string"),
        "class": Column("类别", "string"),
        "Value": Column("数值", unit),
        "Rank": Column("位次", "none"),
        "Percentile": Column("百分位", "percent"),
        "Of mean": Column("与均值之比", "none"),
        "Grade": Column("等级", "none", GRADES),
        "Constraint": Column("约束值", unit),
        "Target": Column("目标值", unit),
        "Coverage": Column("覆盖率", SHARE, _COVERED),
        "Estimated": Column("估算比例", SHARE),
    }
    return rows(heading, [InfluxTarget(query)], columns, height=10)
