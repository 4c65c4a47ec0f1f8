"""Pages of derived series: carriers and end use, ranking and leaders, the province, data quality."""

from typing import Final

from kgce.dashboards import derived
from kgce.dashboards.figures_panels import KGCE, SHARE, energy_by_month, standing
from kgce.dashboards.heading import Heading, Words
from kgce.dashboards.influxql import InfluxTarget
from kgce.dashboards.overview_panels import POWER, WATER
from kgce.dashboards.page import Page, Section
from kgce.dashboards.panel_kinds import DEVICE_LINE, Column, Shown, Step, bars, lines, named, number, rows
from kgce.dashboards.variables import derived_variables, device_variables

_COVERED: Final[tuple[Step, ...]] = ((None, "red"), (0.9, "green"))
_ITEMS: Final = {
    "A": ("Lighting and sockets", "照明插座"), "B": ("Air conditioning", "空调"),
    "C": ("Power equipment", "动力"), "D": ("Special uses", "特殊用电"),
}  # fmt: skip
_FROM_LEDGER: Final = "Of the ledger, as `kgce analyze` last wrote it; what is not known is not drawn."
_FROM_LEDGER_ZH: Final = "取自台账，由`kgce analyze`最近一次写入；未知部分不绘出。"


def carriers(timezone: str) -> Page:
    """Energy by carrier, electricity by end use."""
    by_day = Heading("Energy by day", "逐日综合能耗", f"Standard coal by carrier. {_FROM_LEDGER}",
                     f"按能源品种折算的标准煤。{_FROM_LEDGER_ZH}")  # fmt: skip
    electricity = Heading(
        "Electricity by institution", "分机构用电量", f"By day. {_FROM_LEDGER}", f"逐日。{_FROM_LEDGER_ZH}"
    )
    water = Heading("Water by institution", "分机构用水量", f"By day. {_FROM_LEDGER}", f"逐日。{_FROM_LEDGER_ZH}")
    whole = Heading("Energy in range", "所选时段综合能耗", f"Whole days in the time range. {_FROM_LEDGER}",
                    f"所选时段内的整日合计。{_FROM_LEDGER_ZH}")  # fmt: skip
    query = derived.amounts("kgce", by="carrier", grid="day", timezone=timezone)
    items = [
        bars(
            Heading(name, name_zh, f"Electricity of end-use item {item} by day. {_FROM_LEDGER}",
                    f"分项{item}逐日用电量。{_FROM_LEDGER_ZH}"),
            "kwatth",
            [InfluxTarget(derived.amounts(
                "amount", by="institution", grid="day", timezone=timezone,
                where={"carrier": "electricity", "item": item},
            )).alias("$tag_institution")],
        )
        for item, (name, name_zh) in _ITEMS.items()
    ]  # fmt: skip

    def amount(heading: Heading, unit: str, carrier: str) -> Shown:
        found = derived.amounts("amount", by="institution", grid="day", timezone=timezone, where={"carrier": carrier})
        return bars(heading, unit, [InfluxTarget(found).alias("$tag_institution")])

    return Page(
        "carriers",
        Heading("Carriers and end use", "能源品种与分项", "What is used of each carrier, and for what.",
                "各能源品种的用量及其用途。"),
        [
            Section(Words("Carriers", "能源品种"), [
                number(whole, KGCE, derived.total("kgce", grid="day")),
                bars(by_day, KGCE, [InfluxTarget(query).alias("$tag_carrier")]),
                energy_by_month(timezone),
                amount(electricity, "kwatth", "electricity"),
                amount(water, "m3", "water"),
            ]),
            Section(Words("Electricity by end use", "用电分项"), items),
        ],
        derived_variables(),
        time_from="now-30d",
        refresh="",
    )  # fmt: skip


def ranking() -> Page:
    """Who leads and who lags, by the three indicators that are published, and the others."""
    main = ("energy_per_area", "energy_per_capita", "water_per_capita")
    others = ("non_heating_per_area", "conventional_electricity_per_area")
    return Page(
        "ranking",
        Heading("Ranking and leaders", "排名与领跑者", "Institutions of a year beside their peers, quotas and targets.",
                "机构年度指标与同类、定额及目标的对比。"),
        [
            Section(Words("Published indicators", "公布指标"), [standing(one) for one in main]),
            Section(Words("Further indicators", "其他指标"), [standing(one) for one in others]),
        ],
        derived_variables(year=True),
        refresh="",
    )  # fmt: skip


