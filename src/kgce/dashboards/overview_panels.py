"""The panels of "Institution overview", section by section; pages.py puts them on the page."""

from typing import Final

from kgce.dashboards.heading import Heading, Words
from kgce.dashboards.influxql import InfluxTarget
from kgce.dashboards.page import Section
from kgce.dashboards.panel_kinds import (
    BUILDING_LINE,
    DEVICE_LINE,
    Column,
    Shown,
    bars,
    lines,
    named,
    number,
    rows,
)
from kgce.dashboards.selections import FRESH, Field

POWER: Final = Field("electricity", "active_power_total")
ENERGY: Final = Field("electricity", "active_energy_import")
VOLTAGES: Final = tuple(Field("electricity", f"voltage_l{phase}_n") for phase in (1, 2, 3))
CURRENTS: Final = tuple(Field("electricity", f"current_l{phase}") for phase in (1, 2, 3))
WATER: Final = Field("water", "water_volume")
GAS: Final = Field("gas", "gas_volume")
BOILER_TEMPERATURE: Final = Field("boiler", "actual_temperature")
CHARGER_POWER: Final = Field("charger", "active_power")

_LEDGER: Final = (
    "A gap puts its whole amount into the interval in which readings return; a reset or a changed meter shows no"
    " amount there. The ledger is the authority: `kgce ledger`."
)
_LEDGER_ZH: Final = "断点期间的用量计入恢复读数的时段；清零或换表处不显示用量。以台账为准：`kgce ledger`。"
_MAINS: Final = "Sub-meters count too: choose the main meters under Device where both are installed."
_MAINS_ZH: Final = "分表也计入：同时装有总表和分表时，请在“设备”中只选总表。"
_LIVE: Final = f"Meters with a reading not older than {FRESH}."
_LIVE_ZH: Final = f"{FRESH}内有读数的表计数量。"
_RANGE: Final = (
    "Last minus first reading of each meter, added up. Negative: a counter was reset or replaced; `kgce ledger` knows."
)
_RANGE_ZH: Final = "各表末次读数减首次读数之和。出现负值说明清零或换表，详见`kgce ledger`。"
AT_LEAST_ONE: Final = ((None, "red"), (1.0, "green"))
_NOT_NEGATIVE: Final = ((None, "red"), (0.0, "green"))
# 220 V between phase and neutral may deviate by -10 % to +7 %. Source: GB/T 12325-2008, supply voltage deviation.
_VOLTAGE_LIMITS: Final = ((None, "orange"), (198.0, "green"), (235.4, "orange"))


def sections(timezone: str) -> list[Section]:
    """Panels in reading order."""
    return [
        Section(Words("Now", "实时"), [*_live(), *_amounts_of_range()]),
        Section(Words("Electricity", "电力"), [*_electricity(), *_electricity_amounts(timezone)]),
        Section(Words("Water and gas", "水与燃气"), _water_and_gas(timezone)),
        Section(Words("Devices", "设备"), _devices()),
    ]


def _live() -> list[Shown]:
    power = Heading(
        "Live power", "实时总功率", f"Sum of the readings not older than {FRESH}. {_MAINS}",
        f"{FRESH}内读数之和。{_MAINS_ZH}",
    )  # fmt: skip
    meters = Heading("Electricity meters live", "在线电表", _LIVE, _LIVE_ZH)
    water = Heading("Water meters live", "在线水表", _LIVE, _LIVE_ZH)
    return [
        number(power, POWER.unit, POWER.sum_of_live()),
        number(meters, "none", POWER.count_of_live(), steps=AT_LEAST_ONE),
        number(water, "none", WATER.count_of_live(), steps=AT_LEAST_ONE),
    ]


def _amounts_of_range() -> list[Shown]:
    headings = {
        ENERGY: Heading("Electricity in range", "所选时段用电量", f"{_RANGE} {_MAINS}", f"{_RANGE_ZH}{_MAINS_ZH}"),
        WATER: Heading("Water in range", "所选时段用水量", _RANGE, _RANGE_ZH),
        GAS: Heading("Gas in range", "所选时段用气量", _RANGE, _RANGE_ZH),
    }
    return [
        number(heading, field.unit, field.amount_of_range(), steps=_NOT_NEGATIVE) for field, heading in headings.items()
    ]


