"""Pages of one kind of device: boiler room, EV chargers, water."""

from typing import Final

from kgce.dashboards.heading import Heading, Words
from kgce.dashboards.influxql import InfluxTarget
from kgce.dashboards.overview_panels import AT_LEAST_ONE, amounts, by_day, means
from kgce.dashboards.page import Page, Section
from kgce.dashboards.panel_kinds import DEVICE_LINE, Column, Shown, Step, bars, lines, named, number, rows
from kgce.dashboards.selections import FRESH, Field
from kgce.dashboards.variables import device_variables

BOILER_TEMPERATURE: Final = Field("boiler", "actual_temperature")
FLUE_TEMPERATURE: Final = Field("boiler", "flue_temperature")
EXTRA_SENSOR: Final = Field("boiler", "extra_temperature_sensor")
OXYGEN: Final = Field("boiler", "flue_gas_o2")
FIRING: Final = Field("boiler", "firing_rate")
FLAME: Final = Field("boiler", "flame_signal")
FUEL: Final = Field("boiler", "fuel_throughput")
SUPPLY: Final = Field("boiler", "outlet_temperature")
RETURN: Final = Field("boiler", "inlet_temperature")
STARTS: Final = Field("boiler", "startups_total")
HOURS: Final = Field("boiler", "operating_hours")
FAULT: Final = Field("boiler", "error_code")
CHARGER_POWER: Final = Field("charger", "active_power")
SESSION: Final = Field("charger", "session_energy")
CHARGER_STATE: Final = Field("charger", "charging_state")
CHARGER_LIMIT: Final = Field("charger", "current_limit_active")
WATER: Final = Field("water", "water_volume")
FLOW: Final = Field("water", "water_flow")

# Natural gas: A2 = 0.66, B = 0.009 in (T_flue - T_air) (A2 / (21 - O2) + B); the air is taken at 20 degC, for boilers
# do not measure it. Source: energy_domain.md section 8 (A2 verified twice, B unverified).
_AIR_C: Final = 20.0
_FIRING: Final = f'"{OXYGEN.name}" < 15'  # more is the air that is drawn through a burner at rest
_GAS: Final = (0.66, 0.009)
_STACK_LIMIT: Final[tuple[Step, ...]] = ((None, "green"), (9.0, "orange"))  # > 50 kW, German limit; same source
_FLUE_LIMIT: Final[tuple[Step, ...]] = ((None, "green"), (170.0, "orange"))  # TSG G0002-2010, unverified; same source
_NO_FAULT: Final[tuple[Step, ...]] = ((None, "green"), (1.0, "red"))


def boiler_room(timezone: str) -> Page:
    """Efficiency, flue gas, starts, faults."""
    return Page(
        "boiler-room",
        Heading(
            "Boiler room", "锅炉房",
            "How well boilers burn, how often they start, what they report.",
            "锅炉燃烧状况、启动次数与故障。",
        ),
        [
            Section(Words("Now", "实时"), _boilers_now()),
            Section(Words("Combustion", "燃烧"), _combustion()),
            Section(Words("Operation", "运行"), _operation(timezone)),
        ],
        device_variables(("boiler",)),
    )  # fmt: skip


def _boilers_now() -> list[Shown]:
    live = Heading(
        "Boilers live", "在线锅炉", f"Boilers with a reading not older than {FRESH}.", f"{FRESH}内有读数的锅炉数量。"
    )
    fault = Heading(
        "Highest fault code", "最大故障代码", "0 is no fault; other codes are those of the maker's manual.",
        "0表示无故障；其余代码见厂家手册。",
    )  # fmt: skip
    return [
        number(live, "none", BOILER_TEMPERATURE.count_of_live(), steps=AT_LEAST_ONE),
        number(fault, "none", FAULT.highest_of_live(), steps=_NO_FAULT),
    ]


def _combustion() -> list[Shown]:
    loss = Heading(
        "Stack loss", "排烟热损失",
        "By Siegert for natural gas (A2 0.66, B 0.009; B unverified), air of 20 °C, where the extra sensor of an LMV5 "
        "sits in the flue, while it fires; dashed: 9 %.",
        "按天然气西格特公式（A2取0.66，B取0.009，后者未经核实），空气按20 °C计，"
        "仅计燃烧时段，适用于LMV5附加传感器装在烟道处；虚线为9 %。",
    )  # fmt: skip
    flue = Heading(
        "Flue-gas temperature", "排烟温度", "Mean; dashed: 170 °C of TSG G0002-2010 (unverified).",
        "平均值；虚线为TSG G0002-2010的170 °C（未经核实）。",
    )  # fmt: skip
    oxygen = Heading(
        "Oxygen in the flue gas", "烟气含氧量", "Mean; 2 to 5 % is usual for gas, more is heated air.",
        "平均值；燃气锅炉通常为2 %~5 %，过高说明过量空气被加热。",
    )  # fmt: skip
    flame = Heading("Flame signal", "火焰信号", "Strength of the flame signal; near zero means no flame.",
                    "火焰信号强度；接近零表示没有火焰。")  # fmt: skip
    a2, b = _GAS
    siegert = f'(mean("{EXTRA_SENSOR.name}") - {_AIR_C}) * ({a2} / (21 - mean("{OXYGEN.name}")) + {b})'
    return [
        lines(loss, "percent", [InfluxTarget(EXTRA_SENSOR.worked_out(siegert, while_=_FIRING)).alias(DEVICE_LINE)],
              steps=_STACK_LIMIT),
        lines(flue, FLUE_TEMPERATURE.unit, named([*means(FLUE_TEMPERATURE), *means(EXTRA_SENSOR)]), steps=_FLUE_LIMIT),
        lines(oxygen, OXYGEN.unit, means(OXYGEN)),
        lines(flame, FLAME.unit, means(FLAME)),
    ]  # fmt: skip


