"""The page of the platform itself: what arrives, what gateways tell."""

from typing import Final

from kgce.dashboards.heading import Heading, Words
from kgce.dashboards.influxql import InfluxTarget, identifier
from kgce.dashboards.page import Page, Section
from kgce.dashboards.panel_kinds import Column, lines, named, rows
from kgce.dashboards.selections import Field
from kgce.dashboards.variables import device_variables

_ARRIVING: Final = (
    Field("electricity", "active_power_total"), Field("water", "water_volume"), Field("gas", "gas_volume"),
    Field("boiler", "actual_temperature"), Field("charger", "active_power"),
)  # fmt: skip


def platform() -> Page:
    """Readings by kind of device, and events by severity."""
    arriving = Heading("Readings by kind", "分类读数个数", "Readings in 10 minutes of each kind of device.",
                       "各类设备每10分钟的读数个数。")  # fmt: skip
    severity = Heading(
        "Events by severity", "分级事件数", "What gateways told in each hour.", "网关每小时上报的事件数。"
    )
    newest = Heading("Newest events", "最新事件", "The newest of each gateway and kind; see `kgce edge status`.",
                     "各网关各类事件的最新一条；处理办法见`kgce edge status`。")  # fmt: skip
    events = identifier("event")
    counted = f'SELECT count("message") FROM {events} WHERE $timeFilter GROUP BY time(1h), "severity" fill(none)'  # noqa: S608
    last = f'SELECT last("message") AS "Message" FROM {events} WHERE $timeFilter GROUP BY "gateway", "id", "severity"'  # noqa: S608
    columns = {
        "Time": Column("时间", "dateTimeFromNow"), "gateway": Column("网关", "string"), "id": Column("类型", "string"),
        "severity": Column("级别", "string"), "Message": Column("内容", "string"),
    }  # fmt: skip
    targets = named([InfluxTarget(field.total_readings("10m")).alias(field.measurement) for field in _ARRIVING])
    return Page(
        "platform",
        Heading("Platform health", "平台运行", "Whether readings arrive, and what gateways tell about themselves.",
                "读数是否到达，以及网关上报的自身情况。"),
        [
            Section(Words("Readings", "读数"), [lines(arriving, "none", targets)]),
            Section(Words("Events", "事件"), [
                lines(severity, "none", [InfluxTarget(counted).alias("$tag_severity")]),
                rows(newest, [InfluxTarget(last)], columns),
            ]),
        ],
        device_variables(),
    )  # fmt: skip