def province(timezone: str) -> Page:
    """Counties side by side, with how sure they are."""
    table = Heading(
        "Regions",
        "区划汇总",
        f"Sums of the time range by county. {_FROM_LEDGER}",
        f"所选时段按区县汇总。{_FROM_LEDGER_ZH}",
    )
    by_month = Heading("Energy by region", "分区划综合能耗", f"By month. {_FROM_LEDGER}", f"逐月。{_FROM_LEDGER_ZH}")
    share = Heading("Coverage by region", "分区划覆盖率", "Mean of the meters' days; dashed: 90 %.",
                    "各表逐日覆盖率的平均值；虚线为90 %。")  # fmt: skip
    sums = derived.sums_by({"Standard coal": "kgce"}, by="region")
    covered = derived.mean("coverage", by="region")
    columns = {
        "region": Column("区划", "string"), "Standard coal": Column("标准煤", KGCE),
        "coverage": Column("覆盖率", SHARE, _COVERED),
    }  # fmt: skip
    monthly = derived.amounts("kgce", by="region", grid="month", timezone=timezone)
    return Page(
        "province",
        Heading("Province", "全省", "What counties use, month by month, and how complete that is.",
                "各区县逐月能耗及其完整程度。"),
        [
            Section(Words("Regions", "区划"), [
                rows(table, named([InfluxTarget(sums), InfluxTarget(covered)]), columns, height=12),
                bars(by_month, KGCE, [InfluxTarget(monthly).alias("$tag_region")]),
                lines(share, SHARE, [InfluxTarget(derived.shares("coverage", timezone=timezone, by="region"))
                                     .alias("$tag_region")], steps=_COVERED),
            ]),
        ],
        derived_variables(),
        time_from="now-1y",
        refresh="",
    )  # fmt: skip


def quality(timezone: str) -> Page:
    """How complete and how sure the data are, down to the silent meter."""
    coverage = Heading("Coverage", "数据覆盖率", "Mean of the meters' days; dashed: 90 %, below it nobody is ranked.",
                       "各表逐日覆盖率的平均值；虚线为90 %，低于此值不参与排名。")  # fmt: skip
    estimated = Heading("Estimated share", "估算比例", "Part of the amounts that was not measured in its day.",
                        "未在当日实测的用量所占比例。")  # fmt: skip
    silent = Heading("Readings by 10 minutes", "每10分钟读数个数", "Readings of each meter; zero is a silent meter.",
                     "各表读数个数；零表示该表无数据。")  # fmt: skip
    worst = Heading("Institutions by coverage", "机构覆盖率", "Means of the time range, the least complete first.",
                    "所选时段的平均值，最不完整者在前。")  # fmt: skip
    columns = {
        "institution": Column("机构", "string"), "coverage": Column("覆盖率", SHARE, _COVERED),
        "estimated": Column("估算比例", SHARE),
    }  # fmt: skip
    means = named([InfluxTarget(derived.mean(field, by="institution")) for field in ("coverage", "estimated")])
    counts = named([InfluxTarget(field.readings("10m")).alias(DEVICE_LINE) for field in (POWER, WATER)])

    def share(heading: Heading, field: str, steps: tuple[Step, ...] = ()) -> Shown:
        query = derived.shares(field, timezone=timezone)
        return lines(heading, SHARE, [InfluxTarget(query).alias("$tag_institution")], steps=steps)

    return Page(
        "data-quality",
        Heading("Data quality", "数据质量", "How complete the readings are, and how much of the amounts is measured.",
                "读数的完整程度与实测用量所占比例。"),
        [
            Section(Words("Ledger", "台账"), [
                share(coverage, "coverage", _COVERED), share(estimated, "estimated"), rows(worst, means, columns),
            ]),
            Section(Words("Readings", "读数"), [lines(silent, "none", counts)]),
        ],
        [*device_variables(("electricity", "water")),
         *(one for one in derived_variables() if one.build().name == "factor_set")],
    )  # fmt: skip