def _electricity() -> list[Shown]:
    power = Heading(
        "Power by building", "分楼栋功率", f"Mean power, added up over the meters that reported. {_MAINS}",
        f"平均功率，按有读数的表计相加。{_MAINS_ZH}",
    )  # fmt: skip
    voltage = Heading(
        "Voltage by phase", "各相电压", "Mean; dashed: 198 V and 235.4 V, the limits of GB/T 12325.",
        "平均值；虚线为GB/T 12325规定的限值198 V与235.4 V。",
    )  # fmt: skip
    current = Heading(
        "Current by phase", "各相电流", "Mean; unequal phases load the neutral conductor.",
        "平均值；三相不平衡会使中性线承受负荷。",
    )  # fmt: skip
    return [
        lines(power, POWER.unit, [InfluxTarget(POWER.sum_of_means()).alias(BUILDING_LINE)]),
        lines(voltage, VOLTAGES[0].unit, _by_phase(VOLTAGES), steps=_VOLTAGE_LIMITS),
        lines(current, CURRENTS[0].unit, _by_phase(CURRENTS)),
    ]


def _electricity_amounts(timezone: str) -> list[Shown]:
    hourly = Heading(
        "Electricity by hour", "逐时用电量", f"Counter difference from hour to hour. {_LEDGER}",
        f"逐小时表底差。{_LEDGER_ZH}",
    )  # fmt: skip
    return [
        bars(hourly, ENERGY.unit, amounts(ENERGY, "1h", timezone)),
        by_day(ENERGY, "Electricity by day", "逐日用电量", timezone),
    ]


def _water_and_gas(timezone: str) -> list[Shown]:
    return [
        by_day(WATER, "Water by day", "逐日用水量", timezone),
        by_day(GAS, "Gas by day", "逐日用气量", timezone),
    ]


def _devices() -> list[Shown]:
    devices = Heading(
        "Devices", "设备最新读数", "Newest reading in the time range; a device silent for longer is not listed.",
        "所选时段内的最新读数；更久没有读数的设备不列出。",
    )  # fmt: skip
    fields = {
        "Power": (POWER, "功率"),
        "Water counter": (WATER, "水表读数"),
        "Gas counter": (GAS, "气表读数"),
        "Boiler temperature": (BOILER_TEMPERATURE, "锅炉温度"),
        "Charger power": (CHARGER_POWER, "充电功率"),
    }
    targets = [InfluxTarget(field.newest(column)) for column, (field, _) in fields.items()]
    columns = {column: Column(name_zh, field.unit) for column, (field, name_zh) in fields.items()}
    return [rows(devices, named(targets), {"Time": Column("时间", "dateTimeFromNow"), **columns})]


def by_day(field: Field, title: str, title_zh: str, timezone: str) -> Shown:
    """A counter's amounts, a bar a day."""
    heading = Heading(
        title, title_zh, f"Counter difference from day to day in {timezone}. {_LEDGER}",
        f"逐日表底差（{timezone}）。{_LEDGER_ZH}",
    )  # fmt: skip
    return bars(heading, field.unit, amounts(field, "1d", timezone))


def amounts(field: Field, every: str, timezone: str) -> list[InfluxTarget]:
    """A counter's amounts of each interval, a line per device."""
    return [InfluxTarget(field.amounts(every, timezone)).alias(DEVICE_LINE)]


def means(field: Field) -> list[InfluxTarget]:
    """A gauge's means, a line per device."""
    return [InfluxTarget(field.mean()).alias(DEVICE_LINE)]


def _by_phase(fields: tuple[Field, ...]) -> list[InfluxTarget]:
    return named(
        [InfluxTarget(field.mean()).alias(f"{DEVICE_LINE} L{phase}") for phase, field in enumerate(fields, start=1)]
    )
