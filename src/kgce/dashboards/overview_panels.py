"""The panels of "Institution overview", section by section; overview.py puts them on the page."""

from typing import Final

from kgce.dashboards.influxql import InfluxTarget
from kgce.dashboards.panel_kinds import BUILDING_LINE, DEVICE_LINE, Heading, PanelBuilder, bars, lines, number, rows
from kgce.dashboards.selections import FRESH, Field

POWER: Final = Field("electricity", "active_power_total")
ENERGY: Final = Field("electricity", "active_energy_import")
VOLTAGES: Final = tuple(Field("electricity", f"voltage_l{phase}_n") for phase in (1, 2, 3))
CURRENTS: Final = tuple(Field("electricity", f"current_l{phase}") for phase in (1, 2, 3))
WATER: Final = Field("water", "water_volume")
WATER_FLOW: Final = Field("water", "water_flow")
GAS: Final = Field("gas", "gas_volume")
BOILER_TEMPERATURE: Final = Field("boiler", "actual_temperature")
FLAME: Final = Field("boiler", "flame_signal")
FUEL_THROUGHPUT: Final = Field("boiler", "fuel_throughput")
CHARGER_POWER: Final = Field("charger", "active_power")
SESSION_ENERGY: Final = Field("charger", "session_energy")

_LEDGER: Final = (
    "A gap puts its whole amount into the interval in which readings return; a reset or a changed meter shows no"
    " amount there. The ledger is the authority: `kgce ledger`."
)
_MAINS: Final = "Sub-meters count too: choose the main meters under Device where both are installed."
_LIVE: Final = f"Meters with a reading not older than {FRESH}."
_RANGE: Final = (
    "Last minus first reading of each meter, added up. Negative: a counter was reset or replaced; `kgce ledger` knows."
)
_AT_LEAST_ONE: Final = ((None, "red"), (1.0, "green"))
_NOT_NEGATIVE: Final = ((None, "red"), (0.0, "green"))
# 220 V between phase and neutral may deviate by -10 % to +7 %. Source: GB/T 12325-2008, supply voltage deviation.
_VOLTAGE_LIMITS: Final = ((None, "orange"), (198.0, "green"), (235.4, "orange"))


def sections(timezone: str) -> dict[str, list[PanelBuilder]]:
    """Panels in reading order under their section's title."""
    return {
        "Now 实时": [*_live(), *_amounts_of_range()],
        "Electricity 电力": [*_electricity(), *_electricity_amounts(timezone)],
        "Water and gas 水与燃气": _water_and_gas(timezone),
        "Boilers 锅炉": _boilers(),
        "EV chargers 充电桩": _chargers(),
        "Data health 数据质量": _health(),
    }


def _live() -> list[PanelBuilder]:
    power = Heading("Live power", "实时总功率", f"Sum of the readings not older than {FRESH}. {_MAINS}")
    return [
        number(power, POWER.unit, POWER.sum_of_live()),
        number(
            Heading("Electricity meters live", "在线电表", _LIVE), "none", POWER.count_of_live(), steps=_AT_LEAST_ONE
        ),
        number(Heading("Water meters live", "在线水表", _LIVE), "none", WATER.count_of_live(), steps=_AT_LEAST_ONE),
    ]


def _amounts_of_range() -> list[PanelBuilder]:
    headings = {
        ENERGY: Heading("Electricity in range", "所选时段用电量", f"{_RANGE} {_MAINS}"),
        WATER: Heading("Water in range", "所选时段用水量", _RANGE),
        GAS: Heading("Gas in range", "所选时段用气量", _RANGE),
    }
    return [
        number(heading, field.unit, field.amount_of_range(), steps=_NOT_NEGATIVE) for field, heading in headings.items()
    ]


def _electricity() -> list[PanelBuilder]:
    power = Heading("Power by building", "分楼栋功率", f"Mean power, added up over the meters that reported. {_MAINS}")
    voltage = Heading("Voltage by phase", "各相电压", "Mean; dashed: 198 V and 235.4 V, the limits of GB/T 12325.")
    current = Heading("Current by phase", "各相电流", "Mean; unequal phases load the neutral conductor.")
    return [
        lines(power, POWER.unit, [InfluxTarget(POWER.sum_of_means()).alias(BUILDING_LINE)]),
        lines(voltage, VOLTAGES[0].unit, _by_phase(VOLTAGES), steps=_VOLTAGE_LIMITS),
        lines(current, CURRENTS[0].unit, _by_phase(CURRENTS)),
    ]