def _operation(timezone: str) -> list[Shown]:
    temperatures = Heading(
        "Supply and return", "供回水温度",
        "Means; A outlet (supply), B inlet (return); a small difference wastes pump work.",
        "平均值；A为供水，B为回水。温差过小浪费水泵电耗。",
    )  # fmt: skip
    firing = Heading("Firing rate", "负荷率", "Mean, as the burner control reports it.", "燃烧控制器给出的平均值。")
    fuel = Heading("Fuel throughput", "燃料流量", "Mean, as the burner control reports it.", "燃烧控制器给出的平均值。")
    starts = Heading(
        "Starts by day", "逐日启动次数", "Difference of the counter from day to day; many starts are short cycling.",
        "计数器逐日差；次数过多说明频繁启停。",
    )  # fmt: skip
    hours = Heading("Hours of operation by day", "逐日运行小时", "Difference of the counter from day to day.",
                    "计数器从一日到次日之差。")  # fmt: skip
    both = named([
        InfluxTarget(SUPPLY.mean()).alias(f"{DEVICE_LINE} A"),
        InfluxTarget(RETURN.mean()).alias(f"{DEVICE_LINE} B"),
    ])  # fmt: skip
    return [
        lines(temperatures, SUPPLY.unit, both),
        lines(firing, FIRING.unit, means(FIRING)),
        lines(fuel, FUEL.unit, means(FUEL)),
        bars(starts, STARTS.unit, amounts(STARTS, "1d", timezone)),
        bars(hours, HOURS.unit, amounts(HOURS, "1d", timezone)),
    ]


def chargers() -> Page:
    """State, sessions, share of the peak."""
    power = Heading("Charger power", "充电功率", "Mean per charger.", "各充电桩平均功率。")
    whole = Heading(
        "Power of all chargers", "充电总功率", "Sum over the chargers that reported: its peak beside the building's.",
        "有读数的充电桩之和，可与建筑峰值对照。",
    )  # fmt: skip
    session = Heading(
        "Session energy", "本次充电电量", "Mean of the present session's counter; every session starts at 0.",
        "本次充电累计电量的平均值；每次充电从0开始。",
    )  # fmt: skip
    limit = Heading(
        "Current limit", "电流限值", "Mean of the limit set for each charger.", "为各充电桩设定的电流限值。"
    )
    newest = Heading(
        "Chargers now", "充电桩状态", "Newest state code, power, energy of the session and limit in the time range.",
        "所选时段内的最新状态代码、功率、本次电量与限值。",
    )  # fmt: skip
    fields = {
        "State": (CHARGER_STATE, "状态"), "Power": (CHARGER_POWER, "功率"),
        "Session": (SESSION, "本次电量"), "Limit": (CHARGER_LIMIT, "限值"),
    }  # fmt: skip
    columns = {"Time": Column("时间", "dateTimeFromNow")}
    columns |= {name: Column(zh, field.unit) for name, (field, zh) in fields.items()}
    targets = named([InfluxTarget(field.newest(name)) for name, (field, _) in fields.items()])
    summed = [InfluxTarget(CHARGER_POWER.sum_of_means()).alias("$tag_institution")]
    return Page(
        "ev-chargers",
        Heading("EV chargers", "充电桩", "Who charges, how much, and what that adds to the peak.",
                "充电状态、电量及其对峰值的影响。"),
        [
            Section(Words("Now", "实时"), [rows(newest, targets, columns)]),
            Section(Words("Load", "负荷"), [
                lines(power, CHARGER_POWER.unit, means(CHARGER_POWER)),
                lines(whole, CHARGER_POWER.unit, summed),
                lines(session, SESSION.unit, means(SESSION)),
                lines(limit, CHARGER_LIMIT.unit, means(CHARGER_LIMIT)),
            ]),
        ],
        device_variables(("charger",)),
    )  # fmt: skip


def water(timezone: str) -> Page:
    """Use by day, and what flows at night."""
    flow = Heading(
        "Water flow", "用水流量", "Mean; a flow that never rests at night is a leak until shown otherwise.",
        "平均流量；夜间始终不归零时，应先按漏水处理。",
    )  # fmt: skip
    least = Heading(
        "Smallest flow of each day", "逐日最小流量",
        "What flows when nobody uses water; above zero day after day is a leak or a tank. `kgce analyze` judges it.",
        "无人用水时仍有的流量；连日大于零说明漏水或水箱补水，由`kgce analyze`判定。",
    )  # fmt: skip
    in_range = Heading(
        "Water in range",
        "所选时段用水量",
        "Last minus first reading of each meter, added up.",
        "各表末次读数减首次读数之和。",
    )
    live = Heading("Water meters live", "在线水表", f"Meters with a reading not older than {FRESH}.",
                   f"{FRESH}内有读数的水表数量。")  # fmt: skip
    return Page(
        "water",
        Heading("Water", "用水", "Use by day and the flow that never stops.", "逐日用水量与夜间不断的流量。"),
        [
            Section(Words("Now", "实时"), [
                number(live, "none", WATER.count_of_live(), steps=AT_LEAST_ONE),
                number(in_range, WATER.unit, WATER.amount_of_range()),
            ]),
            Section(Words("Use", "用量"), [
                by_day(WATER, "Water by day", "逐日用水量", timezone), lines(flow, FLOW.unit, means(FLOW)),
            ]),
            Section(Words("Night flow", "夜间流量"), [
                bars(least, FLOW.unit, [InfluxTarget(FLOW.least_of_day(timezone)).alias(DEVICE_LINE)]),
            ]),
        ],
        device_variables(("water",)),
    )  # fmt: skip