def _electricity_amounts(timezone: str) -> list[PanelBuilder]:
    hourly = Heading("Electricity by hour", "逐时用电量", f"Counter difference from hour to hour. {_LEDGER}")
    return [
        bars(hourly, ENERGY.unit, _amounts(ENERGY, "1h", timezone)),
        _by_day(ENERGY, "Electricity by day", "逐日用电量", timezone),
    ]


def _water_and_gas(timezone: str) -> list[PanelBuilder]:
    flow = Heading("Water flow", "用水流量", "Mean; a flow that never rests at night is a leak until shown otherwise.")
    return [
        lines(flow, WATER_FLOW.unit, _means(WATER_FLOW)),
        _by_day(WATER, "Water by day", "逐日用水量", timezone),
        _by_day(GAS, "Gas by day", "逐日用气量", timezone),
    ]


def _boilers() -> list[PanelBuilder]:
    temperature = Heading("Boiler temperature", "锅炉温度", "Actual value as the burner control reports it.")
    flame = Heading("Flame signal", "火焰信号", "Strength of the flame signal; near zero means no flame.")
    fuel = Heading("Fuel throughput", "燃料流量", "Fuel flow as the burner control reports it.")
    return [
        lines(temperature, BOILER_TEMPERATURE.unit, _means(BOILER_TEMPERATURE)),
        lines(flame, FLAME.unit, _means(FLAME)),
        lines(fuel, FUEL_THROUGHPUT.unit, _means(FUEL_THROUGHPUT)),
    ]


def _chargers() -> list[PanelBuilder]:
    power = Heading("Charger power", "充电功率", "Mean per charger.")
    session = Heading(
        "Session energy", "本次充电电量", "Mean of the present session's counter; every session starts at 0."
    )
    return [
        lines(power, CHARGER_POWER.unit, _means(CHARGER_POWER)),
        lines(session, SESSION_ENERGY.unit, _means(SESSION_ENERGY)),
    ]


def _health() -> list[PanelBuilder]:
    readings = Heading("Readings by 10 minutes", "每10分钟读数个数", "Readings of each meter; zero is a silent meter.")
    devices = Heading(
        "Devices", "设备最新读数", "Newest reading in the time range; a device silent for longer is not listed."
    )
    columns = {
        "Power": POWER,
        "Water counter": WATER,
        "Gas counter": GAS,
        "Boiler temperature": BOILER_TEMPERATURE,
        "Charger power": CHARGER_POWER,
    }
    targets = [InfluxTarget(field.newest(column)) for column, field in columns.items()]
    counts = [InfluxTarget(field.readings("10m")).alias(DEVICE_LINE) for field in (POWER, WATER)]
    units = {column: field.unit for column, field in columns.items()}
    return [
        rows(devices, _named(targets), column_units={"Time": "dateTimeFromNow", **units}),
        lines(readings, "none", _named(counts)),
    ]


def _by_day(field: Field, title: str, title_zh: str, timezone: str) -> PanelBuilder:
    heading = Heading(title, title_zh, f"Counter difference from day to day in {timezone}. {_LEDGER}")
    return bars(heading, field.unit, _amounts(field, "1d", timezone))


def _amounts(field: Field, every: str, timezone: str) -> list[InfluxTarget]:
    return [InfluxTarget(field.amounts(every, timezone)).alias(DEVICE_LINE)]


def _means(field: Field) -> list[InfluxTarget]:
    return [InfluxTarget(field.mean()).alias(DEVICE_LINE)]


def _by_phase(fields: tuple[Field, ...]) -> list[InfluxTarget]:
    return _named(
        [InfluxTarget(field.mean()).alias(f"{DEVICE_LINE} L{phase}") for phase, field in enumerate(fields, start=1)]
    )


def _named(targets: list[InfluxTarget]) -> list[InfluxTarget]:
    return [target.ref(chr(ord("A") + position)) for position, target in enumerate(targets)]
